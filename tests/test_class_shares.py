"""Whether shares differ by class, and what the blend is worth: against definitions and cases by hand."""

import numpy as np
import pytest
from PIL import Image
from scipy.stats import f_oneway

from explorer.familiarity.pictures import drawn
from explorer.figures.class_shares import by_class as figure_by_class
from explorer.figures.class_shares import separability, through_depth
from explorer.reweighting.branch_weights import BlockWeights, branch_weights
from explorer.reweighting.class_shares import by_class, change, holm, told_right
from explorer.reweighting.interventions import Uniform
from explorer.reweighting.reference_shares import over
from models import card, create

LABELS = np.repeat([0, 1, 2], 40)


def runs(shift: float) -> list[tuple[BlockWeights, ...]]:
    """Two blocks of two branches: of the second, the first class takes `shift` more of the first branch."""
    random = np.random.default_rng(4)
    made = []
    for label in LABELS:
        first, second = random.normal(0.5, 0.05, 2)
        parts = (("a", first), ("b", second + shift * (label == 0)))
        made.append(tuple(BlockWeights(name, ("x", "y"), np.array([[s], [1 - s]])) for name, s in parts))
    return made


def test_what_lies_between_the_classes_is_that_of_the_analysis_of_variance():
    found = by_class(runs(0.1), LABELS, shuffles=9)
    values = np.array([[block.mean[0] for block in one] for one in runs(0.1)])
    for number, one in enumerate(found):
        groups = [values[label == LABELS, number] for label in range(3)]
        between, within = one.explained / 2, (1 - one.explained) / (len(LABELS) - 3)
        assert between / within == pytest.approx(f_oneway(*groups).statistic)
        np.testing.assert_allclose(one.means[:, 0], [group.mean() for group in groups])
        np.testing.assert_allclose(one.errors[1], groups[1].std(ddof=1) / np.sqrt(40))


def test_shuffled_labels_tell_a_difference_from_chance():
    plain, shifted = by_class(runs(0.2), LABELS, shuffles=199)
    assert shifted.probability == 1 / 200  # the least it can be
    assert plain.probability > 0.05
    chances = [
        by_class(runs(0.0), np.roll(LABELS, turn), shuffles=39)[0].probability for turn in range(0, 40, 4)
    ]
    assert 0.2 < np.mean(chances) < 0.8
    assert min(chances) > 0.02


def test_a_change_of_accuracy_has_the_error_of_its_pairs():
    before, after = np.array([True, True, False, True]), np.array([True, False, True, False])
    mean, error = change(before, after)
    assert mean == -0.25
    assert error == pytest.approx(np.std([0, -1, 1, -1], ddof=1) / 2)


def test_equal_shares_are_worth_what_the_predictions_lose(explorer):
    model, preprocess = create("vip_nano", "scenes"), card("vip_nano").weights["scenes"].preprocess
    some = drawn(range(30), 64)
    learned = told_right(model, preprocess, some, some.labels)
    assert learned.mean() > 0.9
    blocks = [one.block for one in over(model, preprocess, drawn(range(1), 64))[0]]
    changes = [Uniform(block, (1.0, 1.0, 1.0)) for block in blocks]
    found = told_right(model, preprocess, some, some.labels, changes)
    for number, picture in enumerate(map(Image.fromarray, some.each)):
        run = explorer.inspect("vip_nano", picture, "scenes", interventions=changes)
        assert found[number] == (int(run.logits.argmax()) == some.labels[number])
    shares = branch_weights(explorer.inspect("vip_nano", Image.fromarray(some.each[0]), "scenes"))
    np.testing.assert_allclose(over(model, preprocess, some)[0][0].mean, shares[0].mean, atol=1e-5)


def test_the_figure_has_a_panel_a_block_and_bars_of_two_errors():
    means, errors = np.full((4, 3, 2), 0.5), np.full((4, 3, 2), 0.01)
    figure = figure_by_class(["a", "b", "c"], ("x", "y"), list("1234"), means, errors, title="t")
    panels = [axes for axes in figure.axes if axes.axison]
    assert [panel.get_title() for panel in panels] == list("1234")
    (low, high) = panels[0].collections[0].get_segments()[0][:, 1]
    assert high - low == pytest.approx(0.04)


def test_several_tests_are_corrected_as_holm_says():
    # By hand: the least of four times 4, the next times 3, ...; never less than one before, never above 1.
    np.testing.assert_allclose(holm([0.04, 0.01, 0.03, 0.6]), [0.09, 0.04, 0.09, 0.6])
    np.testing.assert_allclose(holm([0.5, 0.9]), [1.0, 1.0])


def test_classes_are_lines_through_the_depth_with_their_intervals():
    means = np.random.default_rng(0).random((3, 2, 2))  # blocks, classes, branches
    names = ["cat", "dog"], ("x", "y"), ["a", "b", "c"]
    panels = through_depth(*names, means, means - 0.1, means + 0.2).axes
    for branch, panel in enumerate(panels):
        assert panel.get_title() == "xy"[branch]
        for kind, (line, band) in enumerate(zip(panel.lines, panel.collections, strict=True)):
            np.testing.assert_allclose(line.get_ydata(), means[:, kind, branch])
            heights = band.get_paths()[0].vertices[:, 1]
            assert heights.min() == pytest.approx(means[:, kind, branch].min() - 0.1)
            assert heights.max() == pytest.approx(means[:, kind, branch].max() + 0.2)
    (bars,) = separability(["a", "b"], np.array([0.5, 0.1]), np.array([True, False])).axes[0].containers
    assert [bar.get_width() for bar in bars] == [0.5, 0.1]
    assert bars[0].get_facecolor() != bars[1].get_facecolor()
