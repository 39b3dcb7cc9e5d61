"""Channel gates: how far each channel is open, and which are closed for this picture and for all."""

from collections.abc import Iterator

import gradio as gr

from explorer.engine.model_input import ModelInput
from explorer.explorer import Explorer
from explorer.figures.colour import Scale, painted
from explorer.figures.gates import gate_rows
from explorer.figures.raster import data_uri
from explorer.reweighting.gate_effects import UsualGates
from explorer.reweighting.gates import CLOSED, Gate, Usual
from explorer.ui.components import View, render, sentence
from explorer.ui.controls import Menu
from explorer.ui.downloads import npz, saved_figure
from explorer.ui.examples import EXAMPLES
from explorer.ui.selection import PICK, SLOW, Selection
from explorer.ui.tabs.reweighting import gate_table, gate_what_if
from explorer.ui.tabs.reweighting.gated import (
    CHANNEL,
    chosen_gate,
    found_gates,
    gate_picked,
    menu_of,
    none_of,
    words,
)
from explorer.ui.tabs.reweighting.lab import Lab
from explorer.ui.throttle import throttled

SORTS = [
    ("by number", "number"),
    ("by openness", "openness"),
    ("by deviation from the examples", "deviation"),
]
MOST_LISTED = 24  # closed channels by their number


def subjects_of(explorer: Explorer, selection: Selection) -> list[ModelInput]:
    """The example pictures, as the model sees them."""
    return [explorer.input(selection.model, path, selection.weights) for path in EXAMPLES]


def remembered(explorer: Explorer, selection: Selection) -> UsualGates | None:
    """How far gates are open over the examples, where that has been asked before."""
    subjects = subjects_of(explorer, selection)
    if not explorer.reweighting.knows_usual_gates(subjects):
        return None
    return next(explorer.reweighting.usual_gates(subjects))


def draw(explorer: Explorer, selection: Selection, gate: str | None, sort: str) -> str:
    found = found_gates(explorer, selection, CHANNEL)
    if not found:
        return sentence(none_of(CHANNEL))
    return page(selection, found, gate, sort, remembered(explorer, selection))


def over_examples(explorer: Explorer, selection: Selection, gate: str | None, sort: str) -> Iterator[str]:
    """The same, picture by picture, with what is usual over those seen so far."""
    found = found_gates(explorer, selection, CHANNEL)
    for usual in throttled(explorer.reweighting.usual_gates(subjects_of(explorer, selection))):
        yield page(selection, found, gate, sort, usual)


def page(
    selection: Selection, found: tuple[Gate, ...], gate: str | None, sort: str, usual: UsualGates | None
) -> str:
    known = {one.name: one for one in usual.gates} if usual else {}
    chosen = chosen_gate(found, gate)
    assert chosen is not None
    counts, low, high = chosen.histogram()
    scale = scale_of(found)
    always = known[chosen.name].always_closed if known else ()
    return render(
        "gates",
        title="Channel gates",
        rows=[row(one, scale, sort, known.get(one.name), chosen=one is chosen) for one in found],
        scale=scale,
        chosen=words(chosen.name),
        channels=chosen.channels,
        counts=counts,
        low=low,
        high=high,
        threshold=CLOSED,
        closed=chosen.closed,
        always=always,
        listed=MOST_LISTED,
        usual=usual,
        examples=len(EXAMPLES),
        python=selection.python(
            "run = explorer.inspect(model, picture, weights)",
            "for gate in gates(run, Kind.CHANNEL_GATE):",
            "    print(gate.name, gate.mean, gate.closed, gate.values)",
            imports="from explorer.reweighting.gates import gates\nfrom models.probe import Kind",
        ),
    )


def scale_of(found: tuple[Gate, ...]) -> Scale:
    """From closed to open, or as far as values go beyond."""
    low = min(float(one.values.min()) for one in found)
    high = max(float(one.values.max()) for one in found)
    return Scale(min(low, 0.0), max(high, 1.0), signed=False)


def row(gate: Gate, scale: Scale, sort: str, usual: Usual | None, *, chosen: bool) -> dict:
    """One gate of the strip, a pixel a channel."""
    order = gate.order(sort, None if usual is None else usual.mean)
    return {
        "gate": gate.name,
        "words": words(gate.name),
        "pixels": data_uri(painted(gate.values[None, order], scale)),
        "mean": gate.mean,
        "chosen": chosen,
    }


def save(explorer: Explorer, selection: Selection, kind: str, sort: str):
    found = found_gates(explorer, selection, CHANNEL)
    name = f"{selection.model}_channel_gates"
    if kind == "npz":
        return npz(name, **{one.name: one.values for one in found})
    rows = {words(one.name): one.values[one.order(sort)] for one in found}
    return saved_figure(gate_rows(rows, scale_of(found), title=selection.model), kind, name)


def build(lab: Lab) -> None:
    with gr.Row(elem_classes="controls"):
        menu = menu_of(lab, CHANNEL)
        sort = Menu(SORTS, value="number", label="Order of channels", elem_id="gates-order", min_width=190)
    view = View(elem_id="gates")
    drawn = lab.follower(lab.listener("gates", draw, [view], gate=menu, sort=sort))
    gr.on([menu.input, sort.input], **drawn)
    view.pick(gate_picked, None, menu, **PICK).then(**drawn)
    asked = lab.wired(over_examples, gate=menu, sort=sort)
    lab.running.append(view.more(**asked, outputs=view, **SLOW))
    lab.saved(view, save, sort=sort)
    lab.remembered |= {"gate": menu}
    gate_what_if.build(lab, CHANNEL, menu)
    gate_table.build(lab, CHANNEL)
