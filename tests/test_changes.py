"""What a visitor changes step by step, and takes back step by step."""

import numpy as np

from explorer.reweighting.branch_weights import BlockWeights
from explorer.reweighting.interventions import Moved, Scaled, Taken, Uniform, Without
from explorer.ui.tabs.reweighting.changes import Changes, Drag, by_hand, described, preset, presets, python

ONE = BlockWeights("stages.0.blocks.0.token_mixing", ("height", "width", "channel"), np.full((3, 4), 1 / 3))
ADDED = BlockWeights("stages.0.blocks.0.axial_shift", ("horizontal", "vertical"), np.full((2, 4), 0.5), False)


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
    exec("\n".join(python(changes)), {"Without": Without, "Moved": Moved}, made)
    assert tuple(made["changes"]) == changes
