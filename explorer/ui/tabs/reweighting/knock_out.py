"""What each branch of each block is worth: its share taken away, row by row."""

from collections.abc import Iterator
from dataclasses import dataclass

import gradio as gr

from explorer.engine.engine import SINGLE
from explorer.explorer import Explorer
from explorer.figures.colour import painted, scale_of
from explorer.figures.maps import table as table_figure
from explorer.reweighting.ablation import OWED, KnockOut
from explorer.reweighting.branch_weights import blends
from explorer.ui.components import View, render, sentence
from explorer.ui.controls import IDLE, RUNNING, starting, stopping
from explorer.ui.downloads import npz, saved_figure
from explorer.ui.events import Redraw
from explorer.ui.selection import PICK, SLOW, Selection
from explorer.ui.tabs.reweighting.lab import Lab, found_block
from explorer.ui.throttle import throttled
from models.layer_names import short

AXES = {
    "blocks": "block: name",
    "branches": "branch: name",
    "delta": "block branch: logit",
    "logit": ": logit",
}

AT_ONCE = 1.5  # seconds; what is cheaper runs without being asked
MODES = [
    ("removed", "removed"),
    ("frozen to equal", "equal"),
    ("explained: gradient × share", "gradient"),
    ("explained: integrated", "integrated"),
]
NONE = "This model has no split attention: there is no share to take away."


def table(explorer: Explorer, selection: Selection, mode: str) -> Iterator[KnockOut]:
    return explorer.knock_out(*selection.question, target=selection.target, mode=mode)


def draw(explorer: Explorer, selection: Selection, mode: str) -> Iterator[tuple]:
    selection.loaded(explorer)
    for found in throttled(table(explorer, selection, mode)):
        yield page(explorer, selection, found), IDLE if found.done == found.total else RUNNING


@dataclass(frozen=True)
class Pressed:
    """What Run was last pressed for."""

    mode: str = ""
    redraw: Redraw = Redraw()  # noqa: RUF009 - frozen


def draw_if_cheap(
    explorer: Explorer,
    selection: Selection,
    *,
    redraw: Redraw,
    opened: str,
    block: str | None,
    mode: str,
    pressed: Pressed,
) -> Iterator[tuple]:
    """Run at once what takes no time; else say how long it would take, unless Run was pressed meanwhile."""
    if opened != "knock_out" or pressed == Pressed(mode, redraw):
        yield gr.skip(), gr.skip()
        return
    found = found_block(explorer, selection, block)
    can_be = found is not None and (found.learned or mode in OWED)
    if found is None or not can_be or not selection.loaded(explorer).labels:
        yield sentence(SINGLE if can_be else NONE), IDLE
        return
    # Two passes to remember the way, then half a pass on average for each cell.
    run = selection.run(explorer)
    cells = len(blends(run)) * len(found.branches)
    passes = {"gradient": 3 * cells / len(found.branches), "integrated": 20 * cells}
    seconds = passes.get(mode, 2 + cells / 2) * selection.pass_seconds(explorer)
    if seconds <= AT_ONCE:
        yield from draw(explorer, selection, mode)
    else:
        yield sentence(f"Press Run: the table takes about {seconds:.0f} s for {selection.model}."), IDLE


def page(explorer: Explorer, selection: Selection, found: KnockOut) -> str:
    scale = scale_of(found.delta, signed=True)
    return render(
        "knock_out",
        title="Knock-out",
        found=found,
        label=selection.loaded(explorer).labels[found.target],
        colours=painted(found.delta, scale),
        high=scale.high,
        python=selection.python(
            f"asked = {{'target': {found.target}, 'mode': {found.mode!r}}}",
            "*_, table = explorer.knock_out(model, picture, weights, **asked)",
            "print(table.blocks, table.branches, table.delta)",
        ),
    )


def save(explorer: Explorer, selection: Selection, kind: str, mode: str):
    *_, found = table(explorer, selection, mode)
    name = f"{selection.model}_knock_out"
    if kind == "npz":
        return npz(
            name, AXES, blocks=found.blocks, branches=found.branches, delta=found.delta, logit=found.logit
        )
    rows = [short(block) for block in found.blocks]
    title = f"{selection.model}, {selection.loaded(explorer).labels[found.target]}"
    return saved_figure(
        table_figure(found.delta, rows, found.branches, title=title, unit="logit"), kind, name
    )


def build(lab: Lab) -> None:
    with gr.Row(elem_classes="controls"):
        mode = gr.Radio(MODES, value="removed", label="The share of one branch is", min_width=260)
        go = gr.Button("Run", variant="primary", scale=0, min_width=80, elem_id="knock")
        stop = gr.Button("Stop", interactive=False, scale=0, min_width=70, elem_id="knock-stop")
    view = View(elem_id="knock-out")
    pressed = gr.State(Pressed())
    outputs = [view, stop]
    known = {"redraw": lab.redraw, "opened": lab.lens, "block": lab.block, "mode": mode, "pressed": pressed}
    cheap = lab.follower({**lab.wired(draw_if_cheap, **known), "outputs": outputs, **SLOW})
    starting(go, stop)
    noted = go.click(Pressed, [mode, lab.redraw], pressed, **PICK)
    run = noted.then(**lab.wired(draw, mode=mode), outputs=outputs, **SLOW)
    other = mode.input(**cheap, cancels=[run])
    lab.remembered |= {"knock": mode}
    lab.running += [run, other]
    stopping(stop, [run, other])
    lab.saved(view, save, mode=mode)
