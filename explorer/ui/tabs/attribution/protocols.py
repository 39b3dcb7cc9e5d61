"""Methods and families by one protocol, with intervals and controls, and which method to believe."""

from collections.abc import Iterable

import gradio as gr
import numpy as np

from explorer.attribution.benchmark.belief import Belief, beliefs
from explorer.attribution.benchmark.protocols import PROTOCOLS
from explorer.attribution.benchmark.shipped import WITH_OTHER_WEIGHTS, Shipped, shipped
from explorer.attribution.benchmark.spread import believed_in, spread
from explorer.attribution.benchmark.trainings import trainings
from explorer.attribution.benchmark.truth_lab import nanos
from explorer.attribution.registry import METHODS
from explorer.errors import ChoiceError
from explorer.explorer import Explorer
from explorer.ui.components import View, render, sentence
from explorer.ui.controls import QUIET, Control, Menu
from explorer.ui.downloads import Saved, npz
from explorer.ui.selection import QUICK, Selection, wired
from explorer.ui.tabs.attribution import behind
from explorer.ui.tabs.registry import TabParts
from models import card

FIRST = "difull"
SOURCES = {"scenes": "", "photographs": ", photographs"}
PYTHON = """from explorer.attribution.benchmark.shipped import shipped

for row in shipped():
    print(row.protocol, row.model, row.source, row.method, row.found, row.clears)"""


def choices() -> list[tuple[str, str]]:
    """The protocols there are results of, scenes and photographs apart."""
    there = {(row.protocol, row.source) for row in shipped()}
    return [
        (PROTOCOLS[name].title + SOURCES[source], name if source == "scenes" else f"{name}-{source}")
        for name in PROTOCOLS
        for source in SOURCES
        if (name, source) in there
    ]


def told(choice: str) -> tuple[str, str]:
    """The protocol and the kind of pictures that are chosen."""
    name, _, source = choice.partition("-")
    return name, source or "scenes"


def rows_of(choice: str) -> list[Shipped]:
    """What was measured by the protocol and over the pictures that are chosen."""
    return [row for row in shipped() if (row.protocol, row.source) == told(choice)]


def page(choice: str, model: str) -> str:
    """The table of one protocol, and what all of them say of the model that is chosen."""
    name, source = told(choice)
    found = {(row.method, row.model): row for row in rows_of(choice)}
    names = sorted({model for _, model in found})
    methods = [method for method in METHODS if any(method == one for one, _ in found)]
    least = PROTOCOLS[name].least
    cells = {method: [cell(found.get((method, one)), least) for one in names] for method in methods}
    base = model.partition("@")[0]
    found_beliefs = beliefs(shipped(), base, source)
    apart = spreads(name) if source == "scenes" else []
    return render(
        "protocols",
        title=PROTOCOLS[name].title,
        measures=PROTOCOLS[name].measures,
        families=[card(one).family for one in names],
        rows=[(METHODS[method].title, cells[method]) for method in methods],
        apart=apart,
        most=max((value for one in apart for value in one["spreads"]), default=1),
        trainings=len(trained()),
        pictures=max(row.pictures for row in found.values()),
        model=base,
        believed=[one for one in ranking(found_beliefs, base) if one["clears"]],
        best=next((one.method for one in found_beliefs if one.is_believed), None),
        titles={method: METHODS[method].title for method in methods},
        python=PYTHON,
    )


def trained() -> dict[str, tuple[Shipped, ...]]:
    """What ships of every training; nothing where the file is missing."""
    try:
        return trainings()
    except ChoiceError:
        return {}


def spreads(protocol: str) -> list[dict]:
    """How far methods, trainings and pictures set the scores of each family apart by one protocol."""
    found = {name: spread(trained(), protocol, name) for name in nanos()}
    return [
        {
            "family": card(name).family,
            "spreads": (one.methods, one.trainings, one.pictures),
            "is_told": one.is_told,
        }
        for name, one in found.items()
        if one
    ]


def ranking(found: Iterable[Belief], model: str) -> list[dict]:
    """The methods of a model with the protocols in which each clears the controls, and fails to."""
    again = believed_in(trained(), model)
    return [
        {
            "title": METHODS[one.method].title,
            "clears": [PROTOCOLS[name].title for name in one.clears],
            "fails": [PROTOCOLS[name].title for name in one.fails],
            "of": len(one.clears) + len(one.fails),
            "again": again.get(one.method, 0) if one.is_believed else None,
        }
        for one in found
    ]


def cell(row: Shipped | None, least: float = 0.0) -> dict:
    """A value with the ends of its interval and the bar of the controls, each a percentage of the cell.

    least: the value at the left side of the cell; at the right side it is 1.
    """
    if row is None or row.found is None:
        return {"value": None, "reason": row.reason if row else ""}
    ends = {"low": row.found.low, "high": row.found.high, "bar": row.bar or 0.0}
    shares = {name: (one - least) / (1 - least) for name, one in ends.items()}
    placed = {name: round(100 * min(max(one, 0.0), 1.0), 1) for name, one in shares.items()}
    is_here = row.source == "scenes" and row.protocol not in WITH_OTHER_WEIGHTS
    shown = f"{row.method}/{row.model}" if is_here else None
    return {"value": row.found.value, "clears": row.clears, "reason": "", "shown": shown, **placed}


def save(_explorer: Explorer, _selection: Selection, kind: str, *, protocol: str) -> Saved:
    """The rows of one protocol, one value of each array a row; what was not measured is no number."""
    rows = rows_of(protocol)
    ends = {
        end: np.array([getattr(row.found, end) if row.found else np.nan for row in rows], float)
        for end in ("value", "low", "high")
    }
    return npz(
        f"protocol_{protocol}",
        {"methods": "row: name", "models": "row: name", "pictures": "row: count", "": "row: value"},
        methods=[row.method for row in rows],
        models=[row.model for row in rows],
        controls_up_to=np.array([row.bar for row in rows], float),
        pictures=[row.pictures for row in rows],
        **ends,
    )


def draw(_explorer: Explorer, selection: Selection, *, protocol: str) -> str:
    return page(protocol, selection.model)


def build(parts: TabParts) -> tuple[list, dict[str, Control]]:
    """Gives the events that can be stopped, and the control of a link."""
    try:
        offered = choices()
        first = page(FIRST, "")
    except ChoiceError as error:
        View(sentence(str(error)), elem_id="protocols")
        return [], {}
    with gr.Row(elem_classes="controls"):
        protocol = Menu(offered, value=FIRST, label="Protocol", elem_id="protocol", min_width=240)
    view = View(first, elem_id="protocols")
    asks = wired(parts.explorer, parts.rail, draw, protocol=protocol)
    parts.saves.wire(view, parts.explorer, parts.rail, save, protocol=protocol)
    protocol.input(**asks, outputs=view, **QUIET)
    parts.redraw.change(**asks, outputs=view, **QUICK)
    running = behind.build(parts, view, protocol)
    return running, {"protocol": protocol}
