"""Causes that are known: staged scenes give nothing away, and weights written by hand decide as they say."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from einops import reduce

from explorer.attribution.baselines import baseline_of
from explorer.attribution.benchmark.by_hand import (
    BY_HAND,
    PATCH,
    PLACES,
    SEEN,
    by_hand,
    on_what_decides,
    true_map,
)
from explorer.attribution.benchmark.pictures import of_scenes
from explorer.attribution.benchmark.staged import (
    bar_masks,
    before,
    render,
    stage,
    without_bar,
    without_object,
)
from explorer.attribution.benchmark.trials import explaining
from explorer.attribution.options import Options
from explorer.capture import run
from models.probe import Kind

EXACT = Options(steps=4, cells=PLACES, segments=PLACES**2, orders=1)
MIDDLE = slice(7, 9)


@pytest.fixture(scope="module")
def staged():
    return [stage(seed) for seed in range(200)]


def test_the_middle_is_covered_no_more_often_than_an_average_place(staged):
    covered = np.mean([render(one, 16).mask for one in staged], axis=0)
    assert covered[MIDDLE, MIDDLE].mean() < covered.mean()
    assert covered.mean() > 0.1


def test_bars_have_the_colours_of_the_object_and_do_not_touch_it(staged):
    for one in staged[:8]:
        scene, masks = render(replace(one, noise=0)), bar_masks(one)
        assert len(masks) >= 4
        assert not (np.any(masks, axis=0) & scene.mask).any()
        for mask, (*_, number) in zip(masks, one.bars, strict=True):
            expected = one.second if number % 2 else one.first
            inside = scene.picture[mask].mean(axis=0) / 255
            assert np.abs(inside - np.clip(expected, 0, 1)).max() < 0.15  # its border is blended


def test_a_part_is_changed_alone(staged):
    one = staged[0]
    whole, bars = render(one), bar_masks(one)
    without = np.abs(render(without_object(one)).picture.astype(int) - whole.picture).max(axis=2)
    assert (without > 0)[whole.mask].mean() > 0.9
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(whole.mask, 1), (3, 3))
    near = windows.any(axis=(2, 3))  # the border is blended
    assert (without[~near] == 0).all()
    fewer = np.abs(render(without_bar(one, 1)).picture.astype(int) - whole.picture).max(axis=2) > 0
    assert fewer[bars[1]].mean() > 0.9
    assert not fewer[bars[0] | bars[2] | whole.mask].any()
    ground = render(before(one, staged[1])).picture
    assert (np.abs(ground.astype(int) - whole.picture)[whole.mask] == 0).mean() > 0.8


@pytest.fixture(scope="module")
def scene():
    return next(of_scenes(SEEN))


@pytest.fixture(params=BY_HAND)
def written(request):
    """A network written by hand, what decides in it, and its family."""
    one = BY_HAND[request.param]
    return one.network(), one, request.param


def test_the_logit_is_the_sum_of_the_true_map(written, scene):
    network, one, _ = written
    with torch.no_grad():
        change = network(scene.image) - network(baseline_of(scene.image, SEEN, "black"))
    truth = true_map(one, scene.image)
    assert float(change[0, 1]) == pytest.approx(truth.sum(), rel=1e-3)
    assert float(change[0, 0]) == 0
    by_place = reduce(np.abs(truth), "(h ph) (w pw) -> h w", "sum", ph=PATCH, pw=PATCH)
    assert ((by_place > 0) == one.decides).all()


@pytest.mark.parametrize("method", ["integrated_gradients", "deep_lift"])
def test_methods_whose_answer_is_determined_give_the_true_map(written, scene, method):
    network, one, _ = written
    truth = true_map(one, scene.image)
    values = explaining(method, SEEN, EXACT)(network, scene.image, 1)
    assert np.abs(values - truth).max() < 1e-3 * np.abs(truth).max()


@pytest.mark.parametrize("method", ["occlusion", "feature_ablation", "shapley_sampling"])
def test_taking_places_away_gives_the_sums_of_the_true_map(written, scene, method):
    """Nothing interacts with anything in these networks, so every order of taking away gives the same."""
    network, one, _ = written
    cut = "(h ph) (w pw) -> h w"
    truth = reduce(true_map(one, scene.image), cut, "sum", ph=PATCH, pw=PATCH)
    values = explaining(method, SEEN, EXACT)(network, scene.image, 1)
    if method != "occlusion":
        values = reduce(values, cut, "sum", ph=PATCH, pw=PATCH)
    assert np.abs(values - truth).max() < 2e-3 * np.abs(truth).max()


def test_gradients_lie_on_what_decides_and_class_activation_maps_where_it_was_taken_to(scene):
    """The Permutator copies one row to all rows before its last map is made."""
    network, one = BY_HAND["Vision Permutator"].network(), BY_HAND["Vision Permutator"]
    on = {
        method: on_what_decides([explaining(method, SEEN, EXACT)(network, scene.image, 1)], one.decides)
        for method in ("saliency", "input_x_gradient", "grad_cam", "layer_cam")
    }
    assert on["saliency"] == pytest.approx(1, abs=1e-3)
    assert on["input_x_gradient"] == pytest.approx(1, abs=1e-3)
    assert on["grad_cam"] == pytest.approx(1 / PLACES, abs=0.01)
    assert on["layer_cam"] == pytest.approx(1 / PLACES, abs=0.01)


def test_the_height_branch_alone_has_a_share(scene):
    network = BY_HAND["Vision Permutator"].network()
    (shares,) = run(network, scene.image).of(Kind.BRANCH_WEIGHTS)
    assert shares.value[0, 0].min() == 1
    assert shares.value[0, 1:].max() < 1e-30


def test_the_trials_are_of_that_network(scene):
    trials = list(by_hand("FasterNet", 2))
    assert len(trials) == 2
    decides = BY_HAND["FasterNet"].decides
    assert trials[0].scored([decides.astype(float)]) == 1
    assert trials[0].scored([np.ones((8, 8))]) == pytest.approx(1 / PLACES**2)
