"""The shift as listings print it runs as printed, beside the equation, and no model is changed by it."""

from collections import OrderedDict
from functools import partial

import pytest
import torch
from einops.layers.torch import Rearrange
from torch import nn

from explorer import Explorer
from explorer.code_walk.listed_shifts import LISTED, assignments, listed_shift, run_listed
from explorer.code_walk.literal_shift import literal_shift, shifts_of
from explorer.errors import ChoiceError
from explorer.ui.selection import selected
from explorer.ui.tabs.code_walk.shift_switch import draw
from models import s2_mlp, s2_mlp_v2
from models.s2_mlp import spatial_shift
from tests.test_features import STAR
from tests.tiny import IMAGE_SIDE, TINY

SIZES = [(1, 5, 6, 8), (2, 8, 8, 16), (1, 16, 16, 64), (1, 14, 14, 768)]
IMAGE = torch.rand(1, 3, IMAGE_SIDE, IMAGE_SIDE, generator=torch.Generator().manual_seed(0))


def smeared(shift, x: torch.Tensor) -> torch.Tensor:
    """By definition: what moves down or right is the first row or column everywhere, the rest is right."""
    made = list(shift(x).chunk(4, dim=-1))
    given = x.chunk(4, dim=-1)
    down, right = (0, 2) if shift is spatial_shift else (2, 0)
    made[down] = given[down][:, :1].expand_as(given[down])
    made[right] = given[right][:, :, :1].expand_as(given[right])
    return torch.cat(made, dim=-1)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("shift", LISTED, ids=["one", "two"])
def test_a_listing_smears_the_first_row_and_the_first_column(shift, size):
    x = torch.randn(size, generator=torch.Generator().manual_seed(1))
    before = x.clone()
    assert torch.equal(run_listed(LISTED[shift], x), smeared(shift, x))
    assert torch.equal(x, before)
    small = x[:, :5, :5]  # which one thread copies
    assert torch.equal(LISTED[shift](small.clone()), smeared(shift, small))


def test_the_lines_shown_are_those_that_run():
    lines = assignments(listed_shift)
    assert len(lines) == 4
    x = torch.randn(1, 6, 6, 8)
    copy = x.clone()
    for line in lines:
        exec(line, {"x": copy, "h": 6, "w": 6, "c": 8})
    assert torch.equal(copy, run_listed(listed_shift, x))


@pytest.mark.parametrize(("family", "block"), [("S2-MLP", "blocks.1"), ("S2-MLPv2", "stages.1.blocks.0")])
def test_what_a_listing_does_to_a_block_is_what_its_definition_does(family, block, monkeypatch):
    model = TINY[family]().eval()
    with torch.no_grad():
        plain = model(IMAGE)
        found = literal_shift(model, IMAGE, block)
        assert torch.equal(model(IMAGE), plain)
    assert not any(part._forward_hooks for part in model.modules())
    side = found.shifts[0].quarters[0].before.shape[0]
    for shift in found.shifts:
        wrong = [quarter.wrong for quarter in shift.quarters]
        assert sorted(wrong) == pytest.approx([0, 0, (side - 2) / side, (side - 2) / side], abs=0.02)
        assert sorted(quarter.smeared for quarter in shift.quarters) == ["", "", "column", "row"]
        assert shift.wrong == pytest.approx(sum(wrong) / 4)
    torch.testing.assert_close(found.logits, plain)
    for shift in LISTED:
        wrong = partial(smeared, shift)
        monkeypatch.setattr(s2_mlp if shift is spatial_shift else s2_mlp_v2, shift.__name__, wrong)
    monkeypatch.setattr(s2_mlp_v2, "spatial_shift", partial(smeared, spatial_shift))
    with torch.no_grad():
        torch.testing.assert_close(found.logits_listed, model(IMAGE))
    assert found.change > 0


def test_the_change_of_a_part_is_told_as_a_share_of_its_length():
    block = TINY["S2-MLP"]().eval().blocks[0]
    network = nn.Sequential(OrderedDict(to_table=Rearrange("b c h w -> b h w c"), block=block))
    table = torch.randn(1, block.dim, 8, 8, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        found = literal_shift(network, table, "block")
        right = network(table)
        x = network.to_table(table)
        wrong = x + block.norm1(block.fc2(smeared(spatial_shift, block.act(block.fc1(x)))))
        wrong = wrong + block.norm2(block.channel_mixing(wrong))
    assert found.change == pytest.approx(float((wrong - right).norm() / right.norm()), rel=1e-4)


def test_parts_without_shifts_and_with_too_many_are_refused_in_one_sentence():
    model = TINY["S2-MLPv2"]().eval()
    assert [step.name for step in shifts_of(model, "stages.0")] == ["shift 1", "shift 2", "identity"]
    for block in ("", "stages.1", "stages.0.blocks.0.channel_mixing"):
        with pytest.raises(ChoiceError, match=r"has no spatial shift of its own to look at\.$"):
            literal_shift(model, IMAGE, block)


def test_the_switch_is_seen_where_there_are_shifts_and_the_drawing_where_it_is_turned():
    explorer = Explorer("cpu")
    with_shifts = selected(STAR, "s2mlp_nano", "scenes", None, None)
    without = selected(STAR, "vip_nano", "scenes", None, None)
    for selection, part, written, seen, drawn in (
        (with_shifts, "blocks.2", "listed", True, True),
        (with_shifts, "blocks.2", "equation", True, False),
        (with_shifts, "head", "listed", False, False),
        (with_shifts, None, "listed", True, True),
        (without, "blocks.2", "listed", False, False),
    ):
        control, page = draw(explorer, selection, part=part, written=written)
        assert control.visible == seen
        assert bool(page) == drawn
    _, page = draw(explorer, with_shifts, part="blocks.2", written="listed")
    assert page.count('class="quarter wrong"') == 2
    assert "x[:, 1:, :, : c // 4] = x[:, : h - 1, :, : c // 4]" in page
    assert page.count("data-zoom") == 16


def test_a_trained_network_says_something_else_with_the_shift_of_the_listings():
    explorer = Explorer("cpu")
    found = explorer.walks.literal_shift(explorer.input("s2mlp_nano", STAR, "scenes"), "blocks.0")
    torch.testing.assert_close(found.logits, explorer.inspect("s2mlp_nano", STAR, "scenes").logits)
    assert (found.logits - found.logits_listed).abs().max() > 1
