"""The "Reweighting" tab: the shares of the branches across depth, and inside one block."""

import gradio as gr
import numpy as np
from einops import repeat

from explorer.figures.colour import Scale, painted
from explorer.figures.shares import across_depth, inside_block
from explorer.reweighting import BlockWeights, block_of, branch_weights
from explorer.session import Explorer
from explorer.ui.asked import PICK, QUICK, Asked, Rail, Tab, bound
from explorer.ui.controls import Menu
from explorer.ui.save import Saves, npz, saved_figure
from explorer.ui.view import View, picked, render, sentence
from explorer.ui.words import short

SORTS = ("number", "height", "width", "channel", "entropy")
NONE = "This model has no split attention: nothing decides how its branches are blended."
EXTREMES = 5


def all_blocks(explorer: Explorer, asked: Asked) -> tuple[BlockWeights, ...]:
    return branch_weights(asked.run(explorer))


def menu(explorer: Explorer, asked: Asked, block: str | None) -> gr.Dropdown:
    names = [found.block for found in all_blocks(explorer, asked)]
    if not names:
        return gr.Dropdown([], value=None)
    return gr.Dropdown([(short(name), name) for name in names], value=block if block in names else names[-1])


def draw_strip(explorer: Explorer, asked: Asked, block: str | None) -> str:
    blocks = all_blocks(explorer, asked)
    if not blocks:
        return sentence(NONE)
    return render(
        "strip",
        title="Across depth",
        blocks=blocks,
        branches=blocks[0].branches,
        chosen=block,
        python=asked.python(
            "for block in branch_weights(explorer.inspect(model, picture, weights)):",
            "    print(block.block, dict(zip(block.branches, block.mean)))",
            imports="from explorer.reweighting import branch_weights",
        ),
    )


def chosen_block(blocks: tuple[BlockWeights, ...], name: str | None) -> BlockWeights:
    """The block of that name; a name left over from another model counts as the last block."""
    return block_of(blocks, name) if name in [block.block for block in blocks] else blocks[-1]


def draw_inside(explorer: Explorer, asked: Asked, block: str | None, sort: str) -> str:
    blocks = all_blocks(explorer, asked)
    if not blocks:
        return ""
    found = chosen_block(blocks, block)
    pixels = painted(found.values[:, found.order(sort)], Scale(0, 1, signed=False))
    one_sided = found.order("entropy")[::-1][:EXTREMES]
    return render(
        "inside",
        title=short(found.block).capitalize(),
        branches=found.branches,
        channels=found.values.shape[1],
        rows=repeat(pixels, "branches c rgb -> branches 1 c rgb"),
        mean=found.mean,
        extremes=[{"channel": int(c), "shares": found.values[:, c]} for c in one_sided],
        python=asked.python(
            "blocks = branch_weights(explorer.inspect(model, picture, weights))",
            f'values = block_of(blocks, "{found.block}").values  # [branches, channels]',
            imports="from explorer.reweighting import block_of, branch_weights",
        ),
    )


def save_strip(explorer: Explorer, asked: Asked, kind: str):
    blocks = all_blocks(explorer, asked)
    means, names = np.stack([block.mean for block in blocks]), [block.block for block in blocks]
    name = f"{asked.model}_branch_weights"
    if kind == "npz":
        return npz(name, blocks=names, branches=blocks[0].branches, **{b.block: b.values for b in blocks})
    return saved_figure(
        across_depth([short(n) for n in names], blocks[0].branches, means, title=asked.model), kind, name
    )


def save_inside(explorer: Explorer, asked: Asked, kind: str, block: str, sort: str):
    found = chosen_block(all_blocks(explorer, asked), block)
    name = f"{asked.model}_{found.block}"
    if kind == "npz":
        return npz(name, values=found.values, branches=found.branches)
    values = found.values[:, found.order(sort)]
    return saved_figure(
        inside_block(values, found.branches, title=f"{asked.model}, {found.block}"), kind, name
    )


def build(explorer: Explorer, rail: Rail, turn: gr.Textbox, saves: Saves) -> Tab:
    with gr.Row(elem_classes="controls"):
        block = Menu([], label="Block", elem_id="block", min_width=180, scale=1)
        sort = gr.Radio(
            [(f"by {name}", name) for name in SORTS], value=SORTS[0], label="Order", scale=3, min_width=320
        )
    with gr.Row(elem_classes="views"):
        with gr.Column(min_width=320):
            strip = View(elem_id="strip")
        with gr.Column(min_width=320):
            inside = View(elem_id="inside")
    depth = {"fn": bound(draw_strip, explorer), "inputs": [*rail.inputs, block], "outputs": strip, **QUICK}
    within = {
        "fn": bound(draw_inside, explorer),
        "inputs": [*rail.inputs, block, sort],
        "outputs": inside,
        **QUICK,
    }
    turn.change(bound(menu, explorer), [*rail.inputs, block], block, **QUICK).success(**depth).success(
        **within
    )
    block.input(**depth).success(**within)
    strip.pick(picked, None, block, **PICK).success(**within)
    sort.input(**within)
    saves.wire(strip, bound(save_strip, explorer), rail.inputs, [])
    saves.wire(inside, bound(save_inside, explorer), rail.inputs, [block, sort])
    return Tab(address={"block": block, "blend": sort}, redraw=[depth, within])
