"""What a visitor changes step by step, and takes back step by step."""

from dataclasses import replace

import gradio as gr
import numpy as np
import pytest

from explorer.reweighting.branch_weights import BlockWeights
from explorer.reweighting.interventions import Moved, Scaled, Taken, Uniform, Without
from explorer.ui.selection import Selection
from explorer.ui.tabs.reweighting.changes import (
    Changes,
    Drag,
    by_hand,
    described,
    preset,
    preset_of,
    presets,
    python,
)
from explorer.ui.tabs.reweighting.shares import Asked, AskedBox, read, written
from explorer.ui.tabs.reweighting.what_if import OUTPUTS, reset, slid
from models.registry import ASSETS

STAR = ASSETS / "examples" / "2-star.png"

ONE = BlockWeights("stages.0.blocks.0.token_mixing", ("height", "width", "channel"), np.full((3, 4), 1 / 3))
ADDED = BlockWeights("stages.0.blocks.0.axial_shift", ("horizontal", "vertical"), np.full((2, 4), 0.5), False)
OTHER = replace(ONE, values=np.tile([[0.5], [0.3], [0.2]], 4))  # of another picture


def test_a_block_has_one_change_at_a_time_and_others_keep_theirs():
    first = Changes("m").made([Without("a", "width"), Without("b", "width")], ["a", "b"])
    then = first.made([Uniform("a", (1, 0))], ["a"])
    assert set(then.now) == {Without("b", "width"), Uniform("a", (1, 0))}
    assert then.undone().now == first.now
    assert then.undone().undone().now == ()
    assert then.reset().now == ()
    assert then.reset().undone().now == then.now


def test_a_drag_is_one_step_and_the_same_step_is_not_made_twice():
    start = Changes("m")
    for share in (0.1, 0.2, 0.3):
        start = start.made([Moved("a", (share, 1 - share))], ["a"], drag=Drag(0, "a", "this", "moved"))
    assert len(start.steps) == 1
    assert start.made([Moved("a", (0.3, 0.7))], ["a"]) is start
    assert len(start.made([Moved("a", (0.5, 0.5))], ["a"], drag=Drag(1, "a", "this", "moved")).steps) == 2


def test_another_model_starts_without_changes():
    changed = Changes("m").made([Without("a", "width")], ["a"])
    assert changed.fitting("m") is changed
    assert changed.fitting("n").now == ()


def test_every_preset_means_what_it_says():
    for _, name in presets(ONE.branches, learned=True):
        made = preset(name, ONE, ONE)
        assert bool(made) == (name != "learned")
    assert preset("without width", ONE, None) == [Without(ONE.block, "width")]
    assert preset("only channel", ONE, None) == [Uniform(ONE.block, (0, 0, 1))]
    assert isinstance(preset("other", ONE, ONE)[0], Taken)
    assert preset("without vertical", ADDED, None) == [Scaled(ADDED.block, (1, 0))]
    assert next(name for _, name in presets(ADDED.branches, learned=False)) == "learned"
    assert isinstance(by_hand((0.5, 0.5), ADDED, "moved"), Scaled)


def test_changes_are_told_in_words_and_as_python():
    changes = (Without(ONE.block, "width"), Moved(ONE.block, (0.2, 0.3, 0.5)))
    assert described(changes[0]) == ("Block 0.0", "without width")
    assert described(changes[1]) == ("Block 0.0", "mean shares 20 / 30 / 50")
    made = {}
    exec("\n".join(python(changes, "other.png")), {"Without": Without, "Moved": Moved}, made)
    assert tuple(made["changes"]) == changes


def test_a_link_holds_changes_and_only_what_the_model_can_have_is_read_from_it():
    blocks = (ONE, ADDED)
    now = (Moved(ONE.block, (0.2, 0.3, 0.5)), Scaled(ADDED.block, (0.25, 0.75)))
    assert read(written(now), blocks) == now
    assert read(written((Without(ONE.block, "width"),)), blocks) == (Without(ONE.block, "width"),)
    assert read(written((Uniform(ONE.block, (0, 0, 1)),)), blocks) == (Uniform(ONE.block, (0, 0, 1)),)
    assert written((Taken(ONE.block, ((1.0,),)),)) == ""
    for text in (
        "",
        "nowhere~moved~1,2,3",
        f"{ONE.block}~moved~1,2",
        f"{ONE.block}~moved~-1,2,3",
        "~~",
        "a~b~c~d",
    ):
        assert read(text, blocks) == ()
    for text in (
        "moved~nan,1,1",
        "moved~0,0,0",
        "moved~a,b,c",
        "scaled~1,1,1",
        "without~depth",
        "format~1,1,1",
    ):
        assert read(f"{ONE.block}~{text}", blocks) == ()


def test_weights_of_the_other_picture_are_in_a_link_as_long_as_it_is_that_picture():
    taken = tuple(preset("other", ONE, OTHER))
    link = written(taken, {ONE.block: OTHER})
    assert link == f"{ONE.block}~taken~other"
    assert read(link, (ONE,), {ONE.block: OTHER}) == taken
    assert read(link, (ONE,)) == ()
    assert written(taken, {ONE.block: ONE}) == ""


@pytest.mark.parametrize("found", [ONE, ADDED], ids=["learned", "added"])
def test_the_menu_shows_the_preset_that_is_in_force_however_it_came_to_be(found):
    theirs = {found.block: OTHER} if found.learned else {}
    for _, name in presets(found.branches, found.learned):
        now = tuple(preset(name, found, theirs.get(found.block)))
        again = read(written(now, theirs), (found,), theirs)
        for one in (now, again):
            assert preset_of(one, found, theirs.get(found.block), name) == name
            same = preset_of(one, found, theirs.get(found.block))  # of two branches, one alone is one less
            assert preset(same, found, theirs.get(found.block)) == list(now)
    by_slider = by_hand((0.2, 0.3, 0.5)[: len(found.branches)], found, "moved")
    assert preset_of((by_slider,), found, None) is None


@pytest.mark.parametrize(
    "text", ["", "null", "[]", "{}", '{"number": 1}', '{"number": "x", "slider": 0, "shares": [1]}']
)
def test_a_question_that_is_none_asks_nothing(text):
    assert AskedBox().preprocess(text) == Asked()
    given = '{"number": 3, "slider": 1, "shares": [0, 99.5, 0.5]}'
    assert AskedBox().preprocess(given) == Asked(3, 1, (0, 99.5, 0.5))


def test_what_was_taken_back_is_not_done_by_a_question_that_comes_late(explorer):
    """The sliders are answered after Reset was pressed, as may happen on a busy computer."""
    selection = Selection(str(STAR), "vip_nano", "scenes", "", None)
    said = {"block": None, "linked": "", "other": None}
    late = {**said, "scope": "this", "how": "moved", "asked": Asked(7, 1, (0, 100, 0))}
    state, *_ = reset(explorer, selection, changes=Changes("vip_nano"), asked=Asked(7), **said)
    assert state.asked == 7
    answers = slid(explorer, selection, changes=state, **late)
    assert len(answers) == OUTPUTS
    assert all(one == gr.skip() for one in answers)
    state, link, *_, view = slid(explorer, selection, changes=Changes("vip_nano", asked=6), **late)
    assert (state.asked, state.now[0].shares) == (7, (0, 1, 0))
    assert link.endswith("~moved~0,100,0")
    assert "mean shares 0 / 100 / 0" in view
