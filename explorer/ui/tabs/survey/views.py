"""The survey as one looks at it: four views of the same rows."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer.errors import ChoiceError, PictureError
from explorer.explorer import Explorer
from explorer.figures.raster import uri
from explorer.report.survey_page import CERTAIN, chosen, shown_at
from explorer.survey import found
from explorer.survey.live import copied
from explorer.survey.seen import Seen
from explorer.ui.components import render, sentence
from explorer.ui.selection import Selection
from explorer.ui.tabs.survey import plots
from explorer.ui.tabs.survey.source import Held, current, picture

LENSES = {
    "classes": "By class",
    "blocks": "Where classes differ",
    "open": "Channels",
    "pictures": "Pictures",
}
LISTED = 20  # pictures that could not be read
NO_SURVEY = "Choose pictures, or a zip of them, to see what this model does over them."
NO_GATES = "This model has neither branches nor gates; see what it says of the pictures."
ONE_CLASS = "There are no two classes with two pictures each yet, so there is nothing to compare."


@dataclass(frozen=True)
class Shown:
    """One picture of the survey."""

    row: int
    name: str
    label: str
    predicted: str
    value: str
    copy: str | None  # the address of a small copy


def draw(explorer: Explorer, selection: Selection, *, which: str | None, held: Held, lens: str) -> str:
    """The open view of the survey that is chosen, or why there is none."""
    try:
        seen = current(explorer, selection, which, held)
    except ChoiceError as gone:
        return sentence(str(gone))
    if seen is None:
        return sentence(NO_SURVEY)
    made = VIEWS[lens](selection, which, held, seen)
    return render(
        f"survey_{lens}",
        title=LENSES[lens],
        about=seen.rows.about,
        looked_at=len(seen.rows),
        accuracy=found.accuracy(seen.rows) if len(seen.rows) else None,
        whole=seen.is_whole,
        unreadable=seen.rows.about["unreadable"][:LISTED],
        why=why_not(seen),
        python=python(selection, which, held),
        **made,
    )


def why_not(seen: Seen) -> str:
    """Why classes cannot be compared; "" where they can."""
    if not seen.rows.gates:
        return NO_GATES
    return "" if seen.by_class[1] else ONE_CLASS


def by_class(_selection: Selection, _which: str | None, _held: Held, seen: Seen) -> Mapping[str, Any]:
    classes, compared = seen.by_class
    legend = [(label, plots.colour_of(kind)) for kind, label in enumerate(classes)]
    return {
        "panels": plots.panels(classes, compared),
        "legend": legend,
        "by_label": any(seen.rows.columns["label"]),
    }


def blocks(_selection: Selection, _which: str | None, _held: Held, seen: Seen) -> Mapping[str, Any]:
    _, compared = seen.by_class
    most = max((one.compared.explained for one in compared), default=1.0) or 1.0
    return {"compared": compared, "most": most, "certain": CERTAIN}


def channels(_selection: Selection, _which: str | None, _held: Held, seen: Seen) -> Mapping[str, Any]:
    return {"channels": found.channels(seen.rows) if len(seen.rows) else []}


def pictures(selection: Selection, which: str | None, held: Held, seen: Seen) -> Mapping[str, Any]:
    oddest, pairs = chosen(seen)
    copies = copies_of(selection, which, held, seen)
    classes, compared = seen.by_class
    strange = seen.unusual if seen.unusual is not None else np.zeros(0)
    made = {row: shown_row(seen, row, copies.get(row)) for row in shown_at(seen)}
    return {
        "plane": plots.scatter(seen.rows, classes, compared),
        "size": (plots.WIDE, plots.HIGH),
        "legend": [(label, plots.colour_of(kind)) for kind, label in enumerate(classes)],
        "odd": [(made[row], f"{strange[row]:.2f}") for row in oddest],
        "pairs": [(made[first], made[second], f"{cosine:.3f}") for first, second, cosine in pairs],
        "foreign": "foreignness" in seen.rows.columns,
        "here": bool(held.files) if held.is_chosen(which) else selection.weights == "scenes",
    }


VIEWS: Mapping[str, Callable[[Selection, str | None, Held, Seen], Mapping[str, Any]]] = {
    "classes": by_class,
    "blocks": blocks,
    "open": channels,
    "pictures": pictures,
}


def shown_row(seen: Seen, row: int, copy: str | None = None, value: str = "") -> Shown:
    """What is told of one picture."""
    rows = seen.rows
    predicted = rows.predicted
    said = predicted[row] if predicted else ""
    return Shown(row, rows.columns["name"][row], rows.columns["label"][row] or "", said, value, copy)


def copies_of(selection: Selection, which: str | None, held: Held, seen: Seen) -> dict[int, str]:
    """Addresses of small copies by row, of the pictures that are shown and can be had."""
    return {row: address for row in shown_at(seen) if (address := copy_of(selection, which, held, seen, row))}


def copy_of(selection: Selection, which: str | None, held: Held, seen: Seen, row: int) -> str | None:
    """The address of a small copy of a row's picture."""
    index = int(seen.rows.columns["index"][row])
    data = seen.small.get(index)
    if data is None:
        try:
            there = picture(selection, which, held, index)
        except PictureError:
            return None
        data = copied(there[1]) if there else None
    return uri("jpeg", data) if data else None


def python(selection: Selection, which: str | None, held: Held) -> str:
    """The few lines that give the same with the library."""
    ends = (
        "classes, compared = by_class(rows)",
        "for one in compared:",
        "    print(one.compared.block, one.compared.explained, one.probability)",
    )
    if held.is_chosen(which):
        asked = f'model="{selection.model}", weights={selection.weights_told}'
        head = (
            "from explorer import Explorer",
            "from explorer.survey.found import by_class",
            "from explorer.survey.live import live",
            "from explorer.survey.question import Question",
            "from explorer.survey.sources import items\n",
            "explorer, model = Explorer(), " + f'"{selection.model}"',
            f'question = Question(source="pictures", {asked})',
            '*_, last = live(explorer, question, list(items("pictures")))',
            "rows = last.rows",
        )
        return "\n".join((*head, *ends))
    return "\n".join(
        (
            "from explorer.survey.found import by_class",
            "from explorer.survey.shipped import shipped\n",
            f'rows = shipped("{selection.model}", "{selection.weights}")',
            *ends,
        )
    )
