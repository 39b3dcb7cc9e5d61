"""A picture of the survey is picked: it becomes the picture of every tab."""

from typing import Any

import gradio as gr

from explorer.errors import ChoiceError
from explorer.explorer import Explorer
from explorer.ui.components import View, render
from explorer.ui.selection import PICK, Selection, wired
from explorer.ui.tabs.registry import TabParts
from explorer.ui.tabs.survey import plots
from explorer.ui.tabs.survey.source import Held, current, laid_down, picture
from explorer.ui.tabs.survey.views import copy_of, shown_row


def at_row(explorer: Explorer, selection: Selection, which: str | None, held: Held, row: int) -> tuple:
    """What is told of a row, and the path of its picture; where that is not here, what is told alone."""
    seen = current(explorer, selection, which, held)
    if seen is None or not 0 <= row < len(seen.rows):
        raise ChoiceError("There is no such picture in this survey.")
    there = picture(selection, which, held, int(seen.rows.columns["index"][row]))
    one = shown_row(seen, row, copy_of(selection, which, held, seen, row))
    told = render("survey_told", one=one, here=there is not None)
    return told, laid_down(*there) if there else gr.skip()


def at_place(
    explorer: Explorer, selection: Selection, which: str | None, held: Held, row: float, column: float
) -> tuple:
    """The same of the dot nearest to a place of the plane."""
    seen = current(explorer, selection, which, held)
    plane = plots.scatter(seen.rows, *seen.by_class) if seen else None
    if plane is None:
        raise ChoiceError("There is no such picture in this survey.")
    return at_row(explorer, selection, which, held, plane.nearest(row, column))


def connect(parts: TabParts, view: View, told: View, which: Any, held: gr.State, path: gr.State) -> list:
    """Listen to pictures and dots that are pressed; gives the events after which `path` is the picture."""
    asks = wired(parts.explorer, parts.rail, chosen, which=which, held=held, at=None)
    *inputs, _ = asks["inputs"]

    def pressed(event: gr.EventData, *values: Any) -> tuple:
        at = getattr(event, "picture", None)
        if at is None:
            at = getattr(event, "row", None), getattr(event, "column", None)
        return asks["fn"](*values, at)

    return [listen(pressed, inputs, [told, path], **PICK) for listen in (view.pick, view.place)]


def chosen(explorer: Explorer, selection: Selection, *, which: str | None, held: Held, at: Any) -> tuple:
    """A row by its number, or a place of the plane as two shares."""
    numbers = at if isinstance(at, tuple) else (at,)
    if not all(isinstance(one, int | float) and not isinstance(one, bool) for one in numbers):
        raise ChoiceError("There is no such picture in this survey.")
    if len(numbers) == 2:
        return at_place(explorer, selection, which, held, *map(float, numbers))
    return at_row(explorer, selection, which, held, int(numbers[0]))
