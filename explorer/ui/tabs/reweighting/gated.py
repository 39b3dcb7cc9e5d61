"""What the lenses of gates share: which gate is looked at, among those of the kinds of the lens."""

from functools import partial

import gradio as gr

from explorer.explorer import Explorer
from explorer.reweighting.gates import KINDS, Gate, gates
from explorer.ui.controls import Menu, offer
from explorer.ui.selection import Selection
from explorer.ui.tabs.reweighting.lab import Lab
from models.layer_names import short
from models.probe import Kind

CHANNEL = (Kind.CHANNEL_GATE,)
OTHERS = (Kind.MODULATION, Kind.ATTENTION)
LENS_OF = {CHANNEL: "gates", OTHERS: "others"}


def found_gates(explorer: Explorer, selection: Selection, kinds: tuple[Kind, ...]) -> tuple[Gate, ...]:
    return gates(selection.run(explorer), *kinds)


def chosen_gate(found: tuple[Gate, ...], name: str | None) -> Gate | None:
    """The gate of that name; a name left over from another model counts as the last gate."""
    return next((gate for gate in found if gate.name == name), found[-1] if found else None)


def none_of(kinds: tuple[Kind, ...]) -> str:
    return f"No {' and no '.join(KINDS[kind] for kind in kinds)} were found in this model."


def words(gate: str) -> str:
    """`blocks.1.0.se.gate` -> `block 1.0 se`: the module, without what only says that it is a gate."""
    return short(gate.rpartition(".")[0].removesuffix(".gate"))


def fitted(
    explorer: Explorer, selection: Selection, gate: str | None, *, kinds: tuple[Kind, ...]
) -> gr.Dropdown:
    """The gates of a model, one of them chosen."""
    found = found_gates(explorer, selection, kinds)
    chosen = chosen_gate(found, gate)
    if chosen is None:
        return gr.Dropdown([], value=None, visible=False)
    return offer([(words(one.name), one.name) for one in found], chosen.name, gate, visible=True)


def menu_of(lab: Lab, kinds: tuple[Kind, ...]) -> Menu:
    """A menu of the gates, which is fitted whenever its lens is drawn."""
    menu = Menu([], label="Gate", elem_id=f"{LENS_OF[kinds]}-gate", min_width=190)
    handler = partial(fitted, kinds=kinds)
    lab.follower(lab.listener(LENS_OF[kinds], handler, [menu], gate=menu))
    return menu


def gate_picked(event: gr.EventData) -> str:
    """The gate that was chosen in a strip."""
    return str(event.gate)
