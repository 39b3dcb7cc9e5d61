"""A survey taken along: the drawing, the numbers, the rows as Parquet, or the report as one HTML file."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from explorer.errors import ChoiceError
from explorer.explorer import Explorer
from explorer.report.survey_page import report_of, through, told_apart
from explorer.survey.found import channels
from explorer.survey.seen import Seen
from explorer.survey.written import parquet_of
from explorer.ui.downloads import PARQUET, REPORT, Saved, npz, saved_figure
from explorer.ui.selection import Selection
from explorer.ui.tabs.survey.source import Held, current
from explorer.ui.tabs.survey.views import copies_of

AXES = {
    "classes": "class: name",
    "columns": "column: name",
    "explained": "column: part of the variance",
    "probability": "column: probability",
    "channels": "gate: name",
    "never open": "gate: channels",
    "always open": "gate: channels",
    "": "class branch: share",
}


def save(
    explorer: Explorer, selection: Selection, kind: str, *, which: str | None, held: Held, lens: str
) -> Saved:
    """What is looked at, as the button says."""
    seen = current(explorer, selection, which, held)
    if seen is None or not len(seen.rows):
        raise ChoiceError("There is no survey here to save.")
    name = f"{seen.rows.about['model']}_survey"
    if kind == PARQUET:
        content = parquet_of(seen.rows)
        return lambda _, __: content, f"{name}.parquet"
    if kind == REPORT:
        small = copies_of(selection, which, held, seen)
        return lambda _, chinese: report_of(seen, small, chinese=chinese).encode(), f"{name}.html"
    if kind == "npz":
        return npz(name, AXES, **arrays(seen))
    return saved_figure(figure(seen, lens), kind, name)


def figure(seen: Seen, lens: str) -> Figure:
    """The drawing of a report that goes with the view."""
    classes, compared = seen.by_class
    if not compared:
        raise ChoiceError("This view shows nothing of this model, so there is nothing to save.")
    return told_apart(compared) if lens == "blocks" else next(iter(through(classes, compared)))


def arrays(seen: Seen) -> dict[str, Any]:
    """Means and intervals by class, what tells classes apart, and counts of channels."""
    classes, compared = seen.by_class
    made: dict[str, Any] = {"classes": classes, "columns": [one.column for one in compared]}
    made["explained"] = np.array([one.compared.explained for one in compared])
    made["probability"] = np.array([one.probability for one in compared])
    for one in compared:
        made |= {
            f"{one.column}/mean": one.compared.means,
            f"{one.column}/low": one.low,
            f"{one.column}/high": one.high,
        }
    counted = channels(seen.rows)
    made["channels"] = [f"{one.name}/{one.branch}" for one in counted]
    made["never open"] = np.array([one.never for one in counted])
    made["always open"] = np.array([one.always for one in counted])
    return made
