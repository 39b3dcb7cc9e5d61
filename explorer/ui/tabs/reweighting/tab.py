"""The Reweighting tab: how the blocks blend across depth, and a lens on the block that is chosen."""

from functools import partial

import gradio as gr
import numpy as np

from explorer.explorer import Explorer
from explorer.figures.shares import across_depth
from explorer.reweighting.branch_weights import blends
from explorer.reweighting.reference_shares import unusual
from explorer.ui.components import View, render
from explorer.ui.controls import Menu, offer, opened, progress_on, switch
from explorer.ui.downloads import npz, saved_figure
from explorer.ui.examples import EXAMPLES, known_to
from explorer.ui.selection import PICK, QUICK, Selection, lane
from explorer.ui.tabs.registry import BuiltTab, TabParts
from explorer.ui.tabs.reweighting import channels, knock_out, two_pictures, what_if, where
from explorer.ui.tabs.reweighting.lab import LENSES, Lab, chosen_block
from models.layer_names import short
from models.probe import Role

OTHER = next(path for path in EXAMPLES if "star" in path.stem)  # to compare with at first


def menu(explorer: Explorer, selection: Selection, block: str | None) -> gr.Dropdown:
    names = [found.block for found in blends(selection.run(explorer))]
    if not names:
        return gr.Dropdown([], value=None)
    return offer([(short(name), name) for name in names], block if block in names else names[-1], block)


def draw_strip(explorer: Explorer, selection: Selection, block: str | None) -> str:
    run = selection.run(explorer)
    blocks = blends(run)
    if not blocks:
        return instead(selection.loaded(explorer).card, run)
    typical = explorer.typical(selection.model, selection.weights) if blocks[0].learned else ()
    return render(
        "strip",
        title="Across depth",
        blocks=blocks,
        branches=blocks[0].branches,
        learned=blocks[0].learned,
        remark=selection.loaded(explorer).card.mixing,
        typical=typical,
        rare=unusual(blocks, typical) if typical else None,
        examples=len(known_to(selection)),
        chosen=chosen_block(blocks, block).block,
        python=selection.python(
            "for block in blends(explorer.inspect(model, picture, weights)):",
            "    print(block.block, dict(zip(block.branches, block.mean)))",
            imports="from explorer.reweighting.branch_weights import blends",
        ),
    )


def instead(card, run) -> str:
    """What a model without branches does, and a link to where it is seen."""
    mixed = run.outputs((Role.MIXED,))
    return render("instead", text=card.mixing, layer=mixed[-1].name if mixed else "")


def draw_typical(explorer: Explorer, selection: Selection, block: str | None) -> str:
    """The same, after computing how the model blends the example pictures."""
    explorer.typical(selection.model, selection.weights, known_to(selection))
    return draw_strip(explorer, selection, block)


def save_strip(explorer: Explorer, selection: Selection, kind: str):
    blocks = blends(selection.run(explorer))
    means, names = np.stack([block.mean for block in blocks]), [block.block for block in blocks]
    name = f"{selection.model}_branch_weights"
    if kind == "npz":
        return npz(name, blocks=names, branches=blocks[0].branches, **{b.block: b.values for b in blocks})
    return saved_figure(
        across_depth([short(n) for n in names], blocks[0].branches, means, title=selection.model), kind, name
    )


BUILDERS = {
    "channels": channels.build,
    "where": where.build,
    "what_if": what_if.build,
    "knock_out": knock_out.build,
    "two": two_pictures.build,
}


def block_picked(event: gr.EventData) -> str:
    """The block that was chosen in the strip."""
    return str(event.block)


def build(parts: TabParts) -> BuiltTab:
    """Lay the tab out: the strip across depth, and the lenses on one block."""
    with gr.Row(elem_classes="views", elem_id="lab"):
        with gr.Column(scale=2, min_width=340):
            block = Menu([], label="Block", elem_id="block", min_width=180)
            strip = View(elem_id="strip")
        with gr.Column(scale=3, min_width=340):
            lens = switch(LENSES, "lenses")
            lab = Lab(
                *(parts.explorer, parts.rail, parts.redraw, lens, parts.saves),
                block=block,
                other=gr.State(str(OTHER)),
            )
            shown = []
            for name, build_lens in BUILDERS.items():
                with gr.Column(visible=name == "channels") as column:
                    build_lens(lab)
                shown.append(column)
    connect(lab, strip)
    lab.follow(lens.change(partial(opened, BUILDERS), lens, shown, **PICK))
    remembered = {"block": block, "lens": lens, **lab.remembered}
    return BuiltTab(remembered=remembered, running=lab.running, links=(strip,), part=block)


def connect(lab: Lab, strip: View) -> None:
    """The strip and the lenses follow the picture and the block."""
    block = lab.block
    depth = {**lab.wired(draw_strip, block=block), "outputs": strip, **lane("strip")}
    fitted = lab.redraw.change(**lab.wired(menu, block=block), outputs=block, **QUICK)
    lab.follow(fitted.success(**depth))
    lab.follow(block.input(**depth))
    lab.follow(strip.pick(block_picked, None, block, **PICK))
    usual = lab.wired(draw_typical, block=block)
    strip.more(**depth | usual | progress_on(strip))
    lab.saved(strip, save_strip)
