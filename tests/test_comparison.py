"""Comparing backbones: CKA is what its definition says, and costs add up to those of the whole model."""

import itertools

import numpy as np
import pytest
import torch
from einops import rearrange
from PIL import Image

from explorer.capture import run
from explorer.errors import ChoiceError
from explorer.features.comparison import (
    FINEST,
    at_depth,
    cell_at,
    chosen,
    cka,
    cka_by_chance,
    grid_of,
    levels,
    likeness,
    pooled,
    similar_to,
    unit_gram,
)
from explorer.features.feature_maps import FeatureMap
from explorer.figures.comparison import cost_bars, likeness_map, side_by_side
from models import card, list_models
from models.costs import Counter, block_costs, blocks, follow, multiply_adds
from models.counted import counted
from tests.tiny import TINY

NANOS = [name for name in list_models() if name.endswith("_nano")]


def features(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_features_are_like_themselves():
    assert cka(features(30, 8), features(30, 8)) == pytest.approx(1, abs=1e-12)


def test_turning_and_scaling_the_channels_changes_nothing():
    one, other = features(30, 8), features(30, 5, seed=1)
    rotation, _ = torch.linalg.qr(features(8, 8, seed=2))
    assert cka(one @ rotation, other) == pytest.approx(cka(one, other), abs=1e-12)
    assert cka(7 * one, other / 3) == pytest.approx(cka(one, other), abs=1e-12)
    assert cka(one + features(1, 8, seed=3), other) == pytest.approx(cka(one, other), abs=1e-12)


def test_another_linear_map_does_change_something():
    one = features(30, 8)
    stretched = one @ torch.diag(torch.linspace(0.1, 5, 8, dtype=torch.float64))
    assert cka(one, stretched) < 0.95


def test_it_is_the_formula_of_the_paper():
    x, y = (one - one.mean(dim=0) for one in (features(30, 8), features(30, 5, seed=1)))
    expected = (y.T @ x).norm() ** 2 / ((x.T @ x).norm() * (y.T @ y).norm())
    assert cka(x, y) == pytest.approx(float(expected), abs=1e-12)


def test_a_case_solved_by_hand():
    one, other = torch.tensor([[1.0], [-1.0], [0.0]]), torch.tensor([[1.0], [0.0], [-1.0]])
    assert cka(one, other) == pytest.approx(0.25)  # (x.y)^2 / (|x|^2 |y|^2) = 1 / 4
    assert cka(one, torch.tensor([[1.0], [1.0], [-2.0]])) == pytest.approx(0, abs=1e-12)


def test_what_is_the_same_everywhere_is_like_nothing():
    assert np.isnan(cka(0.1 * torch.ones(30, 8), features(30, 8)))


@pytest.fixture
def seen(model, image):
    return run(model, image)


def test_every_layer_is_like_itself_and_likeness_goes_both_ways(seen):
    found = likeness(seen, seen, ("one", "one"))
    assert len(found.rows) == len(levels(seen))
    of_one_place = np.diag(found.places) == 1  # where nothing can be near or far
    assert np.diag(found.values)[~of_one_place] == pytest.approx(1)
    assert np.isnan(np.diag(found.values)[of_one_place]).all()
    assert found.values == pytest.approx(found.values.T, nan_ok=True)
    assert found.best == pytest.approx(1)


def test_layers_of_two_families_are_compared(image):
    first, second = (run(TINY[name]().eval(), image) for name in ("Vision Permutator", "FasterNet"))
    found = likeness(first, second, ("a", "b"))
    assert found.values.shape == (len(found.rows), len(found.columns)) == found.places.shape
    row, column = levels(first)[-1].value[0], levels(second)[0].value[0]
    grid = min(row.shape[0], column.shape[0]), min(row.shape[1], column.shape[1])
    assert found.places[-1, 0] == grid[0] * grid[1]
    assert found.values[-1, 0] == pytest.approx(cka(pooled(row, grid), pooled(column, grid)))


def test_a_coarser_place_is_the_mean_of_what_falls_into_it():
    values = features(4, 4, 3).float()
    means = rearrange(values, "(h a) (w b) c -> (h w) (a b) c", a=2, b=2).mean(dim=1)
    assert torch.allclose(pooled(values, (2, 2)), means, atol=1e-6)


def test_large_maps_are_compared_on_a_smaller_grid(seen):
    assert all(max(grid_of(layer)) <= FINEST for layer in levels(seen))


def test_the_depth_goes_from_the_first_block_output_to_the_last(seen):
    names = [layer.name for layer in levels(seen)]
    assert at_depth(seen, 0.0).layer == names[0]
    assert at_depth(seen, 1.0).layer == names[-1]
    reached = [at_depth(seen, share).layer for share in np.linspace(0, 1, 200).tolist()]
    assert list(dict.fromkeys(reached)) == names
    with pytest.raises(ChoiceError, match="from 0 to 1"):
        at_depth(seen, 1.2)


def test_no_tensor_is_compared_twice(seen):
    kept = [layer.value for layer in levels(seen)]
    assert not any(
        one is not other and one.data_ptr() == other.data_ptr() and one.shape == other.shape
        for one in kept
        for other in kept
    )


def test_a_place_is_like_itself_and_length_does_not_count():
    values = np.array([[[1.0, 0.0], [3.0, 0.0]], [[0.0, 2.0], [-1.0, 0.0]]])
    assert similar_to(FeatureMap("x", values), (0.1, 0.1)) == pytest.approx(np.array([[1, 1], [0, -1]]))
    assert cell_at((1.0, 0.0), 4, 4) == (3, 0)


@pytest.mark.parametrize("count", [0, 1, 8])
def test_too_few_or_too_many_backbones_are_refused_with_the_numbers(count):
    with pytest.raises(ChoiceError, match=f"2 to 7 backbones to compare; {count} are chosen"):
        chosen(["vip_nano"] * count)


@pytest.mark.parametrize("name", NANOS)
def test_the_blocks_cost_together_what_the_model_costs(name):
    found = block_costs(name)
    assert sum(block.parameters for block in found) == counted(name)[0]
    with torch.device("meta"), torch.no_grad(), Counter() as counter:
        model = card(name).build().eval()
        model(torch.empty(1, 3, *card(name).preprocess.shape))
    assert sum(block.multiply_adds for block in found) == multiply_adds(name) == counter.flops // 2
    assert all(block.bytes > 0 for block in found)


def test_blocks_are_passed_in_their_order(model, image):
    passed = []
    follow(model, image, passed.append)
    assert list(dict.fromkeys(passed)) == list(blocks(model))
    assert passed[-1] == "head"
    assert not any(module._forward_pre_hooks for module in model.modules())


def test_new_tensors_take_memory_and_views_take_none():
    image = torch.zeros(1, 3, 4, 4)
    layer = torch.nn.Conv2d(3, 2, 1)
    with torch.no_grad(), Counter() as counter:
        rearrange(layer(image), "b c h w -> b (h w) c")
    assert counter.bytes == 2 * 4 * 4 * 4  # channels, height, width, bytes of a float
    assert counter.flops == 2 * (4 * 4 * 2 * 3)


def test_time_is_measured_for_every_block_and_remembered(explorer):
    *_, found = explorer.costs("vip_nano", "scenes")
    assert found.blocks[0] == "stem"
    assert found.blocks[-1] == "head"
    assert (found.seconds > 0).all()
    assert list(explorer.costs("vip_nano", "scenes")) == [found]
    *_, anew = explorer.costs("vip_nano", "scenes", anew=True)
    assert anew is not found
    assert (anew.multiply_adds == found.multiply_adds).all()


def test_likeness_is_remembered_for_a_picture(explorer, star):
    pair = ("vip_nano", "scenes"), ("mixer_nano", None)
    first = explorer.likeness(star, *pair)
    assert explorer.likeness(star, *pair) is first
    turned = explorer.likeness(star.transpose(Image.Transpose.ROTATE_90), *pair)
    assert turned is not first
    back = explorer.likeness(star, *pair[::-1])
    assert np.allclose(back.values.T, first.values)


def test_the_explorer_knows_which_passes_are_remembered(explorer, star):
    turned = star.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    assert not explorer.remembered.run("mixer_nano", turned, "scenes")
    explorer.inspect("mixer_nano", turned, "scenes")
    assert explorer.remembered.run("mixer_nano", turned, "scenes")


def test_a_saved_bar_is_as_long_as_its_blocks_together():
    figure = cost_bars({"Time ms": {"a": np.array([1.0, 2.0, 3.0]), "b": np.array([4.0])}})
    (axes,) = figure.axes
    ends = [patch.get_x() + patch.get_width() for patch in axes.patches]
    assert ends == [1, 3, 6, 4]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "b"]


def test_saved_likeness_goes_from_zero_to_one():
    figure = likeness_map(np.array([[0.2, 0.4]]), ["x"], ["y", "z"], models=("a", "b"), unit="linear CKA")
    drawn = figure.axes[0].images[0]
    assert drawn.get_clim() == (0, 1)
    assert drawn.get_array().tolist() == [[0.2, 0.4]]
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == ["y", "z"]


def test_saved_maps_keep_their_own_resolution():
    pixels = [np.zeros((4, 4, 3), np.uint8), np.zeros((8, 8, 3), np.uint8)]
    figure = side_by_side(pixels, ["a", "b"])
    assert [axes.images[0].get_array().shape[:2] for axes in figure.axes] == [(4, 4), (8, 8)]
    assert [axes.get_title() for axes in figure.axes] == ["a", "b"]


def test_what_shuffled_places_give_is_the_mean_over_all_ways_to_shuffle_them():
    torch.manual_seed(0)
    one, other = torch.randn(5, 7), torch.randn(5, 3)
    every = [cka(one, other[list(order)]) for order in itertools.permutations(range(5))]
    assert cka_by_chance(unit_gram(one), unit_gram(other)) == pytest.approx(np.mean(every), rel=1e-6)


def test_over_few_places_shuffled_ones_are_nearly_as_alike(explorer):
    found = explorer.likeness(
        "assets/examples/2-star.png", ("fasternet_nano", "scenes"), ("vip_nano", "scenes")
    )
    coarse, fine = found.places == found.places.min(), found.places == found.places.max()
    assert np.nanmean(found.chance[coarse]) > np.nanmean(found.chance[fine])
    assert ((found.chance >= 0) & (found.chance <= 1) | np.isnan(found.values)).all()
