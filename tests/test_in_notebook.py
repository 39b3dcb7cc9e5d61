"""In a notebook a result is a small picture, or a table with its numbers."""

import base64
import io
import re
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

import mixscope
from explorer import Options
from explorer.attribution.faithfulness import Curves
from explorer.attribution.score_card import SAME, ScoreCard
from explorer.figures.colour import painted, scale_of
from explorer.notebook.tables import LINES
from explorer.reweighting.branch_weights import branch_weights
from explorer.reweighting.interventions import Without
from models.registry import ASSETS

QUESTION = "vip_nano", "scenes"
LAYER = "stages.0.blocks.0.output"


def told(result) -> str:
    """What Jupyter shows, which is never large."""
    html = result._repr_html_()
    assert html.count("<div") == html.count("</div>")
    assert len(html) < 100_000
    assert "<script" not in html
    return html


def pixels(html: str) -> np.ndarray:
    (kept,) = re.findall(r"data:image/png;base64,([^\"]+)", html)
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(kept))))


def test_a_pass_tells_its_classes_and_shares_also_when_they_are_changed(explorer, star):
    run = explorer.inspect("vip_nano", star, "scenes")
    change = [Without(block.block, "width") for block in branch_weights(run)]
    changed = explorer.inspect("vip_nano", star, "scenes", interventions=change)
    first = explorer.predict("vip_nano", star, "scenes")[0]
    assert f'>{first.index}</td><td style="text-align: left">{first.probability:.1%}<' in told(run)
    assert told(run).count("%</td>") == 5 + 6 * 3
    assert told(changed).count(">0.0%</td>") >= 6 > told(run).count(">0.0%</td>") - 5


def test_a_map_is_its_own_pixels_with_unit_and_warning(explorer, star):
    *_, found = explorer.attribute(
        "vip_nano", star, "scenes", method="smooth_grad", options=Options(samples=2)
    )
    np.testing.assert_array_equal(
        pixels(told(found)), painted(found.values, scale_of(found.values, signed=found.signed))
    )
    assert "SmoothGrad, star" in told(found)
    assert "logit per unit of input" in told(found)
    assert "&lt;b&gt;" in told(replace(found, label="<b>", warning="<i>"))


def test_a_knock_out_is_its_table_also_while_it_is_made(explorer, star):
    first, *_, last = explorer.knock_out("vip_nano", star, "scenes")
    assert told(first).count("<tr>") == 1 + 1
    assert told(last).count("<tr>") == 1 + 6
    for value in last.delta.ravel():
        assert f">{value:+.2f}</td>" in told(last)


def test_fields_and_likeness_are_maps_of_their_sizes(explorer, star):
    field = explorer.effective_field("vip_nano", star, "scenes", layer=LAYER, place=(8, 8), channel=0)
    assert pixels(told(field)).shape == (64, 64, 3)
    moved = explorer.sensitivity_map("vip_nano", star, "scenes", layer=LAYER, square=(3, 3))
    assert pixels(told(moved)).shape == (*moved.change.shape, 3)
    alike = explorer.likeness(star, QUESTION, QUESTION)
    assert told(alike).count("</td>") == len(alike.rows) * (1 + len(alike.columns))


def test_shares_and_costs_are_tables_of_their_numbers(explorer, star):
    block = branch_weights(explorer.inspect("vip_nano", star, "scenes"))[0]
    for branch, mean in zip(block.branches, block.mean, strict=True):
        assert re.search(f">{branch}</td><td [^>]*>{mean:.1%}<", told(block))
    *_, costs = explorer.costs("vip_nano", "scenes")
    assert told(costs).count("<tr>") == 1 + len(costs.blocks)
    for number in (*costs.parameters, *costs.multiply_adds):
        assert f">{number:,}</td>" in told(costs)


def test_a_score_card_tells_its_sentence_and_its_controls():
    curves = Curves(np.linspace(1, 0, 17), np.linspace(0, 1, 17) ** 2)
    card = ScoreCard("saliency", 3, {"saliency": curves, "edges": curves}, infidelity=0.25, done=5, total=30)
    assert "5 of 30 parts; infidelity 0.25" in told(card)
    assert told(card).count(f">{curves.score:.2f}</td>") == 2
    assert SAME.partition(":")[0] in told(replace(card, constant=True))


def test_shifts_tell_from_where_each_group_of_channels_comes(explorer):
    for step in explorer.shifts("s2mlp_nano", "scenes", "blocks.0"):
        assert told(step).count("<tr>") == 1 + len(step.groups)
        for group in step.groups:
            assert f">{group.first} to {group.last}</td>" in told(step)
    assert ">+1, +0</td>" in told(step)


def test_a_walk_tells_its_lines_and_what_they_made(explorer, star):
    walk = explorer.code_walk("vip_nano", star, "scenes", block="stages.0.blocks.0.token_mixing")
    for step in walk.steps:
        assert f">{step.statement.first}</td>" in told(walk)
    assert "of_height [b 1, 1, 1, c 64] mean" in told(walk)
    long = replace(walk, steps=walk.steps * 9)
    assert f"{len(long.steps) - LINES} of them not shown" in told(long)


def test_without_the_drawings_a_result_stays_text():
    said = "from explorer.capture import Run; assert Run(None, {}, 0.0)._repr_html_() is None"
    subprocess.run([sys.executable, "-c", said], cwd=ASSETS.parent, check=True)
    assert mixscope.notebook.results.DRAWINGS


@pytest.mark.parametrize("values", [np.full((2, 2), np.nan), np.zeros((1, 1))], ids=["no number", "alike"])
def test_what_has_no_range_is_drawn_too(values):
    drawn = mixscope.notebook.pieces.a_map("a", "", values, "u", signed=True)
    assert pixels(drawn).shape == (*values.shape, 3)
