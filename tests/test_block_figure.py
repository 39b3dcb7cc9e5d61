"""A block that blends stands as a figure beside its channels, drawn from what passed through it."""

import re

import pytest

from explorer.reweighting.branch_weights import blends
from explorer.ui.examples import example
from explorer.ui.selection import Selection
from explorer.ui.tabs.reweighting import channels


@pytest.mark.parametrize(("model", "branches", "learned"), [("vip_nano", 3, True), ("as_mlp_nano", 2, False)])
def test_a_block_as_a_figure_has_the_sizes_and_shares_of_the_picture(explorer, model, branches, learned):
    asked = Selection(str(example("2-star")), model, "scenes", "", None)
    found = blends(asked.run(explorer))[0]
    drawn = re.search("<svg.*?</svg>", channels.draw(explorer, asked, found.block, "number"), re.DOTALL)[0]
    size = channels.size_of(asked.run(explorer), found)
    assert drawn.count(f">{size}<") == branches + 2  # beside them the input and the blend
    assert re.findall(r">(?:× )?(\d+)\u2009%", drawn) == [f"{100 * share:.0f}" for share in found.mean]
    assert ("softmax" in drawn) == ("× " in drawn.replace(size, "")) == learned
    if learned:
        assert size == "16 × 16 × 64"
