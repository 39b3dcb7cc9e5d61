"""What each gate is worth, row by row: made flat, opened, closed; or explained by gradients."""

from collections.abc import Iterator
from functools import partial

import gradio as gr

from explorer.engine.engine import SINGLE
from explorer.explorer import Explorer
from explorer.figures.colour import painted, scale_of
from explorer.figures.maps import table as table_figure
from explorer.reweighting.gate_effects import GateEffects
from explorer.ui.components import View, render, sentence
from explorer.ui.controls import IDLE, RUNNING, Control, starting, stopping
from explorer.ui.downloads import npz, saved_figure
from explorer.ui.selection import SLOW, Selection
from explorer.ui.tabs.reweighting import gate_owed
from explorer.ui.tabs.reweighting.gated import LENS_OF, found_gates, words
from explorer.ui.tabs.reweighting.lab import Lab
from explorer.ui.throttle import throttled
from models.probe import Kind

AXES = {"gates": "gate: name", "modes": "change: name", "delta": "gate change: logit", "logit": ": logit"}

AT_ONCE = 1.5  # seconds; what is cheaper runs without being asked
CHANGED = "changed"
MODES = [
    ("changed", CHANGED),
    ("explained: gradient × gate", "gradient"),
    ("explained: integrated from flat", "integrated"),
]


def table(explorer: Explorer, selection: Selection, kinds: tuple[Kind, ...]) -> Iterator[GateEffects]:
    subject = explorer.input(*selection.question)
    return explorer.reweighting.gate_effects(subject, selection.target, kinds)


def draw(
    explorer: Explorer, selection: Selection, *, kinds: tuple[Kind, ...], worth: str = CHANGED
) -> Iterator[tuple]:
    selection.loaded(explorer)
    if worth == CHANGED:
        for found in throttled(table(explorer, selection, kinds)):
            yield page(explorer, selection, found), IDLE if found.done == found.total else RUNNING
        return
    for explained in throttled(gate_owed.owed(explorer, selection, kinds, worth)):
        done = explained.done == explained.total
        yield gate_owed.page(explorer, selection, explained), IDLE if done else RUNNING


def draw_if_cheap(
    explorer: Explorer, selection: Selection, *, kinds: tuple[Kind, ...], worth: str = CHANGED
) -> Iterator[tuple]:
    """Run at once what takes no time; else say how long it would take."""
    found = found_gates(explorer, selection, kinds)
    if not found or not selection.loaded(explorer).labels:
        yield sentence(SINGLE) if found else "", IDLE
        return
    # Two passes to remember the way, then for each gate four halves of one, or some gradients.
    passes = 2 + gate_owed.PASSES.get(worth, 2) * len(found)
    seconds = passes * selection.pass_seconds(explorer)
    if seconds <= AT_ONCE:
        yield from draw(explorer, selection, kinds=kinds, worth=worth)
    else:
        yield sentence(f"Press Run: the table takes about {seconds:.0f} s for {selection.model}."), IDLE


def page(explorer: Explorer, selection: Selection, found: GateEffects) -> str:
    scale = scale_of(found.delta, signed=True)
    return render(
        "gate_table",
        title="Gate by gate",
        found=found,
        label=selection.loaded(explorer).labels[found.target],
        rows=[words(gate) for gate in found.gates],
        colours=painted(found.delta, scale),
        high=scale.high,
        python=selection.python(
            "subject = explorer.input(model, picture, weights)",
            f"*_, table = explorer.reweighting.gate_effects(subject, target={found.target})",
            "print(table.gates, table.modes, table.delta)",
        ),
    )


def save(
    explorer: Explorer, selection: Selection, kind: str, *, kinds: tuple[Kind, ...], worth: str = CHANGED
):
    labels = selection.loaded(explorer).labels
    if worth != CHANGED:
        *_, explained = gate_owed.owed(explorer, selection, kinds, worth)
        title = f"{selection.model}, {labels[explained.target]}"
        return gate_owed.save(explained, kind, f"{selection.model}_gates_{worth}", title)
    *_, found = table(explorer, selection, kinds)
    name = f"{selection.model}_gate_effects"
    if kind == "npz":
        return npz(name, AXES, gates=found.gates, modes=found.modes, delta=found.delta, logit=found.logit)
    title, rows = f"{selection.model}, {labels[found.target]}", [words(gate) for gate in found.gates]
    return saved_figure(table_figure(found.delta, rows, found.modes, title=title, unit="logit"), kind, name)


def build(lab: Lab, kinds: tuple[Kind, ...]) -> tuple[View, gr.Button, Control]:
    """The view, the button that stops, and the control of what the table is of."""
    lens = LENS_OF[kinds]
    with gr.Row(elem_classes="controls"):
        worth = gr.Radio(MODES, value=CHANGED, label="Each gate is", min_width=260, elem_id=f"{lens}-worth")
        go = gr.Button("Run", variant="primary", scale=0, min_width=80, elem_id=f"{lens}-run")
        stop = gr.Button("Stop", interactive=False, scale=0, min_width=70, elem_id=f"{lens}-stop")
    view = View(elem_id=f"{lens}-table")
    starting(go, stop)
    run = go.click(**lab.wired(partial(draw, kinds=kinds), worth=worth), outputs=[view, stop], **SLOW)
    cheap = lab.wired(partial(draw_if_cheap, kinds=kinds), worth=worth)
    other = worth.input(**cheap, outputs=[view, stop], **SLOW, cancels=[run])
    lab.running += [run, other]
    stopping(stop, [run, other])
    lab.remembered |= {f"{lens}_worth": worth}
    lab.saved(view, partial(save, kinds=kinds), worth=worth)
    return view, stop, worth
