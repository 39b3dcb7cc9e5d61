"""Which method to believe: only one that clears the controls, and "none" where none does."""

from dataclasses import replace

import pytest

from explorer.attribution.benchmark.belief import SANITY, beliefs, order_kept
from explorer.attribution.benchmark.document import PATH as DOCUMENT
from explorer.attribution.benchmark.document import tables, with_tables
from explorer.attribution.benchmark.intervals import Interval
from explorer.attribution.benchmark.protocols import PROTOCOLS
from explorer.attribution.benchmark.shipped import PATH, Shipped, shipped
from explorer.attribution.benchmark.trainings import trainings
from explorer.attribution.registry import METHODS
from explorer.ui.tabs.attribution.protocols import cell, choices, page

HIGH, LOW = Interval(0.9, 0.8, 1.0), Interval(0.3, 0.2, 0.4)


def row(protocol: str, method: str, found: Interval | None, model: str = "m") -> Shipped:
    return Shipped(protocol, model, "scenes", method, found, 0.5, 10, "" if found else "Why.")


def test_methods_are_ranked_by_the_protocols_in_which_they_clear_the_controls():
    rows = [
        row("planted", "a", LOW),
        row("gridpg", "a", HIGH),
        row("planted", "b", HIGH),
        row("gridpg", "b", HIGH),
    ]
    rows += [row(SANITY[0], "a", HIGH), row("deletion", "b", None), row("planted", "a", HIGH, model="other")]
    first, second = beliefs(rows, "m")
    assert (first.method, first.clears, first.fails) == ("b", ("planted", "gridpg"), ())
    assert (second.method, second.clears, second.fails) == ("a", ("gridpg",), ("planted",))
    rows += [replace(row("preservation", "a", LOW), bar=1.0)]
    assert beliefs(rows, "m") == (first, second)
    assert first.is_believed
    assert not second.is_believed
    assert beliefs(rows, "m", "photographs") == ()


def test_what_a_map_keeps_without_the_weights_is_told_only_where_it_was_measured():
    rows = [
        row("randomised", "a", Interval(0.9, 0.8, 1.0)),
        row("randomised", "b", None),
        row("srg", "c", HIGH),
    ]
    kept = order_kept(rows, "a", "m", "scenes")
    assert (kept.value, kept.low, kept.high) == pytest.approx((0.1, 0.0, 0.2))
    others = [("b", "m", "scenes"), ("c", "m", "scenes"), ("a", "m", "cifar10"), ("a", "m@96", "scenes")]
    assert all(order_kept(rows, *one) is None for one in others)


def test_an_interval_is_drawn_within_its_cell_and_beside_the_bar():
    drawn = cell(row("deletion", "a", Interval(0.1, -0.2, 0.4)))
    assert (drawn["low"], drawn["high"], drawn["bar"], drawn["clears"]) == (0, 40, 50, False)
    assert cell(row("deletion", "a", Interval(0.0, -0.5, 1.0)), least=-1)["low"] == 25
    assert cell(row("deletion", "a", None)) == {"value": None, "reason": "Why."}


def test_what_ships_is_of_protocols_and_methods_there_are_and_is_small():
    assert len(shipped()) >= 100
    for one in shipped():
        assert one.protocol in PROTOCOLS
        assert one.method in METHODS
        assert (one.found is None) == bool(one.reason), one
        if one.found:
            assert one.found.low <= one.found.value <= one.found.high
    assert PATH.stat().st_size < 130_000


def test_in_difull_gradients_are_whole_and_grad_cam_is_not_as_published():
    found = {
        (one.method, one.model): one.found for one in shipped() if one.protocol == "difull" and one.found
    }
    models = {model for method, model in found if method == "input_x_gradient"}
    assert models
    for model in models:
        assert found["input_x_gradient", model].low > 0.98
        assert found["grad_cam", model].value < found["input_x_gradient", model].value


def test_the_page_says_none_for_a_model_nobody_measured():
    for _, choice in choices():
        assert "None: no method clears the controls" in page(choice, "nobody")


def test_the_document_says_what_ships():
    text = DOCUMENT.read_text("utf-8")
    assert with_tables(text, tables(shipped(), trainings())) == text
