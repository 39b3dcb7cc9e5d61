"""The "Reweighting" tab: how the blocks blend across depth, and a lens on the block that is chosen."""

from functools import partial

import gradio as gr
import numpy as np

from explorer.explorer import Explorer
from explorer.figures.shares import across_depth
from explorer.reweighting.branch_weights import blends
from explorer.ui.components import View, picked, render
from explorer.ui.controls import Menu, offer, opened, switch
from explorer.ui.downloads import Saves, npz, saved_figure
from explorer.ui.picture_upload import EXAMPLES
from explorer.ui.selection import PICK, QUICK, Asked, Rail, Tab, bound, lane
from explorer.ui.tabs.reweighting import channels, knock_out, two_pictures, what_if, where
from explorer.ui.tabs.reweighting.lab import LENSES, Lab, chosen_block
from models.layer_names import short
from models.probe import Role

OTHER = next(path for path in EXAMPLES if "star" in path.stem)  # to compare with at first


def menu(explorer: Explorer, asked: Asked, block: str | None) -> gr.Dropdown:
    names = [found.block for found in blends(asked.run(explorer))]
    if not names:
        return gr.Dropdown([], value=None)
    return offer([(short(name), name) for name in names], block if block in names else names[-1], block)


def draw_strip(explorer: Explorer, asked: Asked, block: str | None) -> str:
    run = asked.run(explorer)
    blocks = blends(run)
    if not blocks:
        return instead(asked.loaded(explorer).card, run)
    typical = explorer.typical(asked.model, asked.weights) if blocks[0].learned else ()
    return render(
        "strip",
        title="Across depth",
        blocks=blocks,
        branches=blocks[0].branches,
        learned=blocks[0].learned,
        remark=asked.loaded(explorer).card.mixing,
        typical=typical,
        examples=len(EXAMPLES),
        chosen=chosen_block(blocks, block).block,
        python=asked.python(
            "for block in blends(explorer.inspect(model, picture, weights)):",
            "    print(block.block, dict(zip(block.branches, block.mean)))",
            imports="from explorer.reweighting.branch_weights import blends",
        ),
    )


def instead(card, run) -> str:
    """What a model without branches does, and a door to where it is seen."""
    mixed = run.outputs((Role.MIXED,))
    return render("instead", text=card.mixing, layer=mixed[-1].name if mixed else "")


def draw_typical(explorer: Explorer, asked: Asked, block: str | None) -> str:
    """The same, after computing how the model blends the example pictures."""
    explorer.typical(asked.model, asked.weights, EXAMPLES)
    return draw_strip(explorer, asked, block)


def save_strip(explorer: Explorer, asked: Asked, kind: str):
    blocks = blends(asked.run(explorer))
    means, names = np.stack([block.mean for block in blocks]), [block.block for block in blocks]
    name = f"{asked.model}_branch_weights"
    if kind == "npz":
        return npz(name, blocks=names, branches=blocks[0].branches, **{b.block: b.values for b in blocks})
    return saved_figure(
        across_depth([short(n) for n in names], blocks[0].branches, means, title=asked.model), kind, name
    )


def build(explorer: Explorer, rail: Rail, turn: gr.Textbox, saves: Saves) -> tuple[View, Tab]:
    with gr.Row(elem_classes="views", elem_id="lab"):
        with gr.Column(scale=2, min_width=340):
            block = Menu([], label="Block", elem_id="block", min_width=180)
            strip = View(elem_id="strip")
        with gr.Column(scale=3, min_width=340):
            lens = switch(LENSES, "lenses")
            lab = Lab(explorer, rail, turn, lens, saves, block=block, other=gr.State(str(OTHER)))
            shown = []
            for name, build_lens in BUILDERS.items():
                with gr.Column(visible=name == "channels") as column:
                    build_lens(lab)
                shown.append(column)
    depth = {
        "fn": bound(draw_strip, explorer),
        "inputs": [*rail.inputs, block],
        "outputs": strip,
        **lane("strip"),
    }
    fitted = turn.change(bound(menu, explorer), [*rail.inputs, block], block, **QUICK)
    lab.follow(fitted.success(**depth))
    lab.follow(block.input(**depth))
    lab.follow(strip.pick(picked, None, block, **PICK))
    strip.more(**{**depth, "fn": bound(draw_typical, explorer), "show_progress": "minimal"})
    lab.follow(lens.change(partial(opened, BUILDERS), lens, shown, **PICK))
    saves.wire(strip, bound(save_strip, explorer), rail.inputs, [])
    named = {"block": block, "lens": lens, **lab.named}
    return strip, Tab(address=named, running=lab.running)


BUILDERS = {
    "channels": channels.build,
    "where": where.build,
    "what_if": what_if.build,
    "knock_out": knock_out.build,
    "two": two_pictures.build,
}
