"""Channel gates: how far each channel is open, and which are closed for this picture and for all."""

from collections.abc import Iterator

import gradio as gr
import numpy as np

from explorer.engine.model_input import ModelInput
from explorer.errors import ChoiceError
from explorer.explorer import Explorer
from explorer.figures.colour import Scale, painted
from explorer.figures.gates import gate_rows
from explorer.figures.raster import data_uri
from explorer.reweighting.gate_effects import UsualGates
from explorer.reweighting.gates import CLOSED, Gate, Usual
from explorer.ui.components import View, render, sentence
from explorer.ui.controls import Menu
from explorer.ui.downloads import npz, saved_figure, there
from explorer.ui.examples import EXAMPLES
from explorer.ui.selection import SLOW, Selection, lane
from explorer.ui.tabs.reweighting import gate_lens
from explorer.ui.tabs.reweighting.gated import (
    CHANNEL,
    chosen_gate,
    found_gates,
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


def draw(explorer: Explorer, selection: Selection, gate: str | None, sort: str) -> tuple[str, str]:
    """All gates, and one of them."""
    found = found_gates(explorer, selection, CHANNEL)
    chosen = chosen_gate(found, gate)
    if chosen is None:
        return sentence(none_of(CHANNEL)), ""
    usual = remembered(explorer, selection)
    return strip(selection, found, chosen, sort, usual), inside(selection, chosen, usual)


def draw_inside(explorer: Explorer, selection: Selection, gate: str | None) -> str:
    chosen = chosen_gate(found_gates(explorer, selection, CHANNEL), gate)
    return "" if chosen is None else inside(selection, chosen, remembered(explorer, selection))


def over_examples(explorer: Explorer, selection: Selection, gate: str | None) -> Iterator[str]:
    """The same, picture by picture, with what is usual over those seen so far."""
    chosen = chosen_gate(found_gates(explorer, selection, CHANNEL), gate)
    for usual in throttled(explorer.reweighting.usual_gates(subjects_of(explorer, selection))):
        yield "" if chosen is None else inside(selection, chosen, usual)


def strip(
    selection: Selection, found: tuple[Gate, ...], chosen: Gate, sort: str, usual: UsualGates | None
) -> str:
    """All gates, a row each, a cell a channel."""
    known = {one.name: one for one in usual.gates} if usual else {}
    scale = scale_of(found)
    return render(
        "gates",
        title="Channel gates",
        rows=[row(one, scale, sort, known.get(one.name), chosen=one is chosen) for one in found],
        scale=scale,
        python=selection.python(
            "run = explorer.inspect(model, picture, weights)",
            "for gate in gates(run, Kind.CHANNEL_GATE):",
            "    print(gate.name, gate.mean, gate.closed, gate.values)",
            imports="from explorer.reweighting.gates import gates\nfrom models.probe import Kind",
        ),
    )


def inside(selection: Selection, chosen: Gate, usual: UsualGates | None) -> str:
    """One gate: how its channels are distributed, and which are closed."""
    counts, low, high = chosen.histogram()
    always = next((one.always_closed for one in usual.gates if one.name == chosen.name), ()) if usual else ()
    return render(
        "gate",
        title=words(chosen.name).capitalize(),
        channels=chosen.channels,
        mean=chosen.mean,
        counts=counts,
        low=low,
        high=high,
        threshold=CLOSED,
        closed=chosen.closed,
        always=always,
        listed=MOST_LISTED,
        usual=usual,
        examples=len(EXAMPLES),
        python=python(selection, chosen, compared=usual is not None),
    )


def python(selection: Selection, chosen: Gate, *, compared: bool) -> str:
    """The gate on this picture and, where that is shown, over all examples."""
    usual = [
        'examples = Path("assets/examples")',
        'pictures = [*examples.glob("*.png"), *examples.glob("photographs/*.jpg")]',
        "subjects = [explorer.input(model, one, weights) for one in pictures]",
        "*_, usual = explorer.reweighting.usual_gates(subjects)",
        "print(gate_of(usual.gates, gate.name).always_closed)",
    ]
    imports = "from explorer.reweighting.gates import gate_of, gates"
    return selection.python(
        f'gate = gate_of(gates(explorer.inspect(model, picture, weights)), "{chosen.name}")',
        "print(gate.channels, gate.mean, gate.closed)",
        *(usual if compared else []),
        imports=f"from pathlib import Path\n\n{imports}" if compared else imports,
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
    found = there(found_gates(explorer, selection, CHANNEL))
    name = f"{selection.model}_channel_gates"
    if kind == "npz":
        return npz(name, {"": "channel: openness"}, **{one.name: one.values for one in found})
    rows = {words(one.name): one.values[one.order(sort)] for one in found}
    return saved_figure(gate_rows(rows, scale_of(found), title=selection.model), kind, name)


def save_inside(explorer: Explorer, selection: Selection, kind: str, gate: str | None):
    chosen = chosen_gate(found_gates(explorer, selection, CHANNEL), gate)
    if chosen is None:
        raise ChoiceError(none_of(CHANNEL))
    usual = remembered(explorer, selection)
    known = next((one for one in usual.gates if one.name == chosen.name), None) if usual else None
    more = {"low": known.low, "mean": known.mean, "high": known.high} if known else {}
    axes = {"": "channel: openness", "closed": "closed: channel"}
    closed = np.array(chosen.closed, int)
    return npz(f"{selection.model}_{chosen.name}", axes, values=chosen.values, closed=closed, **more)


def build(lab: Lab) -> None:
    with gr.Row(elem_classes="controls"):
        menu = Menu([], label="Gate", elem_id="gates-gate", min_width=190)
        sort = Menu(SORTS, value="number", label="Order of channels", elem_id="gates-order", min_width=190)
    rows, one = View(elem_id="gates"), View(elem_id="gate")
    quick, what_if = gate_lens.build(lab, CHANNEL, menu, [rows, one], draw, sort=sort)
    gr.on([menu.input, sort.input], **quick)
    # Rows stay as they are when one is chosen among them, so that the arrow keys go on from there.
    alone = {**lab.wired(draw_inside, gate=menu), "outputs": one, **lane("gates")}
    rows.hands_on("pick", "gate", menu).then(**alone).then(**what_if)
    asked = lab.wired(over_examples, gate=menu)
    lab.running.append(one.more(**asked, outputs=one, **SLOW))
    lab.saved(rows, save, sort=sort)
    lab.saved(one, save_inside, gate=menu)
    lab.remembered |= {"gate": menu, "gate_order": sort}
