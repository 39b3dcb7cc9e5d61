"""What if a block blended otherwise: sliders and presets, and what the model then says."""

from dataclasses import replace
from typing import Any

import gradio as gr

from explorer.capture import Run
from explorer.explorer import Explorer
from explorer.reweighting.branch_weights import BlockWeights, blends, block_of
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
    preset_of,
    presets,
)
from explorer.ui.tabs.reweighting.channels import NOTHING
from explorer.ui.tabs.reweighting.lab import Lab, found_block
from explorer.ui.tabs.reweighting.other_picture import relinked, theirs
from explorer.ui.tabs.reweighting.shares import (
    Asked,
    AskedBox,
    LinkBox,
    Told,
    ToldBox,
    connect_sliders,
    percent,
    takes,
    written,
)
from explorer.ui.tabs.reweighting.what_if_page import page

AXES = {"before": "class: logit", "after": "class: logit", "": "branch channel: share"}

SLIDERS = 4
OUTPUTS = SLIDERS + 6  # state, link, where the sliders belong, the sliders, what they do, presets and view
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
    linked: str,
    other: str | None,
    chosen: str | None = None,
) -> list:
    """What is in force, where the sliders belong and their names, presets and view."""
    found = found_block(explorer, selection, block)
    if found is None:
        return [changes.fitting(selection.model), "", *without_sliders(), sentence(NOTHING)]
    taken = theirs(explorer, selection, other) if changes.takes or takes(linked) else {}
    changes = changes.begun(selection.model, linked, blends(selection.run(explorer)), taken)
    run = changed(explorer, selection, changes)
    shares = current(block_of(blends(run), found.block), changes.now)[:SLIDERS]
    named = [gr.Slider(label=branch, visible=True) for branch in found.branches[:SLIDERS]]
    name = preset_of(changes.now, found, taken.get(found.block), chosen)
    menu = gr.Dropdown(presets(found.branches, found.learned), value=name, visible=True)
    return [
        *(changes, written(changes.now, taken), Told(changes.asked, percent(shares))),
        *(*named, *[gr.Slider(visible=False)] * (SLIDERS - len(named))),
        *(gr.Radio(visible=found.learned), menu, page(explorer, selection, changes, run, other)),
    ]


def without_sliders() -> list:
    """The controls of a model that blends nothing."""
    hidden = [gr.Slider(visible=False)] * SLIDERS
    return [gr.skip(), *hidden, gr.Radio(visible=False), gr.Dropdown(visible=False)]


def slid(
    explorer: Explorer,
    selection: Selection,
    *,
    block: str | None,
    changes: Changes,
    linked: str,
    asked: Asked,
    scope: str,
    how: str,
    other: str | None,
) -> list:
    """Shares were moved by hand; what has been answered, or was taken back since, changes nothing."""
    blocks = scope_of(explorer, selection, block, scope)
    fits = blocks and len(blocks[0].branches[:SLIDERS]) == len(asked.shares)
    if asked.number <= changes.asked or not fits:
        return [gr.skip()] * OUTPUTS
    new = [by_hand(tuple(share / 100 for share in asked.shares), found, how) for found in blocks]
    drag = Drag(asked.slider, block, scope, how)
    changes = changes.begun(selection.model, linked, blends(selection.run(explorer)))
    changes = replace(changes.made(new, [found.block for found in blocks], drag), asked=asked.number)
    state, link, _, *_, menu, view = draw(explorer, selection, block, changes, linked, other)
    return [state, link, *[gr.skip()] * (OUTPUTS - 4), menu, view]


def taken(
    explorer: Explorer,
    selection: Selection,
    block: str | None,
    changes: Changes,
    linked: str,
    asked: Asked,
    scope: str,
    name: str | None,
    other: str,
) -> list:
    """A preset for this block or all of them."""
    blocks = scope_of(explorer, selection, block, scope)
    taken = theirs(explorer, selection, other) if name == OTHER else {}
    new = [one for found in blocks for one in preset(name or LEARNED, found, taken.get(found.block))]
    changes = changes.fitting(selection.model).made(new, [found.block for found in blocks])
    changes = replace(changes, asked=asked.number)
    return draw(explorer, selection, block, changes, linked, other, name)


def undone(explorer: Explorer, selection: Selection, changes: Changes, asked: Asked, **known: Any) -> list:
    return draw(explorer, selection, changes=replace(changes.undone(), asked=asked.number), **known)


def reset(explorer: Explorer, selection: Selection, changes: Changes, asked: Asked, **known: Any) -> list:
    return draw(explorer, selection, changes=replace(changes.reset(), asked=asked.number), **known)


def save(explorer: Explorer, selection: Selection, kind: str, changes: Changes):
    before, after = selection.run(explorer), changed(explorer, selection, changes.fitting(selection.model))
    shares = {f"after/{found.block}": found.values for found in blends(after)}
    learned = {f"before/{found.block}": found.values for found in blends(before)}
    logits = {"before": before.logits[0], "after": after.logits[0]}
    return npz(f"{selection.model}_what_if", AXES, **logits, **learned, **shares)


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
    asked, told, linked = AskedBox(elem_id="shares-asked"), ToldBox(elem_id="shares-told"), LinkBox("")
    outputs = [changes, linked, told, *sliders, how, menu, view]
    known: dict[str, Any] = {"block": lab.block, "changes": changes, "linked": linked, "other": lab.other}
    lab.follower(lab.listener("what_if", draw, outputs, **known))
    connect_sliders(sliders, asked, told)

    def on(event, handler, **controls):
        return event(
            **lab.wired(handler, **known, asked=asked, **controls), outputs=outputs, **lane("what_if")
        )

    on(asked.change, slid, scope=scope, how=how)
    on(menu.input, taken, scope=scope, name=menu)
    on(undo.click, undone)
    on(back.click, reset)
    again = lab.wired(relinked, changes=changes, other=lab.other)
    lab.other.change(**again, outputs=linked, **lane("what_if"))
    lab.saved(view, save, changes=changes)
    lab.remembered |= {"blend": linked, "scope": scope, "how": how}
    lab.begun.append(changes)
