"""What stands beside a map tells the truth: curves, controls, randomisation, and known causes."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from explorer.attribution.baselines import baseline_of
from explorer.attribution.benchmark.truth_lab import Score, nanos, row, scored, scores, shipped
from explorer.attribution.faithfulness import (
    LEVELS,
    STEPS,
    ScoreCard,
    Subject,
    correlation,
    curves,
    losing,
    score_card,
    sensitive,
    unfaithful,
)
from explorer.attribution.ground_truth import cause_of, known
from explorer.attribution.localization import localised
from explorer.attribution.options import Options
from explorer.attribution.registry import METHODS
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
    assert done(unfaithful(subject, np.zeros((32, 32), np.float32))) == pytest.approx(1, abs=1e-4)
    assert done(unfaithful(subject, rng.random((32, 32)).astype(np.float32))) > 0.02


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
    for lost in losing(model):
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


def test_correlation_of_a_constant_map_is_none():
    assert correlation(np.ones((4, 4)), np.arange(16.0).reshape(4, 4)) == 0
    assert correlation(np.arange(16.0), np.arange(16.0) ** 3) == pytest.approx(1)


def test_localisation_is_its_definition():
    cause = np.zeros((8, 8), bool)
    cause[2:4, 2:4] = True
    values = np.zeros((8, 8), np.float32)
    values[2, 2], values[3, 3], values[7, 7], values[0, 0] = 4, 2, 3, -9
    found = localised(values, cause)
    assert found.pointing
    assert found.mass == pytest.approx(6 / 9)
    assert found.rank_accuracy == pytest.approx(2 / 4)
    assert localised(cause.astype(np.float32), cause).rank_accuracy == 1


def test_the_card_comes_part_by_part_and_never_without_controls(subject):
    cards = list(score_card(subject, quarter() > 0))
    steps = [one.done for one in cards]
    assert steps == sorted(steps)
    assert set(steps) == set(range(cards[-1].total + 1))
    last = cards[-1]
    assert set(last.curves) == {"integrated_gradients", "random", "edges"}
    assert len(last.randomised) == LEVELS
    assert last.localisation.pointing
    assert "beats random by" in last.line
    assert "points at the cause" in last.line
    assert cards[0].line == ""


def test_the_line_says_it_when_a_map_loses():
    found = {"saliency": FakeCurves(0.1), "random": FakeCurves(0.3), "edges": FakeCurves(0.0)}
    line = ScoreCard("saliency", 0, found, randomised=(0.9, 0.8, 0.8, 0.7)).line
    assert line.split("; ") == [
        "loses to random by 0.20",
        "beats edges by 0.10",
        "hardly changes when weights are randomised (0.70)",
    ]


class FakeCurves:
    def __init__(self, score: float) -> None:
        self.score = score


def test_causes_are_known_for_examples_and_only_for_them(explorer, star):
    assert len(known()) == 8
    path = ASSETS / "examples" / "2-star.png"
    _, geometry = explorer.image("vip_nano", path, "scenes")
    cause = cause_of(explorer.digest(path), geometry)
    assert cause.shape == (64, 64)
    assert 0.02 < cause.mean() < 0.6
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
