"""What stands beside a map tells the truth: curves, controls, randomisation, and known causes."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from explorer.attribution.baselines import baseline_of
from explorer.attribution.benchmark.truth_lab import Score, nanos, row, scored, scores, shipped
from explorer.attribution.faithfulness import (
    LEVELS,
    PERTURBED,
    STEPS,
    Curves,
    Subject,
    control_map,
    correlation,
    curves,
    losing,
    sensitive,
    squares,
    unfaithful,
)
from explorer.attribution.ground_truth import cause_of, known
from explorer.attribution.localization import Cause, localised
from explorer.attribution.options import Options
from explorer.attribution.registry import METHODS
from explorer.attribution.score_card import RANDOM_MAPS, ScoreCard, score_card
from explorer.errors import ChoiceError
from models import card, create
from models.registry import ASSETS, Preprocess

PREPROCESS = Preprocess(size=32, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))


class Corner(nn.Module):
    """Looks at the upper left quarter alone: class 1 grows with its brightness."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))

    def reset_parameters(self) -> None:
        nn.init.constant_(self.weight, -1.0)

    def forward(self, image):
        bright = image[:, :, :16, :16].mean(dim=(1, 2, 3)) * 8 * self.weight
        return torch.stack([-bright, bright], dim=1)


@pytest.fixture
def subject():
    image = torch.full((1, 3, 32, 32), -1.0)
    image[:, :, :16, :16] = 1.0
    return Subject(Corner(), image, PREPROCESS, "integrated_gradients", 1, Options())


def done(work):
    """What a work comes to."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value


def quarter(value: float = 1.0, elsewhere: float = 0.0) -> np.ndarray:
    values = np.full((32, 32), elsewhere, np.float32)
    values[:16, :16] = value
    return values


def test_curves_are_the_probabilities_as_places_go_and_come(subject):
    found = done(curves(subject, quarter()))
    assert found.deletion.shape == found.insertion.shape == (STEPS + 1,)
    nothing = baseline_of(subject.image, PREPROCESS, "mean")
    with torch.no_grad():
        whole, without = (subject.model(one).softmax(1)[0, 1].item() for one in (subject.image, nothing))
    assert found.deletion[0] == pytest.approx(whole)
    assert found.deletion[STEPS // 4 :] == pytest.approx(
        without
    )  # the quarter is gone: nothing changes any more
    assert found.insertion[STEPS // 4 :] == pytest.approx(whole)
    assert found.areas[0] == pytest.approx(np.trapezoid(found.deletion, dx=1 / STEPS))


def test_a_map_of_the_cause_beats_its_opposite(subject):
    assert done(curves(subject, quarter())).score > done(curves(subject, -quarter())).score + 0.2


def test_infidelity_is_nothing_for_the_truth_and_one_for_nothing(subject):
    """The logit is the mean over the quarter times a factor, so an even map of it foretells every change."""
    rng = np.random.default_rng(0)
    assert done(unfaithful(subject, quarter(5.0))) == pytest.approx(0, abs=1e-4)
    for same in (0.0, 0.3, -2.0):
        constant = np.full((32, 32), same, np.float32)
        assert done(unfaithful(subject, constant)) == pytest.approx(1, abs=1e-4)
    assert done(unfaithful(subject, -quarter(5.0))) == pytest.approx(1, abs=1e-4)
    assert done(unfaithful(subject, rng.random((32, 32)).astype(np.float32))) > 0.5


def test_infidelity_is_its_definition(subject):
    """Beside a fit of the drops to the area, and to the map and the area, by numpy's least squares."""
    values = np.random.default_rng(1).random((32, 32)).astype(np.float32) + quarter()
    covered = squares(10 * PERTURBED, 32, 32)
    nothing = baseline_of(subject.image, PREPROCESS, "mean")
    with torch.no_grad():
        drops = (
            subject.model(subject.image)[0, 1]
            - subject.model(torch.where(covered, nothing, subject.image))[:, 1]
        )
    drops, masks = drops.double().numpy(), covered[:, 0].double().numpy()
    areas, foretold = masks.sum((1, 2)), (masks * values).sum((1, 2))
    by_area = np.linalg.lstsq(areas[:, None], drops, rcond=None)[1][0]
    by_both = np.linalg.lstsq(np.stack([areas, foretold], 1), drops, rcond=None)[1][0]
    assert done(unfaithful(subject, values)) == pytest.approx(by_both / by_area, rel=1e-4)


def test_a_map_that_is_the_same_everywhere_is_not_scored(subject):
    class Nothing(Corner):
        def forward(self, image):
            return super().forward(0 * image)

    model = Nothing()
    (card,) = [
        one
        for one in score_card(Subject(model, subject.image, PREPROCESS, "saliency", 1, Options()))
        if one.done == one.total
    ]
    assert card.constant
    assert card.line == "The map is the same everywhere: there is nothing to score."
    assert card.curves == {}


def test_controls_have_the_resolution_of_the_map(subject):
    for name in ("random", "edges"):
        assert done(control_map(subject, name, (2, 3))).shape == (2, 3)
    whole = done(control_map(subject, "edges", (32, 32)))
    assert done(control_map(subject, "edges", (2, 2)))[0, 1] == pytest.approx(whole[:16, 16:].mean())
    first = done(control_map(subject, "random", (4, 4)))
    other = replace(subject, image=subject.image + 0.01)
    assert not np.array_equal(first, done(control_map(other, "random", (4, 4))))
    assert np.array_equal(first, done(control_map(subject, "random", (4, 4))))


def test_the_card_says_when_the_emptied_picture_is_of_the_class_itself(subject):
    """Mean grey is 0 here, so of the class "dark" an emptied bright corner has more than before."""
    *_, dark = score_card(replace(subject, target=0))
    assert dark.probability[1] > dark.probability[0]
    assert ("the emptied picture has" in dark.line) == (dark.probability[1] > 0.5)
    *_, bright = score_card(subject)
    assert "emptied" not in bright.line


def test_sensitivity_is_the_largest_relative_change(subject):
    """The gradient of a linear model is the same everywhere; noise maps do not look at the picture."""
    linear = Subject(subject.model, subject.image, PREPROCESS, "saliency", 1, Options())
    assert done(sensitive(linear)) == pytest.approx(0, abs=1e-6)
    edges = Subject(subject.model, subject.image, PREPROCESS, "edges", 1, Options())
    assert 0 < done(sensitive(edges)) < 1


def test_randomisation_changes_the_map_of_what_was_learned_only():
    model = create("fasternet_nano", "scenes")
    before = [value.clone() for value in model.state_dict().values()]
    changed = []
    for lost in list(losing(model)):  # all at once: each is a network of its own
        pairs = zip(lost.state_dict().values(), before, strict=True)
        changed.append(sum(not torch.equal(value, was) for value, was in pairs))
    assert changed == sorted(changed)
    assert len(changed) == LEVELS
    assert changed[0] < changed[-1]
    image = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    preprocess = card("fasternet_nano").preprocess
    for method in ("saliency", "edges"):
        *_, found = score_card(Subject(model, image, preprocess, method, 0, Options()))
        if method == "edges":
            assert found.randomised == pytest.approx((1.0,) * LEVELS)
        else:
            assert abs(found.randomised[-1]) < 0.5
    for value, was in zip(model.state_dict().values(), before, strict=True):
        assert torch.equal(value, was), "the model itself must not be randomised"


def test_correlation_of_a_constant_map_or_of_few_values_says_nothing():
    assert correlation(np.ones((4, 4)), np.arange(16.0).reshape(4, 4)) is None
    assert correlation(np.arange(4.0), np.arange(4.0)) is None
    assert correlation(np.arange(16.0), np.arange(16.0) ** 3) == pytest.approx(1)


def test_localisation_is_its_definition():
    cause = np.zeros((8, 8), bool)
    cause[2:4, 2:4] = True
    values = np.zeros((8, 8), np.float32)
    values[2, 2], values[3, 3], values[7, 7], values[0, 0] = 4, 2, 3, -9
    found = localised(values, cause)
    assert found.pointing == 1
    assert found.mass == pytest.approx(6 / 9)
    assert found.rank_accuracy == pytest.approx((2 + 2 / 60) / 4)  # the fourth is one of sixty zeros
    assert localised(cause.astype(np.float32), cause).rank_accuracy == 1


@pytest.mark.parametrize("side", [1, 2, 4])
def test_of_equal_places_none_is_preferred(side):
    """A coarse map points at its largest cell: what counts is how much of that cell is the cause."""
    cause = np.zeros((8, 8), bool)
    cause[5:7, 5:8] = True
    values = np.zeros((side, side), np.float32)
    values[-1, -1] = 1
    found = localised(values, cause)
    cell = cause[8 - 8 // side :, 8 - 8 // side :]
    assert found.pointing == pytest.approx(cell.mean())
    rest = (cause.sum() - cell.sum()) / max(64 - cell.size, 1)
    above = min(cell.size, 6)
    expected = cell.mean() * above + rest * (6 - above)
    assert found.rank_accuracy == pytest.approx(expected / 6)


def test_the_card_comes_part_by_part_and_never_without_controls(subject):
    cards = list(score_card(subject, Cause(quarter() > 0, "corner")))
    steps = [one.done for one in cards]
    assert steps == sorted(steps)
    assert set(steps) == set(range(cards[-1].total + 1))
    last = cards[-1]
    assert set(last.curves) == {"integrated_gradients", "random", "edges"}
    assert len(last.randomised) == LEVELS
    assert len(last.random_scores) == RANDOM_MAPS
    assert last.localisation.pointing == 1
    assert "beats random by" in last.line
    assert "points at the cause of corner" in last.line
    assert cards[0].line == ""


def fake(score: float) -> Curves:
    """Curves of a score: nothing is deleted, and insertion is even."""
    return Curves(np.zeros(STEPS + 1), np.full(STEPS + 1, score))


def test_the_line_says_better_or_worse_only_beyond_the_spread_of_random_maps():
    found = {"saliency": fake(0.1), "random": fake(0.3), "edges": fake(0.0)}
    near, wide = tuple(np.linspace(0.28, 0.32, RANDOM_MAPS)), tuple(np.linspace(0.0, 0.6, RANDOM_MAPS))
    card = ScoreCard("saliency", 0, found, near, randomised=(0.9, 0.8, 0.8, 0.7))
    assert card.line.split("; ") == [
        "loses to random by 0.20",
        "beats edges by 0.10",
        "hardly changes when weights are randomised (0.70)",
    ]
    assert replace(card, random_scores=wide).line.split("; ")[:2] == [
        "neither beats random nor loses to it (-0.20, while random maps spread over 0.60)",
        "neither beats edges nor loses to it (+0.10, while random maps spread over 0.60)",
    ]
    assert "too few values" in replace(card, randomised=(None,) * LEVELS).line


def test_causes_are_known_for_examples_and_only_for_them(explorer, star):
    assert len(known()) == 8
    path = ASSETS / "examples" / "2-star.png"
    _, geometry = explorer.image("vip_nano", path, "scenes")
    cause = cause_of(explorer.digest(path), geometry)
    assert cause.label == "star"
    assert cause.places.shape == (64, 64)
    assert 0.02 < cause.places.mean() < 0.6
    assert cause_of(explorer.digest(star), geometry) is None


def test_the_explorer_scores_and_remembers(explorer, star):
    asked = {"weights": "scenes", "method": "saliency"}
    *_, card = explorer.score_card("vip_nano", star, **asked)
    assert card.localisation is None
    assert list(explorer.score_card("vip_nano", star, **asked)) == [card]
    with pytest.raises(ChoiceError, match="No ReLU"):
        next(explorer.score_card("vip_nano", star, "scenes", method="guided_backprop"))


# Truth lab


def test_the_shipped_table_covers_all_methods_and_families():
    assert set(shipped()["rows"]) == set(METHODS)
    assert set(shipped()["checkpoints"]) == set(nanos())
    for method in METHODS:
        for name, found in row(method).items():
            assert isinstance(found, str) or found.scenes == 100, (method, name)


def test_a_shipped_score_can_be_computed_again():
    for method in ("saliency", "edges"):
        *_, again = scores(create("vip_nano", "scenes"), "vip_nano", method)
        known = row(method)["vip_nano"]
        assert again.scenes == known.scenes == 100
        assert again.rank_accuracy == pytest.approx(known.rank_accuracy, abs=0.005)
        assert again.pointing == pytest.approx(known.pointing, abs=0.03)
        assert again.mass == pytest.approx(known.mass, abs=0.005)


def test_scores_are_means_over_scenes():
    inside = np.zeros((4, 4), bool)
    inside[0, 0] = True
    hit, miss = np.zeros((4, 4)), np.zeros((4, 4))
    hit[0, 0], miss[3, 3] = 1, 1
    assert scored([localised(hit, inside), localised(miss, inside)]) == Score(0.5, 0.5, 0.5, 2)


def test_the_checkpoints_of_the_table_are_those_bundled():
    from explorer.reweighting.reference_shares import checksum

    assert shipped()["checkpoints"] == {name: checksum(name) for name in nanos()}


def test_a_picture_of_an_example_is_recognised_from_any_source(explorer):
    path = ASSETS / "examples" / "3-disk.png"
    for source in (path, str(path), path.read_bytes(), Image.open(path)):
        assert explorer.digest(source) in known()
