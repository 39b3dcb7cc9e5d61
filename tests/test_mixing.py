"""By which ways places are mixed: attention by offset, matrices, and impulses, against their definitions."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from einops import rearrange
from torch import nn

from explorer.any_model.find import find
from explorer.any_model.foreign import Foreign
from explorer.capture import run
from explorer.errors import ChoiceError, NoMapError
from explorer.mixing.attention import attention_from, attention_layers, unfolding
from explorer.mixing.matrices import Lines, Units, frequencies, matrices
from explorer.mixing.mixers import map_near, mixer, mixers, ways
from explorer.mixing.shift_impulses import impulses, sent_through
from explorer.reading import known
from models.as_mlp import AxialShift
from models.blocks import create_block
from models.fasternet import PartialConv
from models.mixing import MixingStep
from models.s2_mlp import S2Block, spatial_shift
from models.s2_mlp_v2 import S2Attention, spatial_shift_2
from models.vision_permutator import PermuteMlp
from tests.foreign import SIDE, Attention, made
from tests.tiny import TINY

STAR = "assets/examples/2-star.png"
WAYS = {
    "Vision Permutator": ("matrices",),
    "MLP-Mixer": ("matrices",),
    "S2-MLP": ("shifts",),
    "S2-MLPv2": ("shifts",),
    "AS-MLP": ("shifts",),
    "MobileViT": ("attention",),
    "FasterNet": ("shifts",),
    "EfficientNet-Lite": ("shifts",),
}


@pytest.mark.parametrize("family", TINY)
def test_every_family_mixes_places_by_one_of_the_ways(family):
    assert ways(TINY[family]()) == WAYS[family]


# Shifts


def sources(step: MixingStep) -> list[tuple]:
    return [(group.first, group.last, group.source) for group in impulses(step).groups]


def test_the_quarters_of_s2_mlp_come_from_above_below_left_and_right():
    (step,) = S2Block(8, 2).mixing_steps()
    assert sources(step) == [(0, 1, (-1, 0)), (2, 3, (1, 0)), (4, 5, (0, -1)), (6, 7, (0, 1))]


def test_the_second_shift_of_s2_mlp_v2_is_the_first_with_its_axes_exchanged():
    first, second, stays = (sources(step) for step in S2Attention(8).mixing_steps())
    assert first == [(0, 1, (-1, 0)), (2, 3, (1, 0)), (4, 5, (0, -1)), (6, 7, (0, 1))]
    assert second == [(group[0], group[1], group[2][::-1]) for group in first]
    assert stays == [(0, 7, (0, 0))]


def test_the_groups_of_as_mlp_come_from_a_stretch_of_one_axis():
    rows, columns = AxialShift(10, 5).mixing_steps()
    assert sources(rows) == [(2 * k, 2 * k + 1, (0, 2 - k)) for k in range(5)]
    assert sources(columns) == [(2 * k, 2 * k + 1, (2 - k, 0)) for k in range(5)]


def test_a_wider_shift_is_measured_on_a_wider_map():
    rows, _ = AxialShift(18, 9).mixing_steps()
    assert sources(rows)[0] == (0, 1, (0, 4))


def test_a_partial_convolution_reads_three_by_three_places_of_its_own_channels_only():
    (step,) = PartialConv(16, 4).mixing_steps()
    touched, rest = impulses(step).groups
    assert (touched.first, touched.last, touched.extent, touched.reads) == (0, 3, (3, 3), 4)
    assert touched.source is None
    assert (rest.first, rest.last, rest.source) == (4, 15, (0, 0))
    assert impulses(step).untouched.tolist() == [False] * 4 + [True] * 12


def test_the_strength_of_a_convolution_is_the_length_of_its_kernel():
    conv = PartialConv(8, 4)
    (step,) = conv.mixing_steps()
    kernel = torch.linalg.vector_norm(conv.conv.weight.detach(), dim=1).numpy()
    np.testing.assert_allclose(impulses(step).strength[:2, 1:-1, 1:-1], kernel, rtol=1e-6)


@pytest.mark.parametrize("shift", [spatial_shift, spatial_shift_2])
def test_what_impulses_say_is_what_happens_to_numbered_places(shift):
    side, channels = 6, 8
    table = rearrange(torch.arange(float(side * side * channels)), "(h w c) -> 1 h w c", h=side, w=side)
    moved = shift(table)
    for group in impulses(MixingStep("shift", shift, "b h w c", channels)).groups:
        down, right = group.source
        for channel in range(group.first, group.last + 1):
            for row in range(1, side - 1):
                expected = table[0, row + down, 1 + right, channel]
                assert moved[0, row, 1, channel] == expected


def test_a_bias_is_no_impulse_and_a_scaled_channel_is_not_untouched():
    conv = nn.Conv2d(3, 3, 1, groups=3)
    nn.init.ones_(conv.weight), nn.init.ones_(conv.bias)
    assert impulses(MixingStep("bias", conv, "b c h w", 3)).untouched.all()
    nn.init.constant_(conv.weight, 2.0)
    assert not impulses(MixingStep("scaled", conv, "b c h w", 3)).untouched.any()


def test_what_reaches_too_far_is_refused():
    with pytest.raises(ChoiceError, match="32 places"):
        impulses(MixingStep("all", lambda x: x.mean(dim=(2, 3), keepdim=True).expand_as(x), "b c h w", 2))


def test_a_picture_sent_through_moves_like_the_impulses():
    (step,) = S2Block(8, 2).mixing_steps()
    picture = np.arange(25.0, dtype=np.float32).reshape(5, 5)
    sent = sent_through(step, picture)
    np.testing.assert_array_equal(sent[0][1:], picture[:-1])
    np.testing.assert_array_equal(sent[0][0], picture[0])


def test_measuring_is_remembered(explorer):
    block = next(iter(mixers(explorer.load("fasternet_nano", "scenes").model, "shifts")))
    first = explorer.shifts("fasternet_nano", "scenes", block)
    assert explorer.shifts("fasternet_nano", "scenes", block) is first
    with pytest.raises(ChoiceError, match="no block 'none'"):
        explorer.shifts("fasternet_nano", "scenes", "none")


# Matrices


def test_the_strength_between_rows_is_what_a_row_gives_to_another():
    module = PermuteMlp(12, 3)
    found = matrices(module, "")
    assert set(found) == {"height", "width"}
    assert isinstance(found["height"], Lines)
    np.testing.assert_array_equal(found["width"].whole, module.mlp_w.weight.detach().numpy())
    with torch.no_grad():
        for source in range(3):
            table = torch.zeros(4, 3, 3, 12)
            table[torch.arange(4), source, 0, torch.arange(4)] = 1.0  # each channel of the first segment
            answer = module.mixed(table)[0][:, :, 0, :4]  # [t, to, s]
            expected = torch.linalg.vector_norm(rearrange(answer, "t to s -> to (t s)"), dim=-1)
            np.testing.assert_allclose(found["height"].strength[:, source], expected, rtol=1e-5)


def test_weights_that_stay_in_a_line_are_all_near():
    values = np.zeros((4, 4, 2, 2))
    values[np.arange(4), np.arange(4)] = 1.0
    assert Lines("", "height", values).near == 1
    assert Lines("", "height", np.ones((4, 4, 2, 2))).near == pytest.approx(10 / 16)


def test_a_hidden_unit_reads_a_map_and_writes_a_map():
    block = create_block("MixerBlock", dim=6, grid=4, tokens_dim=5, channels_dim=8)
    found = matrices(block, "")
    fc1, fc2 = block.token_mixing.fc1.weight.detach(), block.token_mixing.fc2.weight.detach()
    assert isinstance(found["reads"], Units)
    np.testing.assert_array_equal(found["reads"].values[3, 1], fc1[3, 4:8])
    np.testing.assert_array_equal(found["writes"].values[3, :, 2], fc2[2::4, 3])


def test_the_frequency_of_simple_maps_is_their_number_of_waves():
    row, column = np.mgrid[:8, :8]
    waves = np.cos(2 * np.pi * 3 * column / 8)
    maps = np.stack([np.ones((8, 8)), waves, waves.T, (-1.0) ** (row + column), np.zeros((8, 8))])
    np.testing.assert_allclose(frequencies(maps), [0, 3, 3, np.hypot(4, 4), 0], atol=1e-9)


def test_units_are_sorted_from_smooth_to_fine():
    row, column = np.mgrid[:8, :8]
    maps = np.stack([(-1.0) ** (row + column), np.ones((8, 8)), np.cos(2 * np.pi * column / 8)])
    found = Units("", "reads", maps)
    assert found.order("frequency").tolist() == [1, 2, 0]
    assert found.order("number").tolist() == [0, 1, 2]
    with pytest.raises(ChoiceError, match="size"):
        found.order("size")


def test_a_block_that_mixes_otherwise_is_refused():
    with pytest.raises(ChoiceError, match="no block 'x' that mixes by matrices"):
        mixer(TINY["Vision Permutator"](), "matrices", "x")


# Attention


def test_attention_from_every_place_sums_to_one_in_every_layer(explorer):
    found = explorer.inspect("mobilevit_nano", STAR, "scenes")
    assert len(attention_layers(found)) == 9
    for layer in attention_layers(found):
        for place in ((0.0, 0.0), (0.5, 0.4), (0.99, 0.99)):
            looks = attention_from(found, layer, *place)
            sums = looks.maps.astype(np.float64).sum(axis=(2, 3))
            assert looks.maps.shape[:2] == (4, 4)
            np.testing.assert_allclose(sums, 1, atol=1e-6)


def test_attention_from_a_place_is_the_row_of_its_patch_and_the_offset_that_of_the_place(explorer):
    found = explorer.inspect("mobilevit_nano", STAR, "scenes")
    layer = attention_layers(found)[0]
    looks = attention_from(found, layer, 5.5 / 8, 2.5 / 8)
    assert (looks.grid, looks.patch, looks.place, looks.here, looks.offset) == ((8, 8), 2, (5, 2), (2, 1), 2)
    rows = found.activations[layer].value[:, :, 2 * 4 + 1].numpy()
    np.testing.assert_array_equal(looks.maps, rows.reshape(4, 4, 4, 4))


def test_places_with_the_same_offset_are_looked_at_only():
    """What changes at one place of the map changes the attention of its own offset alone."""
    block = create_block("MobileViTBlock", dim=8, transformer_dim=16, depth=1, num_heads=2)
    local = torch.rand(1, 16, 6, 6)
    changed = local.clone()
    changed[0, :, 3, 2] += 1.0  # offset 1, 0

    def attended(values):
        block.local.register_forward_hook(lambda *_: values)
        return run(block, torch.rand(1, 8, 6, 6)).activations["transformer.0.attn.attention"].value

    differs = (attended(local) != attended(changed)).flatten(1).any(dim=1)
    assert differs.tolist() == [False, False, True, False]


def test_an_odd_map_is_unfolded_as_the_next_even_one():
    block = create_block("MobileViTBlock", dim=8, transformer_dim=16, depth=1, num_heads=2)
    found = run(block, torch.rand(1, 8, 7, 5))
    looks = attention_from(found, "transformer.0.attn.attention", 0.5, 0.5)
    assert (looks.grid, looks.maps.shape) == ((8, 6), (4, 2, 4, 3))


def test_the_block_that_circulates_alone_has_forty_nine_offsets():
    found = run(create_block("MobileViTAttention", transformer_dim=16, depth=1), torch.rand(1, 3, 49, 49))
    value, patch, grid = unfolding(found, "transformer.0.attn.attention")
    assert (patch, grid, value.shape) == (7, (49, 49), (49, 8, 49, 49))


def test_how_far_a_head_looks_is_known_for_simple_attention(explorer):
    found = explorer.inspect("mobilevit_nano", STAR, "scenes")
    layer = attention_layers(found)[0]
    value = found.activations[layer].value
    even = torch.full_like(value, 1 / 16)
    even[:, 1] = torch.eye(16)
    activation = type(found.activations[layer])(layer, found.activations[layer].kind, known(even))
    looks = attention_from(
        type(found)(found.logits, {**found.activations, layer: activation}, 0.0), layer, 0, 0
    )
    where = np.array([(row, column) for row in range(0, 8, 2) for column in range(0, 8, 2)])
    apart = np.hypot(*(where[:, None] - where[None]).transpose(2, 0, 1))
    np.testing.assert_allclose(looks.reach, [apart.mean(), 0, apart.mean(), apart.mean()], rtol=1e-5)
    assert looks.even == pytest.approx(apart.mean(), rel=1e-5)


@pytest.fixture(scope="module")
def attended():
    """A pass of a model nobody prepared, whose 8 x 8 places look at each other."""
    model = made(Attention)
    found = find(model, (SIDE, SIDE))
    return run(Foreign(model, found.stations), torch.rand(1, 3, SIDE, SIDE))


def replaced(found, layer: str, value):
    """The same pass with another attention."""
    kept = found.activations[layer]
    return replace(found, activations={**found.activations, layer: replace(kept, kept=known(value))})


def test_places_of_any_model_look_at_places_and_at_the_tokens_beside_them(attended):
    (layer, _) = attention_layers(attended)
    looks = attention_from(attended, layer, 3.5 / 8, 2.5 / 8)
    assert (looks.grid, looks.patch, looks.place) == ((8, 8), 1, (3, 2))
    value = attended.activations[layer].value
    np.testing.assert_array_equal(looks.maps[0], value[0, :, 3 * 8 + 2].reshape(2, 8, 8))
    beside = torch.zeros(1, 2, 65, 65)
    beside[:, :, 1:, 1:], beside[:, :, :, 0] = 0.75 * value, 0.25
    looks = attention_from(replaced(attended, layer, beside), layer, 3.5 / 8, 2.5 / 8)
    np.testing.assert_allclose(looks.maps[0], 0.75 * value[0, :, 3 * 8 + 2].reshape(2, 8, 8))
    assert looks.reach == pytest.approx(attention_from(attended, layer, 0, 0).reach, rel=1e-4)


@pytest.mark.parametrize("shape", [(1, 8, 16, 16), (1, 2, 64, 16), (1, 2, 1, 65)])
def test_attention_among_other_things_than_places_is_said_to_be_so(shape, attended):
    (layer, _) = attention_layers(attended)
    with pytest.raises(NoMapError, match="not the 8 × 8 places"):
        attention_from(replaced(attended, layer, torch.ones(shape) / shape[-1]), layer, 0, 0)


def test_a_model_without_attention_says_so(explorer):
    with pytest.raises(ChoiceError, match="there are none"):
        attention_from(explorer.inspect("vip_nano", STAR, "scenes"), "x", 0.5, 0.5)


def test_the_map_near_a_probe_is_the_first_of_its_own_block(explorer):
    found = explorer.inspect("mobilevit_nano", STAR, "scenes")
    assert map_near(found, "stages.3.1.transformer.2.attn.attention").name == "stages.3.1.local"


@pytest.mark.parametrize(
    ("model", "block"),
    [
        ("s2mlp_nano", "blocks.0"),
        ("s2mlpv2_nano", "stages.0.blocks.0.token_mixing"),
        ("as_mlp_nano", "stages.0.blocks.0.axial_shift"),
    ],
)
def test_the_steps_that_are_measured_are_those_the_block_takes(explorer, star, model, block):
    """Every shift the forward calls gives what the step of that place gives for the same tensor."""
    walk = explorer.code_walk(model, star, block=block)
    steps = explorer.load(model).model.get_submodule(block).mixing_steps()
    calls = [index for index, call in enumerate(walk.calls) if call.depth == 1]
    assert 1 <= len(calls) <= len(steps)
    for index, step in zip(calls, steps, strict=False):
        lines = [line for line in walk.steps if line.call == index]
        assert torch.equal(step.run(lines[0].made[0].value), lines[-1].made[-1].value)
