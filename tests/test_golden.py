"""The models are the published ones: logits, every stage and the branch weights agree with the originals."""

import json
from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import torch
from efficientnet_lite_pytorch import EfficientNet
from einops import rearrange
from safetensors.torch import save_file
from torch import nn

from explorer.capture import Run, run
from models import card, create
from models.probe import Kind, Role
from tests.golden_data import Golden, golden_input, golden_tensor

# Golden file -> our model, and the original's name of a stage -> our probe of the same tensor.
CASES = {
    "vip_s7": (
        "vip_s7",
        {
            "patch_embed": "stem.output",
            "network.0": "stages.0.output",
            "network.1": "stages.1.downsample.output",
            "network.2": "stages.1.output",
            "network.3": "stages.2.output",
            "network.4": "stages.3.output",
            "norm": "normed",
        },
    ),
    "vip_s14": (
        "vip_s14",
        {
            "patch_embed": "stem.output",
            **{f"network.{stage}": f"stages.{stage}.output" for stage in range(4)},
            "norm": "normed",
        },
    ),
    "mixer_s16_224": (
        "mixer_s16",
        {"stem": "stem.output", "norm": "normed"}
        | {f"blocks.{block}": f"blocks.{block}.output" for block in range(8)},
    ),
    "mixer_b16_224": (
        "mixer_b16",
        {"stem": "stem.output", "norm": "normed"}
        | {f"blocks.{block}": f"blocks.{block}.output" for block in range(12)},
    ),
    "s2mlp_v1_wide_paperform": (
        "s2mlp_wide",
        {"patch_embed": "stem.output", "stages.0": "blocks.11.output"}
        | {f"block.{block}": f"blocks.{block}.output" for block in range(12)},
    ),
    "s2mlp_v2_small_7_c4": (
        "s2mlpv2_small",
        {
            f"stages.{stage}{theirs}": f"stages.{stage}.{ours}"
            for stage in range(2)
            for theirs, ours in (
                (".embed", "downsample.output"),
                (".block0", "blocks.0.output"),
                ("", "output"),
            )
        },
    ),
    "as_mlp_t": (
        "as_mlp_t",
        {"patch_embed": "stem.output", "norm": "normed", "layers.3": "stages.3.output"}
        | {f"layers.{stage}": f"stages.{stage + 1}.downsample.output" for stage in range(3)}
        | {f"layers.{stage}.blocks.last": f"stages.{stage}.output" for stage in range(4)},
    ),
    **{
        name: (
            name,
            {"patch_embed": "stem.output", "avgpool_pre_head": "pooled"}
            | {f"stages.{2 * stage}": f"stages.{stage}.output" for stage in range(4)}
            | {f"stages.{2 * stage - 1}": f"stages.{stage}.downsample.output" for stage in range(1, 4)},
        )
        for name in ("fasternet_t0", "fasternet_t2")
    },
    "mobilevit_xxs": (
        "mobilevit_xxs",
        {
            "stem": "stem_output",
            "stages.0": "stages.0.0.output",
            "stages.1": "stages.1.2.output",
            **{f"stages.{stage}": f"stages.{stage}.1.output" for stage in (2, 3, 4)},
            "stages.2.1.conv_1x1": "stages.2.1.local",
            "stages.2.1.norm": "stages.2.1.mixed",
            "stages.2.1.conv_proj": "stages.2.1.projected",
            "final_conv": "final",
        },
    ),
}
SEEDS = {"": 0, "_nonsquare": 1, "_interp": 2}
INPUTS = [
    pytest.param((name, suffix), id=f"{name}{suffix}")
    for name in CASES
    for suffix in SEEDS
    if f"logits{suffix}" in Golden.read(name).arrays
]


@lru_cache(maxsize=1)  # they are large
def models(name: str) -> tuple[torch.nn.Module, torch.nn.Module]:
    """The model in float32 and in float64, with the golden weights in their published key layout."""
    with TemporaryDirectory() as folder:
        path = Golden.read(name).checkpoint(Path(folder))
        single = create(CASES[name][0], weights=path)
    return single, deepcopy(single).double()


@pytest.fixture(params=INPUTS, scope="module")
def case(request):
    """The golden results of one input, its run in float64 and in float32, and the places to compare."""
    name, suffix = request.param
    golden = Golden.read(name)
    image = golden_input(tuple(golden.arrays[f"input_shape{suffix}"]), SEEDS[suffix])
    single, double = models(name)
    return golden, suffix, run(double, image.double()), run(single, image), CASES[name][1]


def as_published(found: Run, place: str, shape: list[int]) -> np.ndarray:
    """A captured tensor with its axes as the original has them, told by its shape."""
    value = found.activations[place].value
    if value.ndim == 4 and list(value.shape) == [shape[0], *shape[2:], shape[1]]:
        value = rearrange(value, "b h w c -> b c h w")
    elif value.ndim == 4 and len(shape) == 3 and shape[0] == 4 * len(value):  # unfolded into 2 x 2 patches
        value = rearrange(value, "b (nh ph) (nw pw) c -> (b ph pw) (nh nw) c", ph=2, pw=2)
    return value.numpy()


def test_the_rule_gives_the_documented_numbers():
    np.testing.assert_allclose(
        golden_tensor("head.weight", [1000, 384]).ravel()[:3], [0.07953329, -0.06813496, -0.07803386]
    )


def test_logits_in_float64(case):
    golden, suffix, double, _, _ = case
    expected = golden.arrays[f"logits{suffix}"]
    assert np.abs(double.logits.numpy() - expected).max() <= 1e-6 * expected.std()


def test_logits_in_float32(case):
    golden, suffix, _, single, _ = case
    distance = np.abs(single.logits.numpy() - golden.arrays[f"logits{suffix}"]).max()
    assert distance <= 10 * golden.arrays[f"fp32_max_abs_diff{suffix}"]


def test_every_stage(case):
    golden, suffix, double, _, places = case
    stages = golden.text(f"stage_names{suffix}")
    compared = 0
    for index, stage in enumerate(stages):
        shape = golden.text(f"stage_shapes{suffix}")[index]
        value = as_published(double, places[stage], shape)
        if value.size != np.prod(shape):
            assert (stage, suffix) == ("stages.2.1.norm", "_interp"), "seen before it is resized back"
            continue
        std = golden.arrays[f"stage_std{suffix}"][index]
        found = [value.mean(), value.std(), *value.ravel()[:8]]
        expected = [
            golden.arrays[f"stage_mean{suffix}"][index],
            std,
            *golden.arrays[f"stage_first8{suffix}"][index],
        ]
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6 * std, err_msg=stage)
        compared += 1
    assert compared >= len(stages) - 1


def test_branch_weights_of_the_first_and_last_block(case):
    golden, suffix, double, _, _ = case
    weights = double.of(Kind.BRANCH_WEIGHTS)
    assert bool(weights) == (f"branch_first{suffix}" in golden.arrays)
    for index, name in ((0, "branch_first"), (-1, "branch_last")) if weights else ():
        expected = torch.from_numpy(golden.arrays[f"{name}{suffix}"])
        found = rearrange(weights[index].value.float(), "b branches c -> branches b c")
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "table", "turned"),
    [
        ("fasternet_t0", "official_to_timm", False),
        ("fasternet_t2", "official_to_timm", False),
        ("mobilevit_xxs", "cvnets_to_timm", True),
    ],
)
def test_two_published_layouts_give_the_same_model(name, table, turned):
    """Every key of either layout finds its place, and the same one."""
    golden = Golden.read(name)
    names = json.loads(str(golden.arrays[table]))
    known = {key: torch.full((1,), float(index)) for index, (key, _) in enumerate(golden.text("keys"))}
    names = {timm: other for other, timm in names.items()} if turned else names
    other = {names[key]: value for key, value in known.items()}
    one, same = card(name).published(known), card(name).published(other)
    assert one == same
    assert set(one) == set(create(name).state_dict())


# EfficientNet-Lite: the published code is a package, and is asked itself


def drawn(model: nn.Module) -> dict[str, torch.Tensor]:
    """Weights and statistics by the rule of the golden files, in the keys of the model."""
    gain = 3**0.5  # else deep maps shrink to nothing
    return {
        key: torch.from_numpy(golden_tensor(key, list(one.shape), gain))
        for key, one in model.state_dict().items()
    }


@pytest.mark.parametrize(
    ("number", "size"), [(0, (64, 64)), (0, (75, 50)), (2, (43, 64))], ids=["even", "odd", "scaled"]
)
def test_efficientnet_lite_is_the_published_package(number, size, tmp_path):
    """Every block and the logits, also where the zeros of a stride are odd in number."""
    theirs = EfficientNet.from_name(f"efficientnet-lite{number}", image_size=list(size)).eval()
    theirs.load_state_dict(drawn(theirs))
    save_file(theirs.state_dict(), tmp_path / "published.safetensors")
    ours = create(f"efficientnet_lite{number}", tmp_path / "published.safetensors").double()
    expected: list[torch.Tensor] = []
    for block in theirs._blocks:
        block.register_forward_hook(lambda _module, _args, value: expected.append(value))
    image = golden_input((2, 3, *size)).double()
    with torch.no_grad():
        logits = theirs.double()(image)
    found = run(ours, image)
    np.testing.assert_allclose(found.logits, logits, rtol=0, atol=1e-6 * float(logits.std()))
    blocks = found.outputs((Role.BLOCK,))
    assert len(blocks) == len(expected)
    for one, other in zip(blocks, expected, strict=True):
        turned = rearrange(other, "b c h w -> b h w c")
        np.testing.assert_allclose(one.value, turned, rtol=0, atol=1e-6 * float(other.std()))


@pytest.mark.parametrize("number", range(5))
def test_every_efficientnet_lite_is_as_large_as_the_published_one(number):
    published, found = f"efficientnet-lite{number}", card(f"efficientnet_lite{number}")
    with torch.device("meta"):
        theirs, ours = EfficientNet.from_name(published).state_dict(), found.build().state_dict()
    shapes = {key: value.shape for key, value in found.published(theirs).items()}
    assert shapes == {key: value.shape for key, value in ours.items()}
    assert found.image_size == EfficientNet.get_image_size(published)
