"""The Reweighting tab: how the blocks blend across depth, and a lens on the block that is chosen."""

from collections.abc import Iterator
from functools import partial

import gradio as gr
import numpy as np

from explorer.capture import Run
from explorer.explorer import Explorer
from explorer.figures.shares import across_depth
from explorer.reweighting.branch_weights import blends
from explorer.reweighting.gates import KINDS
from explorer.reweighting.gates import gates as gates_of
from explorer.reweighting.reference_shares import SharesSoFar, unusual
from explorer.survey.usual import SURVEY
from explorer.ui.components import View, render
from explorer.ui.controls import IDLE, RUNNING, Menu, offer, opened, switch
from explorer.ui.downloads import npz, saved_figure, there
from explorer.ui.examples import EXAMPLES, known_to
from explorer.ui.selection import PICK, QUICK, Selection, lane
from explorer.ui.tabs.registry import BuiltTab, TabParts
from explorer.ui.tabs.reweighting import (
    channels,
    gates,
    knock_out,
    other_gates,
    two_pictures,
    typical_shares,
    what_if,
    where,
)
from explorer.ui.tabs.reweighting.gated import CHANNEL, OTHERS
from explorer.ui.tabs.reweighting.lab import LENSES, Lab, chosen_block
from explorer.ui.tabs.reweighting.other_picture import OtherBox
from explorer.ui.tabs.reweighting.typical_shares import OWN, Own, Whose, usual
from explorer.ui.tabs.survey.source import NONE, Held
from models import card
from models.layer_names import short
from models.probe import Role

OTHER = next(path for path in EXAMPLES if "star" in path.stem)  # to compare with at first


def fitted(explorer: Explorer, selection: Selection, block: str | None, lens: str) -> tuple:
    """The menu of blocks, a lens that shows something of this model, room for the strip, and for buttons."""
    run = selection.run(explorer)
    found = blends(run)
    names = [one.block for one in found]
    fitting = lens_for(run, lens)
    switched = gr.skip() if fitting == lens else gr.Radio(value=fitting)
    said = gr.Column(visible=bool(names or card(selection.model).mixing or not gates_of(run)))
    buttons = gr.Row(visible=bool(found and found[0].learned))
    if not names:
        return gr.Dropdown([], value=None, visible=False), switched, said, buttons
    blocks = [(short(name), name) for name in names]
    menu = offer(blocks, block if block in names else names[-1], block, visible=True)
    return menu, switched, said, buttons


def lens_for(run: Run, lens: str) -> str:
    """The lens itself, unless another one alone has something to show."""
    shows = {**dict.fromkeys(LENSES, bool(blends(run))), "gates": bool(gates_of(run, *CHANNEL))}
    shows |= {"others": bool(gates_of(run, *OTHERS))}
    return lens if shows[lens] else next((one for one in LENSES if shows[one]), lens)


def draw_strip(
    explorer: Explorer,
    selection: Selection,
    block: str | None,
    own: Own = (),
    of: str = OWN,
    held: Held = NONE,
    so_far: SharesSoFar | None = None,
) -> str:
    """All blocks, beside what is typical: as far as it is computed just now, or as known.

    of: whether of own pictures, where there are some, of a survey, or as it comes along.
    """
    mine_too = own if of == OWN else ()
    run = selection.run(explorer)
    blocks = blends(run)
    if not blocks:
        return instead(selection.loaded(explorer).card.mixing, run)
    learned = blocks[0].learned
    survey = held if of == SURVEY else None
    typical, mine = usual(explorer, selection, mine_too, so_far, survey) if learned else ((), False)
    return render(
        "strip",
        title="Across depth",
        blocks=blocks,
        branches=blocks[0].branches,
        learned=learned,
        remark=selection.loaded(explorer).card.mixing,
        typical=typical,
        mine=mine,
        so_far=so_far,
        rare=unusual(blocks, typical) if typical else None,
        examples=len(known_to(selection)),
        own=len(mine_too),
        chosen=chosen_block(blocks, block).block,
        python=selection.python(
            "for block in blends(explorer.inspect(model, picture, weights)):",
            "    print(block.block, dict(zip(block.branches, block.mean)))",
            imports="from explorer.reweighting.branch_weights import blends",
        ),
    )


def instead(mixing: str, run: Run) -> str:
    """What a model without branches does, a link to where it is seen, and how many gates it has."""
    mixed = run.outputs((Role.MIXED,))
    counts = {name: len(gates_of(run, kind)) for kind, name in KINDS.items()}
    told = {name: count for name, count in counts.items() if count}
    return render("instead", text=mixing, layer=mixed[-1].name if mixed else "", gates=told)


def draw_typical(explorer: Explorer, selection: Selection, block: str | None, own: Own) -> Iterator[tuple]:
    """The same, picture by picture, with what is typical over those seen so far; and the Stop button."""
    for so_far in typical_shares.computed(explorer, selection, own):
        stop = IDLE if so_far.done == so_far.total else RUNNING
        yield draw_strip(explorer, selection, block, own, so_far=so_far), stop


def save_strip(explorer: Explorer, selection: Selection, kind: str):
    blocks = there(blends(selection.run(explorer)))
    means, names = np.stack([block.mean for block in blocks]), [block.block for block in blocks]
    name = f"{selection.model}_branch_weights"
    if kind == "npz":
        return npz(
            name, AXES, blocks=names, branches=blocks[0].branches, **{b.block: b.values for b in blocks}
        )
    return saved_figure(
        across_depth([short(n) for n in names], blocks[0].branches, means, title=selection.model), kind, name
    )


AXES = {"blocks": "block: name", "branches": "branch: name", "": "branch channel: share"}
BUILDERS = {
    "channels": channels.build,
    "where": where.build,
    "what_if": what_if.build,
    "knock_out": knock_out.build,
    "two": two_pictures.build,
    "gates": gates.build,
    "others": other_gates.build,
}


def build(parts: TabParts) -> BuiltTab:
    """Lay the tab out: the strip across depth, and the lenses on one block."""
    with gr.Row(elem_classes="views", elem_id="lab"):
        with gr.Column(scale=2, min_width=340) as depth:
            block = Menu([], label="Block", elem_id="block", min_width=180)
            strip = View(elem_id="strip")
            whose = typical_shares.build()
        with gr.Column(scale=3, min_width=340):
            lens = switch(LENSES, "lenses")
            lab = Lab(
                *(parts.explorer, parts.rail, parts.redraw, lens, parts.saves),
                block=block,
                other=OtherBox(str(OTHER)),
                own=gr.State(()),
                of=whose.of,
                held=parts.held,
            )
            shown = []
            for name, build_lens in BUILDERS.items():
                with gr.Column(visible=name == "channels") as column:
                    build_lens(lab)
                shown.append(column)
    connect(lab, strip, depth, whose)
    lab.follow(lens.change(partial(opened, BUILDERS), lens, shown, **PICK))
    remembered = {"block": block, "lens": lens, "other": lab.other, **lab.remembered}
    begun, running = [*lab.begun, lab.own], lab.running
    return BuiltTab(remembered=remembered, begun=begun, running=running, links=(strip,), part=block)


def connect(lab: Lab, strip: View, column: gr.Column, whose: Whose) -> None:
    """The strip and the lenses follow the picture and the block; the column is that of the strip."""
    block = lab.block
    asks = lab.wired(draw_strip, block=block, own=lab.own, of=lab.of, held=lab.held)
    depth = {**asks, "outputs": strip, **lane("strip")}
    fits = lab.wired(fitted, block=block, lens=lab.lens)
    fitting = [block, lab.lens, column, whose.row]
    lab.follow(lab.redraw.change(**fits, outputs=fitting, **QUICK).success(**depth))
    lab.follow(block.input(**depth))
    lab.follow(strip.hands_on("pick", "block", block))
    lab.saved(strip, save_strip)
    typical_shares.connect(lab, strip, whose, draw_typical, depth)
