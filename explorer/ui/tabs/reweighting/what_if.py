"""What if a block blended otherwise: sliders and presets, and what the model then says."""

from functools import partial
from typing import Any

import gradio as gr

from explorer.capture import Run
from explorer.explorer import Explorer
from explorer.reweighting.branch_weights import BlockWeights, blends, block_of
from explorer.reweighting.interventions import rescaled
from explorer.ui.components import View, sentence
from explorer.ui.controls import Amount, Menu
from explorer.ui.downloads import npz
from explorer.ui.selection import Selection, lane
from explorer.ui.tabs.reweighting.changes import (
    ALL,
    LEARNED,
    MOVED,
    OTHER,
    UNIFORM,
    Changes,
    Drag,
    by_hand,
    current,
    preset,
    presets,
)
from explorer.ui.tabs.reweighting.channels import NOTHING
from explorer.ui.tabs.reweighting.lab import Lab, found_block
from explorer.ui.tabs.reweighting.what_if_page import page

SLIDERS = 4
SCOPES = [("this block", "this"), ("all blocks", ALL)]
HOW = [("shift the learned weights", MOVED), ("the same in every channel", UNIFORM)]


def changed(explorer: Explorer, selection: Selection, changes: Changes) -> Run:
    """The run under the changes in force; the learned one, bit for bit, where there are none."""
    selection.loaded(explorer)
    return explorer.inspect(*selection.question, interventions=changes.now)


def scope_of(explorer: Explorer, selection: Selection, block: str | None, scope: str) -> list[BlockWeights]:
    """The blocks a change is for, as learned."""
    if scope == ALL:
        return list(blends(selection.run(explorer)))
    found = found_block(explorer, selection, block)
    return [found] if found else []


def draw(
    explorer: Explorer,
    selection: Selection,
    block: str | None,
    changes: Changes,
    *,
    moved: int = -1,
    chosen: str | None = None,
) -> list:
    """State, sliders, what they do, presets and view; the slider being moved is left alone."""
    found = found_block(explorer, selection, block)
    changes = changes.fitting(selection.model)
    if found is None:
        hidden = [gr.Slider(visible=False)] * SLIDERS
        return [changes, *hidden, gr.Radio(visible=False), gr.Dropdown(visible=False), sentence(NOTHING)]
    run = changed(explorer, selection, changes)
    shares = current(block_of(blends(run), found.block), changes.now)
    sliders = [
        gr.skip()
        if index == moved
        else gr.Slider(value=round(100 * float(share), 1), label=branch, visible=True)
        for index, (branch, share) in enumerate(zip(found.branches, shares, strict=True))
    ][:SLIDERS]
    sliders += [gr.Slider(visible=False)] * (SLIDERS - len(sliders))
    chosen = chosen if changes.now else LEARNED
    menu = gr.Dropdown(presets(found.branches, found.learned), value=chosen, visible=True)
    how = gr.Radio(visible=found.learned)
    return [changes, *sliders, how, menu, page(explorer, selection, changes, run)]


def slid(
    index: int,
    explorer: Explorer,
    selection: Selection,
    *,
    block: str | None,
    changes: Changes,
    scope: str,
    how: str,
    **sliders: float,
) -> list:
    """A slider is being moved: the others fill up to one."""
    blocks = scope_of(explorer, selection, block, scope)
    shares = moved_shares(blocks[0], index, list(sliders.values()))
    new = [by_hand(shares, found, how) for found in blocks]
    names = [found.block for found in blocks]
    changes = changes.fitting(selection.model).made(new, names, Drag(index, block, scope, how))
    return draw(explorer, selection, block, changes, moved=index)


def moved_shares(found: BlockWeights, index: int, values: list[float]) -> tuple[float, ...]:
    """The shares of a block's branches after one slider was moved; sliders are in percent."""
    return rescaled([value / 100 for value in values[: len(found.branches)]], index, values[index] / 100)


def released(index: int, explorer: Explorer, selection: Selection, *, block: str | None, **values) -> list:
    """The slider was let go: its last place counts, and all sliders stand where they are in force."""
    made = slid(index, explorer, selection, block=block, **values)
    return draw(explorer, selection, block, made[0])


def taken(
    explorer: Explorer,
    selection: Selection,
    block: str | None,
    changes: Changes,
    scope: str,
    name: str | None,
    other: str,
) -> list:
    """A preset for this block or all of them."""
    blocks = scope_of(explorer, selection, block, scope)
    theirs = {}
    if name == OTHER:
        run = explorer.inspect(selection.model, other, selection.weights)
        theirs = {found.block: found for found in blends(run)}
    new = (
        []
        if name in (None, LEARNED)
        else [one for found in blocks for one in preset(name, found, theirs.get(found.block))]
    )
    changes = changes.fitting(selection.model).made(new, [found.block for found in blocks])
    return draw(explorer, selection, block, changes, chosen=name)


def undone(explorer: Explorer, selection: Selection, block, changes: Changes) -> list:
    return draw(explorer, selection, block, changes.undone())


def reset(explorer: Explorer, selection: Selection, block, changes: Changes) -> list:
    return draw(explorer, selection, block, changes.reset())


def save(explorer: Explorer, selection: Selection, kind: str, changes: Changes):
    before, after = selection.run(explorer), changed(explorer, selection, changes.fitting(selection.model))
    shares = {f"after/{found.block}": found.values for found in blends(after)}
    learned = {f"before/{found.block}": found.values for found in blends(before)}
    return npz(
        f"{selection.model}_what_if", before=before.logits[0], after=after.logits[0], **learned, **shares
    )


def build(lab: Lab) -> None:
    changes = gr.State(Changes())
    with gr.Row(elem_classes="controls", elem_id="change"):
        scope = gr.Radio(SCOPES, value="this", label="Change", min_width=170, scale=1)
        how = gr.Radio(HOW, value=MOVED, label="Sliders", min_width=230, scale=2)
    with gr.Row(elem_classes="controls", elem_id="sliders"):
        sliders = [
            Amount(0, 100, value=0, step=0.1, label="share", visible=False, min_width=130, buttons=[])
            for _ in range(SLIDERS)
        ]
    with gr.Row(elem_classes="controls"):
        menu = Menu([], label="Preset", elem_id="preset", min_width=190)
        undo = gr.Button("Undo", scale=0, min_width=80, elem_id="undo")
        back = gr.Button("Reset", scale=0, min_width=80, elem_id="reset")
    view = View(elem_id="what-if")
    outputs = [changes, *sliders, how, menu, view]
    known: dict[str, Any] = {"block": lab.block, "changes": changes}
    lab.follower(lab.listener("what_if", draw, outputs, **known))

    def on(event, handler, **controls):
        return event(**lab.wired(handler, **known, **controls), outputs=outputs, **lane("what_if"))

    hand = {"scope": scope, "how": how, **{f"slider_{index}": one for index, one in enumerate(sliders)}}
    for index, slider in enumerate(sliders):
        on(slider.input, partial(slid, index), **hand)
        on(slider.release, partial(released, index), **hand)
    on(menu.input, taken, scope=scope, name=menu, other=lab.other)
    on(undo.click, undone)
    # A slide on its way may arrive after the click; so once more when all is quiet.
    on(on(back.click, reset).then, reset)
    lab.saved(view, save, changes=changes)
