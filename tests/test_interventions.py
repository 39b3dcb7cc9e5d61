"""Interventions: the logit's true change is what a map is held against, and a map that knows it is whole."""

import numpy as np
import pytest
import torch

from explorer.attribution.benchmark import interventions as changes
from explorer.attribution.benchmark.by_hand import BY_HAND, SEEN, true_map
from explorer.attribution.benchmark.pictures import of_scenes, seen
from explorer.attribution.benchmark.staged import without_bar, without_object
from explorer.attribution.benchmark.without_cause import FEWEST_CELLS, gained, order_lost, randomised
from explorer.attribution.faithfulness import LEVELS
from models import card, create

PREPROCESS = card("vip_nano").weights["scenes"].preprocess
EVEN = np.ones((8, 8))


@pytest.fixture(scope="module")
def model():
    return create("vip_nano", "scenes").requires_grad_(False)


@pytest.fixture(scope="module")
def sceneries(model):
    return list(changes.sceneries(model, PREPROCESS, 2))


def painted(scenery, values) -> np.ndarray:
    """A map that says a value of each part."""
    return sum(value * part for value, part in zip(values, scenery.parts, strict=True))


def test_a_part_matters_as_much_as_the_logit_falls_without_it(model, sceneries):
    one = sceneries[0]
    for part, fewer in ((0, without_object(one.stage)), (2, without_bar(one.stage, 1))):
        images = torch.cat([one.known.image, seen(fewer, PREPROCESS).image])
        with torch.no_grad():
            whole, without = model(images)[:, one.known.target]
        assert one.falls[part] == pytest.approx(float(whole - without), abs=1e-4)
    assert one.falls[0] == one.falls.max()


def test_single_deletion_is_the_order_of_the_true_falls(model, sceneries):
    for one, trial in zip(sceneries, changes.deletion(model, PREPROCESS, 2), strict=True):
        falls = one.falls - one.falls.min() + 1
        assert trial.scored([painted(one, falls)]) == pytest.approx(1)
        assert trial.scored([painted(one, falls.max() + 1 - falls)]) == pytest.approx(-1)
        assert trial.scored([0 * EVEN]) == 0


def test_preservation_is_what_the_part_named_first_is_worth_alone(model, sceneries):
    for one, trial in zip(sceneries, changes.preservation(model, PREPROCESS, 2), strict=True):
        by_object, by_bar = (trial.scored([one.parts[part].astype(float)]) for part in (0, 1))
        assert by_object > 0.9
        assert by_bar < 0.5


def test_a_map_of_bars_that_do_not_matter_is_distracted(model, sceneries):
    for one, trial in zip(sceneries, changes.distractibility(model, PREPROCESS, 2), strict=True):
        assert trial.scored([one.parts[0].astype(float)]) == 1
        assert trial.scored([1 - one.parts[0].astype(float)]) == 0
        assert trial.scored([EVEN]) == 0.5


def test_the_background_is_due_its_true_share(model, sceneries):
    for one, trial in zip(sceneries, changes.background(model, PREPROCESS, 2), strict=True):
        true = trial.score.keywords["true"]
        behind = ~np.any(one.parts, axis=0)
        assert 0 < true < 0.5
        assert trial.scored([one.parts[0] * (1 - true) + behind * true]) == pytest.approx(1)
        assert trial.scored([behind.astype(float)]) == pytest.approx(true)


def test_of_two_objects_each_class_has_its_own(model):
    (trial,) = changes.target_sensitivity(model, PREPROCESS, 1)
    first, second = (part.astype(float) for part in trial.score.keywords["parts"])
    assert trial.questions[0].target != trial.questions[1].target
    assert torch.equal(trial.questions[0].image, trial.questions[1].image)
    assert trial.scored([first, second]) == 1
    assert trial.scored([second, first]) == 0
    assert trial.scored([first, first]) == 0.5
    assert trial.scored([EVEN, EVEN]) == 0.5


def test_only_maps_of_enough_cells_are_correlated_as_weights_are_lost(model):
    dice = np.random.default_rng(0)
    one, other = dice.random((2, 32, 32))
    assert order_lost([one, one, one]) == pytest.approx(0)
    assert order_lost([one, -one]) == pytest.approx(0)
    assert order_lost([one, other]) > 0.9
    assert order_lost([one[:7, :9]] * 2) is None
    assert FEWEST_CELLS == 64
    (trial,) = randomised(model, of_scenes(PREPROCESS), 1)
    networks = [asked.model for asked in trial.questions]
    assert len(networks) == 1 + LEVELS
    assert networks[0] is model


def test_relevance_gain_is_positive_for_the_truth_and_turns_with_the_map():
    one = BY_HAND["FasterNet"]
    network, known = one.network(), next(of_scenes(SEEN))
    truth = true_map(one, known.image) + 1e-6 * np.random.default_rng(0).random((32, 32))
    asked = {"model": network, "image": known.image, "target": 1, "preprocess": SEEN}
    gain = gained([truth], **asked)
    assert abs(gain) > 0.005
    assert gained([-truth], **asked) == pytest.approx(-gain, abs=1e-6)
    assert gained([EVEN], **asked) == 0
