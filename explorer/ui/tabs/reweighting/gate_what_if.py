"""Gates changed by hand: what the model says when one gate, or all of them, are flat, open or closed."""

from functools import partial
from typing import Any

import gradio as gr

from explorer.explorer import Explorer
from explorer.reweighting.gate_changes import Closed, Flattened, GateChange, Opened, fits
from explorer.reweighting.gates import Gate
from explorer.ui.components import View, render, sentence
from explorer.ui.controls import Control, Menu, Whole
from explorer.ui.downloads import npz
from explorer.ui.selection import Selection, lane
from explorer.ui.tabs.reweighting.gated import CHANNEL, LENS_OF, chosen_gate, found_gates, words
from explorer.ui.tabs.reweighting.lab import Lab
from explorer.ui.tabs.reweighting.what_if_page import rows, shift
from models.probe import Kind

AXES = {"before": "class: logit", "after": "class: logit", "": ": change"}

LEARNED, ONE = "learned", "one"
CHANGES = {
    LEARNED: "as learned",
    "flattened": "flattened to the mean",
    "opened": "all open",
    ONE: "one closed",
}
CHANGES |= {"closed": "all closed"}
SCOPES = [("this gate", "this"), ("all gates", "all")]
MEANING: dict[str, type[GateChange]] = {
    "flattened": Flattened,
    "opened": Opened,
    "closed": Closed,
    ONE: Closed,
}


def changes(
    found: tuple[Gate, ...], gate: str | None, change: str, scope: str, channel: int
) -> tuple[GateChange, ...]:
    """What the controls mean; one closed channel is always of the gate that is chosen."""
    chosen = chosen_gate(found, gate)
    if chosen is None or change not in MEANING:
        return ()
    if change == ONE:
        return (Closed(chosen.name, min(max(channel, 0), chosen.channels - 1)),)
    meant = found if scope == "all" else (chosen,)
    made = ((MEANING[change](one.name), one.kind) for one in meant)
    return tuple(one for one, kind in made if fits(one, kind))


def draw(
    explorer: Explorer,
    selection: Selection,
    gate: str | None,
    change: str,
    scope: str,
    channel: int,
    *,
    kinds: tuple[Kind, ...],
) -> str:
    found = found_gates(explorer, selection, kinds)
    if not found:
        return ""
    loaded, before = selection.loaded(explorer), selection.run(explorer)
    made = changes(found, gate, change, scope, channel)
    if change != LEARNED and not made:
        return sentence("Attention shares out a whole among places; it can be flattened or closed.")
    after = explorer.inspect(*selection.question, interventions=made)
    names = sorted({type(one).__name__ for one in made})
    return render(
        "gate_what_if",
        title="What if",
        rows=rows(loaded, before, after, selection.target),
        target=shift(explorer, selection, loaded, before, after) if loaded.labels else None,
        changed=len(made),
        words=described(made, change),
        python=selection.python(
            f"changes = [{', '.join(map(repr, made))}]",
            "run = explorer.inspect(model, picture, weights, interventions=changes)",
            "print(run.logits.softmax(dim=1))",
            imports=f"from explorer.reweighting.gate_changes import {', '.join(names)}" if names else "",
        ),
    )


def described(made: tuple[GateChange, ...], change: str) -> tuple[str, str]:
    """Which gate, and what becomes of it; no words where nothing is changed."""
    if not made:
        return "", ""
    first = made[0]
    which = words(first.gate) if len(made) == 1 else "all gates"
    if isinstance(first, Closed) and first.channel is not None:
        return which, f"closed in channel {first.channel}"
    return which, CHANGES[change]


def save(
    explorer: Explorer,
    selection: Selection,
    kind: str,
    gate: str | None,
    change: str,
    scope: str,
    channel: int,
    *,
    kinds: tuple[Kind, ...],
):
    made = changes(found_gates(explorer, selection, kinds), gate, change, scope, channel)
    before = selection.run(explorer)
    after = explorer.inspect(*selection.question, interventions=made)
    changed = {one.gate: str(one) for one in made}
    return npz(
        f"{selection.model}_gates_what_if", AXES, before=before.logits[0], after=after.logits[0], **changed
    )


def build(lab: Lab, kinds: tuple[Kind, ...], menu: Menu) -> tuple[dict[str, Control], View, dict[str, Any]]:
    """The controls of a change by their names, the view, and what draws it; `menu` is that of the gates."""
    lens = LENS_OF[kinds]
    with gr.Row(elem_classes="controls"):
        offered = [(text, name) for name, text in CHANGES.items()]
        change = Menu(offered, value=LEARNED, label="Change", elem_id=f"{lens}-change", min_width=170)
        scope = gr.Radio(SCOPES, value="this", label="Change it for", min_width=170)
        words = "Channel" if kinds == CHANNEL else "Channel or head"
        channel = Whole(0, label=words, precision=0, min_width=90, elem_id=f"{lens}-channel")
    view = View(elem_id=f"{lens}-what-if")
    controls: dict[str, Control] = {"change": change, "scope": scope, "channel": channel}
    lab.remembered |= {f"{lens}_{name}": control for name, control in controls.items()}
    drawn = {**lab.wired(partial(draw, kinds=kinds), gate=menu, **controls), "outputs": view, **lane(lens)}
    gr.on([change.input, scope.input, channel.submit, channel.blur], **drawn)
    lab.saved(view, partial(save, kinds=kinds), gate=menu, **controls)
    return controls, view, drawn
