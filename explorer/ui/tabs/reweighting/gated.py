"""What the lenses of gates share: which gate is looked at, among those of the kinds of the lens."""

import gradio as gr

from explorer.explorer import Explorer
from explorer.reweighting.gates import KINDS, Gate, gates
from explorer.ui.controls import offer
from explorer.ui.selection import Selection
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


def fitted(found: tuple[Gate, ...], gate: str | None) -> gr.Dropdown:
    """The menu of the gates of a model, one of them chosen."""
    chosen = chosen_gate(found, gate)
    if chosen is None:
        return gr.Dropdown([], value=None, visible=False)
    return offer([(words(one.name), one.name) for one in found], chosen.name, gate, visible=True)
