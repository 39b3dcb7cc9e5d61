"""Receptive fields against answers known by hand, and what the two kinds of field promise each other."""

import numpy as np
import pytest
import torch
from einops import rearrange
from torch import nn

from explorer.capture import probes, run
from explorer.errors import ChoiceError
from explorer.mixing.channel_mixtures import estimated, mixtures
from explorer.mixing.receptive_field import (
    SHARES,
    EffectiveField,
    averaged,
    changed,
    effective_field,
    held,
    sensitivity_map,
    square_at,
    squares,
)
from explorer.mixing.service import spread
from explorer.mixing.theoretical_field import reachable_places, theoretical_field, up_to
from models import card, create
from models.layers import image_map, table_map
from models.probe import Kind
from models.registry import Preprocess
from models.s2_mlp import spatial_shift
from tests.tiny import IMAGE_SIDE, TINY

SIDE = 12  # pixels of a toy's image
# Norms that look at one place, and nothing weighed by the whole.
LOCAL = ("S2-MLP", "MLP-Mixer", "FasterNet", "EfficientNet-Lite")


class Toy(nn.Module):
    """One convolution without bias or activation: everything about it is known by hand."""

    def __init__(self, channels: int = 2) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, channels, kernel_size=3, padding=1, bias=False)
        self.output = image_map()

    def forward(self, image):
        return self.output(self.conv(image))


class Shifts(nn.Module):
    """The shift of S2-MLP alone, twice: the first quarter of twelve channels moves down two places."""

    def __init__(self) -> None:
        super().__init__()
        self.output = table_map()

    def forward(self, image):
        table = rearrange(image, "b c h w -> b h w c").repeat(1, 1, 1, 4)
        return self.output(spatial_shift(spatial_shift(table)))


class Apart(nn.Module):
    """A channel for every pixel of a 4 x 4 patch, each times its own number."""

    def __init__(self) -> None:
        super().__init__()
        self.factors = nn.Parameter(torch.arange(1.0, 17.0))
        self.output = table_map()

    def forward(self, image):
        patches = rearrange(image[:, :1], "b 1 (h ph) (w pw) -> b h w (ph pw)", ph=4, pw=4)
        return self.output(patches * self.factors)


@pytest.fixture
def toy_image():
    return torch.rand(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))


def test_the_energy_of_a_convolution_is_its_squared_kernel(toy_image):
    toy = Toy()
    kernel = toy.conv.weight.detach().double().numpy()
    one = effective_field(toy, toy_image, "output", (5, 7), channel=1).energy
    expected = np.zeros((SIDE, SIDE))
    expected[4:7, 6:9] = (kernel[1] ** 2).sum(axis=0)
    np.testing.assert_allclose(one, expected, rtol=1e-6)
    every = effective_field(toy, toy_image, "output", (5, 7)).energy
    expected[4:7, 6:9] = (kernel**2).sum(axis=(0, 1))
    np.testing.assert_allclose(every, expected, rtol=1e-6)


def test_a_network_that_only_shifts_is_moved_by_one_pixel(toy_image):
    for channel, (row, column) in {0: (3, 7), 3: (7, 7), 6: (5, 5), 9: (5, 9)}.items():
        expected = np.zeros((SIDE, SIDE))
        expected[row, column] = 1
        field = effective_field(Shifts(), toy_image, "output", (5, 7), channel)
        assert np.array_equal(field.energy, expected)
        can = theoretical_field(Shifts(), (SIDE, SIDE), "output", (5, 7), channel)
        assert np.array_equal(can.numpy(), expected > 0)


def test_channels_that_see_different_pixels_do_not_disturb_each_other(toy_image):
    """Mixtures of more than four channels are exact where no pixel moves two of them."""
    field = effective_field(Apart(), toy_image, "output", (1, 2))
    assert field.grid == (3, 3)
    expected = np.zeros((SIDE, SIDE))
    expected[4:8, 8:12] = np.arange(1.0, 17.0).reshape(4, 4) ** 2
    np.testing.assert_allclose(field.energy, expected, rtol=1e-6)


def test_the_energy_of_all_channels_is_the_sum_over_the_jacobian(model, image):
    """Taken exactly, channel by channel; and a few mixtures come as near as they say."""
    layer = list(probes(model, Kind.FEATURE_MAP))[2]
    probe = probes(model, Kind.FEATURE_MAP)[layer]

    def at_the_place(pixels):
        return up_to(lambda: model(pixels), probe, {})[0, 1, 1]

    exact = torch.autograd.functional.jacobian(at_the_place, image)[:, 0].double().square().sum(dim=(0, 1))
    found = effective_field(model, image, layer, (1, 1))
    assert (found.mixtures, found.errors, found.error) == (0, None, 0)
    np.testing.assert_allclose(found.energy, exact, rtol=1e-3, atol=1e-5 * float(exact.max()))
    mixed = effective_field(model, image, layer, (1, 1), most=4)
    assert mixed.mixtures == 4
    assert 0 < mixed.error < 1
    whole = float(mixed.energy.sum())
    assert abs(whole - float(exact.sum())) < 6 * mixed.error * whole


def test_the_standard_error_is_how_far_mixtures_are_from_the_sum():
    """At many places whose channels depend on each other; and it falls to nothing with the last mixture."""
    dice = np.random.default_rng(0)
    alike = dice.normal(size=(300, 24, 1, 1)) * dice.normal(size=(300, 1, 6, 5))
    jacobians = torch.from_numpy(alike + 0.5 * dice.normal(size=(300, 24, 6, 5)))
    for count in (8, 16, 32):
        signs, rows = mixtures(24, count)
        drawn = torch.einsum("nk,pkhw->pnhw", signs.double(), jacobians).square()
        found = [estimated(one, rows) for one in drawn]
        energies, errors = np.stack([one.energy for one in found]), np.stack([one.errors for one in found])
        missed = energies - jacobians.square().sum(dim=1).numpy()
        if count == rows:
            assert np.abs(missed).max() < 1e-4
            assert max(one.error for one in found) == 0
        else:
            assert np.sqrt((missed**2).mean() / (errors**2).mean()) == pytest.approx(1, abs=0.15)
            wholes, told = energies.sum(axis=(1, 2)), np.array([one.error for one in found])
            assert np.sqrt(
                (missed.sum(axis=(1, 2)) ** 2).mean() / ((told * wholes) ** 2).mean()
            ) == pytest.approx(1, abs=0.15)


def test_the_fewest_pixels_hold_a_share_of_the_energy():
    energy = np.array([[5.0, 3.0], [1.5, 0.5]])
    assert [int(held(energy, share).sum()) for share in (0.25, 0.5, 0.75, 0.8, 0.95, 1.0)] == [
        1,
        1,
        2,
        2,
        3,
        4,
    ]
    assert held(energy, 0.75).tolist() == [[True, True], [False, False]]
    assert held(np.zeros((2, 2)), 0.5).sum() == 0
    assert int(held(np.ones((10, 10)), 0.25).sum()) == 25
    field = EffectiveField("a", (0, 0), (1, 1), None, energy)
    assert field.pixels == (1, 1, 2, 3)
    assert field.levels.tolist() == [[4, 2], [1, 0]]
    assert len(SHARES) == 4


def diamond(reach: int, side: int, middle: int) -> int:
    """Places of a side x side grid within a walk of `reach` steps from the middle."""
    rows, columns = np.mgrid[:side, :side]
    return int((np.abs(rows - middle) + np.abs(columns - middle) <= reach).sum())


def places(name: str, layer: str, place: tuple[int, int], patch: int) -> np.ndarray:
    """The patches of the image a place can see, bool; a patch is seen whole or not at all."""
    found = card(name)
    mask = theoretical_field(create(name), found.preprocess.shape, layer, place).numpy()
    cells = rearrange(mask, "(h p) (w q) -> h w (p q)", p=patch, q=patch)
    assert np.array_equal(cells.all(axis=-1), cells.any(axis=-1))
    return cells.all(axis=-1)


def test_s2_mlp_sees_one_step_more_with_every_block():
    for block in range(6):
        seen = places("s2mlp_nano", f"blocks.{block}.output", (4, 4), patch=8)
        assert seen.sum() == diamond(block + 1, 8, 4)


def test_s2_mlp_v2_too():
    for block in range(2):
        seen = places("s2mlpv2_nano", f"stages.0.blocks.{block}.output", (8, 8), patch=4)
        assert seen.sum() == diamond(block + 1, 16, 8)


def test_as_mlp_sees_a_cross_and_crosses_around_it():
    cross = {(0, step) for step in range(-2, 3)} | {(step, 0) for step in range(-2, 3)}
    seen = places("as_mlp_nano", "stages.0.blocks.0.output", (8, 8), patch=4)
    assert set(zip(*np.nonzero(seen), strict=True)) == {(8 + down, 8 + right) for down, right in cross}
    twice = {(8 + a + c, 8 + b + d) for a, b in cross for c, d in cross}
    seen = places("as_mlp_nano", "stages.0.blocks.1.output", (8, 8), patch=4)
    assert set(zip(*np.nonzero(seen), strict=True)) == twice


def test_vision_permutator_sees_its_row_and_column_then_everything():
    seen = places("vip_nano", "stages.0.blocks.0.after_tokens", (3, 9), patch=4)
    expected = np.zeros((16, 16), bool)
    expected[3], expected[:, 9] = True, True
    assert np.array_equal(seen, expected)
    assert places("vip_nano", "stages.0.blocks.1.output", (3, 9), patch=4).all()


def test_mixer_sees_everything_at_once():
    assert places("mixer_nano", "stem.output", (2, 5), patch=8).sum() == 1
    assert places("mixer_nano", "blocks.0.after_tokens", (2, 5), patch=8).all()


def test_fasternet_grows_by_one_convolution_a_block():
    """The usual recurrence: n places are moved by n + 2 before a 3 x 3, and by 2 n or 4 n before merging."""
    model, shape = create("fasternet_nano@320"), (320, 320)
    depths = [sum(f"stages.{s}.blocks.{b}.output" in probes(model) for b in range(9)) for s in range(3)]
    for stage, depth in enumerate(depths):
        for block in range(depth):
            layer, side = f"stages.{stage}.blocks.{block}.output", 1
            for above in range(stage, -1, -1):
                side += 2 * (block + 1 if above == stage else depths[above])
                side *= 2 if above else 4
            middle = 320 // (4 * 2**stage) // 2
            mask = theoretical_field(model, shape, layer, (middle, middle)).numpy()
            assert mask.sum() == side**2, layer


def test_channels_fasternet_leaves_alone_see_their_own_patch():
    model = create("fasternet_nano")
    field = [
        int(theoretical_field(model, (64, 64), "stages.0.blocks.0.after_conv", (5, 5), c).sum())
        for c in (0, 31)
    ]
    assert field == [12 * 12, 4 * 4]


def test_mobilevit_attends_to_every_second_place():
    """Before the transformer a place sees its surroundings; behind it, those of every second place."""
    model, shape = create("mobilevit_nano@256"), (256, 256)
    ours, step = 8, 8  # a place of the 32 x 32 map, and pixels from one place to the next
    local = theoretical_field(model, shape, "stages.2.1.local", (ours, ours)).numpy()
    mixed = theoretical_field(model, shape, "stages.2.1.mixed", (ours, ours)).numpy()
    assert local.sum() < mixed.sum()
    feeling = reachable_places(model, one_pixel(shape, ours * step, ours * step), "stages.2.1.local").numpy()
    classes = {(row % 2, column % 2) for row, column in zip(*np.nonzero(feeling), strict=True)}
    behind = reachable_places(model, one_pixel(shape, ours * step, ours * step), "stages.2.1.mixed").numpy()
    rows, columns = np.mgrid[:32, :32]
    expected = [
        (row, column) in classes for row, column in zip((rows % 2).flat, (columns % 2).flat, strict=True)
    ]
    assert np.array_equal(behind, np.reshape(expected, (32, 32)))


def test_the_circulating_mobilevit_block_attends_with_a_stride():
    """Without a stem: a place is moved by what a 3 x 3 sees of every seventh place."""
    name = "MobileViTAttention(dim=3, transformer_dim=16, patch=7, kernel=3, depth=1)"
    mask = theoretical_field(create(name), (49, 49), "block.mixed", (10, 18)).numpy()
    rows, columns = np.mgrid[:49, :49]
    near = [abs(axis % 7 - place % 7) <= 1 for axis, place in ((rows, 10), (columns, 18))]
    assert np.array_equal(mask, near[0] & near[1])


def one_pixel(shape, row, column) -> torch.Tensor:
    mask = torch.zeros(shape, dtype=torch.bool)
    mask[row, column] = True
    return mask


def test_seeing_and_being_felt_are_the_same_relation(model):
    """A pixel is in the field of a place just where the place can feel the pixel."""
    shape, pixel = (IMAGE_SIDE, IMAGE_SIDE), (9, 20)
    for layer in list(probes(model, Kind.FEATURE_MAP))[::4]:
        places = reachable_places(model, one_pixel(shape, *pixel), layer)
        seen = [
            [
                bool(theoretical_field(model, shape, layer, (row, column))[pixel])
                for column in range(len(line))
            ]
            for row, line in enumerate(places)
        ]
        assert seen == places.tolist(), layer


@pytest.mark.parametrize("family", LOCAL)
def test_nothing_moves_a_place_from_outside_its_theoretical_field(family, image):
    """Exactly nothing, where no norm and no share looks at the whole map."""
    model = TINY[family]().eval()
    for found in run(model, image).of(Kind.FEATURE_MAP):
        layer, place = found.name, (min(1, found.value.shape[1] - 1), 0)
        can = theoretical_field(model, (IMAGE_SIDE, IMAGE_SIDE), layer, place).numpy()
        assert effective_field(model, image, layer, place).energy[~can].sum() == 0, layer


def test_asking_leaves_the_model_as_it_was(model, image):
    with torch.no_grad():
        before = model(image)
    layer = list(probes(model, Kind.FEATURE_MAP))[-1]
    weights = [parameter.clone() for parameter in model.parameters()]
    effective_field(model, image, layer, (0, 0))
    theoretical_field(model, (IMAGE_SIDE, IMAGE_SIDE), layer, (0, 0))
    with torch.no_grad():
        assert torch.equal(model(image), before)
    assert all(torch.equal(a, b) for a, b in zip(weights, model.parameters(), strict=True))
    assert not any(module._forward_hooks for module in model.modules())


def test_what_is_felt_is_the_difference_of_two_passes(toy_image):
    toy, preprocess = Toy(), Preprocess(size=SIDE, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
    square = (5, 7, 6, 8)
    found = sensitivity_map(toy, toy_image, preprocess, "output", square)
    other = toy_image.clone()
    other[0, :, 5, 7] = (toy_image[0, :, 5, 7] < 0.5).float()
    with torch.no_grad():
        expected = torch.linalg.vector_norm(toy(other) - toy(toy_image), dim=1)[0]
    np.testing.assert_allclose(found.change, expected.numpy(), atol=1e-6)
    assert set(zip(*np.nonzero(found.can), strict=True)) == {(r, c) for r in (4, 5, 6) for c in (6, 7, 8)}
    assert found.inside == pytest.approx(1)


def test_a_changed_square_has_moved_by_half_the_range_and_nothing_else_has():
    preprocess = Preprocess(size=SIDE, channels="bgr")
    image = torch.randn(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(3)) * 0.1
    other = changed(image, preprocess, (2, 3, 4, 6))
    moved = (other - image)[0].abs() * torch.tensor(preprocess.std)[[2, 1, 0], None, None]
    assert (moved[:, 2:4, 3:6] >= 0.5 - 1e-6).all()
    moved[:, 2:4, 3:6] = 0
    assert (moved == 0).all()


def test_squares_cover_an_image_of_any_shape():
    for shape in ((64, 64), (224, 224), (96, 64), (49, 49), (70, 131)):
        rows, columns, _ = squares(shape)
        covered = np.zeros(shape, int)
        for row in range(rows):
            for column in range(columns):
                top, left, bottom, right = square_at(shape, row, column)
                covered[top:bottom, left:right] += 1
        assert (covered == 1).all()


def test_an_average_is_the_mean_so_far():
    fields = [EffectiveField("a", (0, 0), (1, 1), None, np.full((2, 2), float(k))) for k in (1, 3, 8)]
    found = list(averaged(fields))
    assert [field.pictures for field in found] == [1, 2, 3]
    assert [float(field.energy[0, 0]) for field in found] == [1, 2, 4]


def test_what_is_not_there_is_refused_with_the_numbers(explorer, star):
    asked = {"model": "vip_nano", "picture": star}
    with pytest.raises(ChoiceError, match="no feature map 'nowhere'"):
        explorer.effective_field(**asked, layer="nowhere", place=(0, 0))
    with pytest.raises(ChoiceError, match="16 × 16 places; there is no place 16, 0"):
        explorer.effective_field(**asked, layer="stem.output", place=(16, 0))
    with pytest.raises(ChoiceError, match="channels 0 to 63; there is no channel 64"):
        explorer.theoretical_field("vip_nano", layer="stem.output", place=(0, 0), channel=64)
    with pytest.raises(ChoiceError, match="32 × 32 squares; there is no square 0, 32"):
        explorer.sensitivity_map(**asked, layer="stem.output", square=(0, 32))


def test_the_explorer_remembers_fields(explorer, star):
    asked = {"layer": "stages.1.output", "place": (2, 3)}
    first = explorer.effective_field("vip_nano", star, **asked)
    assert explorer.effective_field("vip_nano", star, **asked) is first
    can = explorer.theoretical_field("vip_nano", **asked)
    assert explorer.theoretical_field("vip_nano", "random", **asked) is can
    *_, mean = explorer.average_field("vip_nano", [star, star], **asked)
    np.testing.assert_allclose(mean.energy, first.energy, rtol=1e-6)
    one = explorer.sensitivity_map("vip_nano", star, layer="stages.1.output", square=(3, 4))
    assert explorer.sensitivity_map("vip_nano", star, layer="stages.1.output", square=(3, 4)) is one


def test_the_way_through_a_network_names_each_map_once():
    maps = probes(create("vip_nano"), Kind.FEATURE_MAP)
    way = spread(maps, 8)
    assert way[0] == "stem.output"
    assert way[-1] == "stages.1.blocks.3.output"
    assert "stages.0.output" not in way
    assert spread(maps, 3) == (way[0], "stages.1.blocks.0.output", way[-1])
    few = dict(list(maps.items())[:5])
    assert spread(few, 8) == tuple(few), "where there are few maps, all of them"
