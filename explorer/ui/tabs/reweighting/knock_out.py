"""What each branch of each block is worth: its share taken away, row by row."""

from collections.abc import Iterator

import gradio as gr

from explorer.engine.engine import SINGLE
from explorer.explorer import Explorer
from explorer.figures.colour import painted, scale_of
from explorer.figures.maps import table as table_figure
from explorer.reweighting.ablation import KnockOut
from explorer.ui.components import View, render, sentence
from explorer.ui.controls import IDLE, RUNNING, stopping
from explorer.ui.downloads import npz, saved_figure
from explorer.ui.selection import PICK, SLOW, Asked, bound
from explorer.ui.tabs.reweighting.lab import Lab, found_block
from explorer.ui.throttle import paced
from models.layer_names import short
from models.probe import Kind

AT_ONCE = 1.5  # seconds; what is cheaper runs without being asked
MODES = [
    ("removed", "removed"),
    ("frozen to equal", "equal"),
    ("explained: gradient × share", "gradient"),
    ("explained: integrated", "integrated"),
]
NONE = "This model has no split attention: there is no share to take away."


def table(explorer: Explorer, asked: Asked, mode: str) -> Iterator[KnockOut]:
    return explorer.knock_out(asked.model, asked.open(), asked.weights, target=asked.target, mode=mode)


def draw(explorer: Explorer, asked: Asked, mode: str) -> Iterator[tuple]:
    asked.loaded(explorer)
    for found in paced(table(explorer, asked, mode)):
        yield page(explorer, asked, found), IDLE if found.done == found.total else RUNNING


def question(mode: str, turn: str) -> str:
    return f"{mode} {turn}"


def draw_if_cheap(
    explorer: Explorer, asked: Asked, turn: str, lens: str, block: str | None, mode: str, pressed: str
) -> Iterator[tuple]:
    """Run at once what takes no time; else say how long it would take, unless Run was pressed meanwhile."""
    if lens != "knock_out" or pressed == question(mode, turn):
        yield gr.skip(), gr.skip()
        return
    found = found_block(explorer, asked, block)
    if found is None or not found.learned or not asked.loaded(explorer).labels:
        yield sentence(SINGLE if found is not None and found.learned else NONE), IDLE
        return
    # Two passes to remember the way, then half a pass on average for each cell.
    run = asked.run(explorer)
    cells = len(run.of(Kind.BRANCH_WEIGHTS)) * len(found.branches)
    passes = {"gradient": 3 * cells / len(found.branches), "integrated": 20 * cells}
    seconds = passes.get(mode, 2 + cells / 2) * asked.pass_seconds(explorer)
    if seconds <= AT_ONCE:
        yield from draw(explorer, asked, mode)
    else:
        yield sentence(f"Press Run: the table takes about {seconds:.0f} s for {asked.model}."), IDLE


def page(explorer: Explorer, asked: Asked, found: KnockOut) -> str:
    scale = scale_of(found.delta, signed=True)
    return render(
        "knock_out",
        title="Knock-out",
        found=found,
        label=asked.loaded(explorer).labels[found.target],
        colours=painted(found.delta, scale),
        high=scale.high,
        python=asked.python(
            f"*_, table = explorer.knock_out(model, picture, weights, mode={found.mode!r})",
            "print(table.blocks, table.branches, table.delta)",
        ),
    )


def save(explorer: Explorer, asked: Asked, kind: str, mode: str):
    *_, found = table(explorer, asked, mode)
    name = f"{asked.model}_knock_out"
    if kind == "npz":
        return npz(name, blocks=found.blocks, branches=found.branches, delta=found.delta, logit=found.logit)
    rows = [short(block) for block in found.blocks]
    title = f"{asked.model}, {asked.loaded(explorer).labels[found.target]}"
    return saved_figure(
        table_figure(found.delta, rows, found.branches, title=title, unit="logit"), kind, name
    )


def build(lab: Lab) -> None:
    with gr.Row(elem_classes="controls"):
        mode = gr.Radio(MODES, value="removed", label="The share of one branch is", min_width=260)
        go = gr.Button("Run", variant="primary", scale=0, min_width=80, elem_id="knock")
        stop = gr.Button("Stop", interactive=False, scale=0, min_width=70, elem_id="knock-stop")
    view = View(elem_id="knock-out")
    pressed = gr.State("")  # what Run was last pressed for
    inputs, outputs = [*lab.rail.inputs, mode], [view, stop]
    cheap = lab.follower(
        {
            "fn": bound(draw_if_cheap, lab.explorer),
            "inputs": [*lab.inputs, mode, pressed],
            "outputs": outputs,
            **SLOW,
        }
    )
    run = go.click(question, [mode, lab.turn], pressed, **PICK).then(
        bound(draw, lab.explorer), inputs, outputs, **SLOW
    )
    other = mode.input(**cheap, cancels=[run])
    lab.running += [run, other]
    stopping(stop, [run, other])
    lab.saves.wire(view, bound(save, lab.explorer), lab.rail.inputs, [mode])
