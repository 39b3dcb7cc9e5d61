"""What each gate accounts for in a logit, with a pixel a channel, and how far that misses what it changes."""

from collections.abc import Iterator

import numpy as np

from explorer.explorer import Explorer
from explorer.figures.colour import painted, scale_of
from explorer.figures.maps import table as table_figure
from explorer.figures.raster import data_uri
from explorer.reweighting.gate_attribution import GateAttribution, Owed
from explorer.ui.components import render
from explorer.ui.downloads import Saved, npz, saved_figure
from explorer.ui.selection import Selection
from explorer.ui.tabs.reweighting.gated import words
from models.probe import Kind

PASSES = {"gradient": 3, "integrated": 16}  # halves of one pass for each gate, about three for a gradient


def owed(
    explorer: Explorer, selection: Selection, kinds: tuple[Kind, ...], path: str
) -> Iterator[GateAttribution]:
    subject = explorer.input(*selection.question)
    return explorer.reweighting.gate_attribution(subject, selection.target, path, kinds)


def page(explorer: Explorer, selection: Selection, found: GateAttribution) -> str:
    scale = scale_of(np.array([one.total for one in found.owed]), signed=True)
    return render(
        "gate_owed",
        title="Gate by gate",
        found=found,
        label=selection.loaded(explorer).labels[found.target],
        rows=[row(one) for one in found.owed],
        left=[words(gate) for gate in found.gates[found.done :]],
        colours=painted(np.array([[one.total] for one in found.owed]), scale)[:, 0],
        high=scale.high,
        python=selection.python(
            "subject = explorer.input(model, picture, weights)",
            f"asked = {{'target': {found.target}, 'path': {found.path!r}}}",
            "*_, found = explorer.reweighting.gate_attribution(subject, **asked)",
            "print([(one.gate, one.total, one.gap) for one in found.owed])",
        ),
    )


def row(one: Owed) -> dict:
    """One gate: its channels have a scale of their own."""
    scale = scale_of(one.values, signed=True)
    return {
        "words": words(one.gate),
        "owed": one.total,
        "change": one.change,
        "gap": one.gap,
        "pixels": data_uri(painted(one.values.reshape(1, -1), scale)),
        "high": scale.high,
        "channels": one.values.size,
    }


def save(found: GateAttribution, kind: str, name: str, title: str) -> Saved:
    """The values of each gate under its name, and beside them the sums."""
    sums = np.array([[one.total, one.change, one.gap] for one in found.owed])
    if kind == "npz":
        values = {one.gate: one.values for one in found.owed}
        axes = {"gates": "gate: name", "owed_change_gap": "gate number: logit", "": "channel: logit"}
        return npz(name, axes, gates=[one.gate for one in found.owed], owed_change_gap=sums, **values)
    rows, columns = [words(one.gate) for one in found.owed], ("owed", "change", "gap")
    return saved_figure(table_figure(sums, rows, columns, title=title, unit="logit"), kind, name)
