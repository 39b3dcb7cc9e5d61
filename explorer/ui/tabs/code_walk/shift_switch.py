"""A switch for blocks with spatial shifts: what the in-place shift of listings makes of this picture."""

from dataclasses import dataclass
from typing import Any

import gradio as gr
import numpy as np

from explorer.code_walk.literal_shift import LiteralShift, Quarter, ShiftAsListed, shifts_of
from explorer.code_walk.walk import first_block
from explorer.explorer import Explorer
from explorer.figures.colour import painted, scale_of
from explorer.figures.raster import data_uri
from explorer.predictions import Prediction, predictions
from explorer.ui.components import View, render
from explorer.ui.controls import Control, progress_on, switch
from explorer.ui.downloads import Saved, npz
from explorer.ui.selection import Selection, lane, wired
from explorer.ui.tabs.registry import TabParts

EQUATION, LISTED = "equation", "listed"
CHOICES = {EQUATION: "Shift as the equation says", LISTED: "Shift as listings print it"}
WORDS = {
    "row": "every row became the first one",
    "column": "every column became the first one",
    "": "wrong in places",
}
RIGHT = "as by the equation: what is read was not written over before"


@dataclass(frozen=True)
class ShiftSwitch:
    """The switch, and what is drawn when it is turned."""

    written: gr.Radio
    view: View

    def drawn(self, parts: TabParts, part: Control) -> dict[str, Any]:
        """The listener that draws it for the part in hand."""
        return {
            **wired(parts.explorer, parts.rail, draw, part=part, written=self.written),
            "outputs": [self.written, self.view],
            **lane("shift"),
            **progress_on(self.view),
        }


def build() -> ShiftSwitch:
    written = switch(CHOICES, "shift-written")
    written.visible = False
    return ShiftSwitch(written, View(elem_id="literal-shift"))


def draw(explorer: Explorer, selection: Selection, *, part: str | None, written: str) -> tuple:
    """The switch, seen where the part has shifts, and the drawing where it is turned."""
    block = part_of(explorer, selection, part)
    offered = bool(shifts_of(selection.loaded(explorer).model, block))
    turned = offered and written == LISTED
    return gr.Radio(visible=offered), page(explorer, selection, block) if turned else ""


def part_of(explorer: Explorer, selection: Selection, part: str | None) -> str:
    """The part in hand; a name left over from another model counts as the one to begin with."""
    model = selection.loaded(explorer).model
    known = part is not None and part in dict(model.named_modules())
    return part if part is not None and known else first_block(model)


def seen(explorer: Explorer, selection: Selection, block: str) -> LiteralShift:
    return explorer.walks.literal_shift(explorer.input(*selection.question), block)


def page(explorer: Explorer, selection: Selection, block: str) -> str:
    found = seen(explorer, selection, block)
    return render(
        "literal_shift",
        title="The shift as listings print it",
        shifts=[told(shift) for shift in found.shifts],
        change=found.change,
        said=said(found, selection.loaded(explorer).labels),
        python=selection.python(
            "subject = explorer.input(model, picture, weights)",
            f'found = explorer.walks.literal_shift(subject, "{block}")',
            "print(found.change)",
            "for shift in found.shifts:",
            "    print(shift.name, shift.wrong)",
            "    for quarter in shift.quarters:",
            "        print(quarter.line, quarter.wrong, quarter.smeared)",
        ),
    )


def said(found: LiteralShift, labels: tuple[str, ...]) -> tuple[Prediction, Prediction] | None:
    """The likeliest class of the network as it is, and with every shift as listed."""
    if not labels:
        return None
    (before,), (after,) = (predictions(one, labels, 1) for one in (found.logits, found.logits_listed))
    return before, after


def told(shift: ShiftAsListed) -> dict[str, Any]:
    """One shift for the screen."""
    return {
        "name": shift.name,
        "wrong": shift.wrong,
        "quarters": [drawing(quarter) for quarter in shift.quarters],
    }


def drawing(quarter: Quarter) -> dict[str, Any]:
    """One quarter: its line, and one channel before, by the equation, by the line, and their difference."""
    before, right, literal = (
        one[..., quarter.telling] for one in (quarter.before, quarter.right, quarter.literal)
    )
    maps = {
        "before": before,
        "by the equation": right,
        "as printed": literal,
        "difference": literal - right,
    }
    scale = scale_of(np.stack(list(maps.values())), signed=True)
    return {
        "line": quarter.line,
        "channel": quarter.first + quarter.telling,
        "first": quarter.first,
        "last": quarter.first + quarter.before.shape[-1] - 1,
        "wrong": quarter.wrong,
        "words": WORDS[quarter.smeared] if quarter.wrong else RIGHT,
        "maps": {name: data_uri(painted(one, scale)) for name, one in maps.items()},
        "scale": scale,
    }


def save(explorer: Explorer, selection: Selection, kind: str, part: str | None) -> Saved:
    block = part_of(explorer, selection, part)
    arrays = {
        f"{shift.name} channels from {quarter.first} {name}": getattr(quarter, name)
        for shift in seen(explorer, selection, block).shifts
        for quarter in shift.quarters
        for name in ("before", "right", "literal")
    }
    return npz(f"{selection.model}_{block}_literal_shift", {"": "row column channel: activation"}, **arrays)
