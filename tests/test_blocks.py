"""Every block of the catalogue works alone, gives the published numbers, and refuses what does not fit."""

import pytest
import torch
from einops import rearrange

from explorer.capture import probes, run
from models import card, create
from models.blocks import BLOCKS, BlockError, block_card, create_block, default_input, list_blocks, spelled
from models.mobilevit import InvertedResidual
from models.probe import Kind
from models.vision_permutator import in_official_order
from tests.golden_data import Golden, golden_input, golden_tensor


def seed_weights(golden: Golden) -> dict[str, torch.Tensor]:
    return {key: torch.from_numpy(golden_tensor(key, shape)) for key, shape in golden.text("keys")}


def renamed(tensors: dict, names: dict[str, str]) -> dict:
    for old, new in names.items():
        tensors = {key.replace(old, new): value for key, value in tensors.items()}
    return tensors


S2_NAMES = {
    "split_attention.mlp1.": "split_attention.reweight.fc1.",
    "split_attention.mlp2.": "split_attention.reweight.fc2.",
}
TRANSFORMER = {
    "trans.layers.": "transformer.",
    ".0.ln.": ".norm1.",
    ".0.fn.to_qkv.": ".attn.qkv.",
    ".0.fn.to_out.0.": ".attn.proj.",
    ".1.ln.": ".norm2.",
    ".1.fn.net.0.": ".fc1.",
    ".1.fn.net.3.": ".fc2.",
}


def s2_keys(tensors: dict) -> dict:
    tensors = renamed(tensors, S2_NAMES)
    outer = {"mlp1.": "expand.", "mlp2.": "proj."}
    return {
        next((new + k[len(old) :] for old, new in outer.items() if k.startswith(old)), k): v
        for k, v in tensors.items()
    }


def mobilevit_keys(tensors: dict) -> dict:
    # Layer by layer, so that the number of a layer is not taken for that of a part.
    def ours(key: str) -> str:
        if not key.startswith("trans.layers."):
            return key
        layer, _, rest = key.removeprefix("trans.layers.").partition(".")
        for old, new in TRANSFORMER.items():
            if f".{rest}".startswith(old):
                return f"transformer.{layer}{new}{f'.{rest}'.removeprefix(old)}"
        raise KeyError(key)

    return {ours(key): value for key, value in tensors.items()}


GOLDEN = {
    "block_seed_weighted_permute_mlp": (
        "WeightedPermuteMLP",
        {"dim": 512, "seg_dim": 8},
        in_official_order,
        False,
    ),
    "block_seed_s2attention": ("S2Attention", {"dim": 512, "hidden_dim": 512}, s2_keys, True),
    "block_seed_mobilevit_attention": ("MobileViTAttention", {}, mobilevit_keys, False),
    "block_pconv_slicing": (
        "PartialConv",
        {"slicing": 1},
        lambda tensors: renamed(tensors, {"partial_conv3.": "conv."}),
        False,
    ),
    "block_pconv_split_cat": (
        "PartialConv",
        {"slicing": 0},
        lambda tensors: renamed(tensors, {"partial_conv3.": "conv."}),
        False,
    ),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_a_block_gives_the_published_numbers(name):
    golden = Golden.read(name)
    block, settings, convert, channel_first_golden = GOLDEN[name]
    expected = torch.from_numpy(golden.arrays["output"])
    image = golden_input(tuple(golden.arrays["input_shape"]))
    module = create_block(block, **settings)
    module.load_state_dict(convert(seed_weights(golden)), strict=True)
    turn = "b c h w -> b h w c" if channel_first_golden else "... -> ..."
    back = "b h w c -> b c h w" if channel_first_golden else "... -> ..."
    with torch.no_grad():
        single = rearrange(module(rearrange(image, turn)), back)
        double = rearrange(module.double()(rearrange(image.double(), turn)), back)
    assert (single - expected).abs().max() <= 10 * golden.arrays["fp32_max_abs_diff"]
    assert (double - expected).abs().max() <= 1e-6 * expected.std()


def test_the_seed_block_blends_like_the_original():
    golden = Golden.read("block_seed_weighted_permute_mlp")
    module = create_block("WeightedPermuteMLP")
    module.load_state_dict(in_official_order(seed_weights(golden)), strict=True)
    seen = run(module, golden_input(tuple(golden.arrays["input_shape"]))).of(Kind.BRANCH_WEIGHTS)[0]
    # There the order is channel, width, height.
    expected = rearrange(torch.from_numpy(golden.arrays["branch_only"]), "branches b c -> b branches c").flip(
        1
    )
    torch.testing.assert_close(seen.value, expected, rtol=0, atol=1e-6)


def test_a_seed_file_of_a_whole_network_is_recognised(tmp_path):
    model = create("vip_nano", seed=3)

    def as_seed(key: str, value: torch.Tensor) -> torch.Tensor:
        if "reweight.fc2" not in key:
            return value
        triples = rearrange(value, "(c k) ... -> c k ...", k=3)
        return rearrange(triples.flip(1), "c k ... -> (c k) ...")

    state = {k.replace("reweight.", "reweighting."): as_seed(k, v) for k, v in model.state_dict().items()}
    torch.save(state, tmp_path / "seed.pth")
    image = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(create("vip_nano", tmp_path / "seed.pth")(image), model(image))


@pytest.mark.parametrize("name", list_blocks())
def test_every_block_runs_on_its_default_input(name):
    given = default_input(name)
    block = create_block(name)
    with torch.no_grad():
        made = block(list(given) if block_card(name).axes.startswith("branches") else given)
    assert torch.isfinite(made).all()
    assert made.std() > 0


@pytest.mark.parametrize("name", list_blocks())
def test_every_block_is_reached_by_a_picture(name):
    model = create(spelled(name, {}))
    size = card(spelled(name, {})).image_size
    seen = run(model, torch.rand(1, 3, size, size))
    assert set(seen.activations) == set(probes(model))
    assert seen.of(Kind.FEATURE_MAP)
    if ("Attention" in name and "MobileViT" not in name) or name == "WeightedPermuteMLP":
        assert seen.of(Kind.BRANCH_WEIGHTS)


@pytest.mark.parametrize("name", [name for name, found in BLOCKS.items() if found.place])
def test_a_trained_block_is_that_of_its_nano(name):
    found = block_card(name)
    asked = spelled(name, found.trained)
    assert next(iter(card(asked).weights)) == "scenes"
    block = create(asked, "scenes")
    nano = create(found.nano, "scenes")
    for key, value in nano.get_submodule(found.place).state_dict().items():
        assert torch.equal(block.block.state_dict()[key], value)
    for key, value in nano.get_submodule(found.stem).state_dict().items():
        assert torch.equal(block.stem.state_dict()[key], value)


def test_the_seeds_examples_give_the_seeds_shapes():
    with torch.no_grad():
        assert create_block("WeightedPermuteMLP", dim=512, seg_dim=8)(torch.rand(64, 8, 8, 512)).shape == (
            64,
            8,
            8,
            512,
        )
        assert create_block("MobileViTAttention")(torch.rand(1, 3, 49, 49)).shape == (1, 3, 49, 49)
        assert create_block("S2Attention")(torch.rand(50, 7, 7, 512)).shape == (50, 7, 7, 512)


def test_mobilevit_s_has_the_seeds_channels():
    """16, 32, 64, 64, 96, 128, 160, 640: stem, then every change of width, then the last convolution."""
    model = create("mobilevit_s")
    seen = run(model, torch.rand(1, 3, 256, 256)).activations
    inverted = [name for name, part in model.named_modules() if isinstance(part, InvertedResidual)]
    widths = [seen[f"{name}.output"].value.shape[-1] for name in inverted]
    assert [seen["stem_output"].value.shape[-1], *widths, seen["final"].value.shape[-1]] == [
        16, 32, 64, 64, 64, 96, 128, 160, 640,
    ]  # fmt: skip


def test_a_plain_permute_mlp_adds_its_branches():
    block = create_block("PermuteMLP", dim=12, seg_dim=3)
    x = torch.rand(1, 3, 3, 12)
    with torch.no_grad():
        seen = run(block, x)
        expected = block.proj(seen.of(Kind.BRANCHES)[0].value.sum(dim=1))
    torch.testing.assert_close(seen.logits, expected)


@pytest.mark.parametrize(
    ("name", "settings", "numbers"),
    [
        ("WeightedPermuteMLP", {"dim": 512, "seg_dim": 7}, ("512", "7")),
        ("MobileViTBlock", {"transformer_dim": 30, "num_heads": 4}, ("30", "4")),
        ("SplitAttention", {"dim": 0}, ("0", "2048")),
        ("BasicStage", {"depth": 2048}, ("2048", "64")),
        ("S2Block", {"dim": 30}, ("30",)),
        ("AxialShift", {"shift_size": 4}, ("4",)),
        ("PartialConv", {"dim": 2, "n_div": 4}, ("2", "4")),
        ("MixerBlock", {"depth": 3}, ("depth",)),
        ("NoBlock", {}, ("NoBlock", "PartialConv")),
    ],
)
def test_what_does_not_go_together_is_refused_with_its_numbers(name, settings, numbers):
    with pytest.raises(BlockError) as refused:
        create_block(name, **settings)
    for number in numbers:
        assert number in str(refused.value)


@pytest.mark.parametrize(
    ("block", "shape", "numbers"),
    [
        ("WeightedPermuteMLP", (1, 7, 8, 512), ("7 x 8", "8")),
        ("PermuteMLP", (1, 9, 9, 512), ("9 x 9", "8")),
        ("MixerBlock", (1, 13, 13, 512), ("13 x 13", "14")),
        ("MobileViTAttention", (1, 3, 48, 49), ("7 x 7", "48 x 49")),
    ],
)
def test_a_map_that_does_not_fit_is_refused_with_its_numbers(block, shape, numbers):
    with pytest.raises(ValueError, match=r".") as refused:
        create_block(block)(torch.rand(shape))
    for number in numbers:
        assert number in str(refused.value)
