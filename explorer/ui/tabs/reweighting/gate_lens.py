"""A lens of gates: a menu of them, views of its own, what changes do, and what each gate is worth.

All of it is drawn in one answer, for every listener to the redraw of the tab costs a question to the server.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import gradio as gr

from explorer.explorer import Explorer
from explorer.ui.components import View
from explorer.ui.controls import Control, Menu
from explorer.ui.events import Redraw
from explorer.ui.selection import Selection, lane
from explorer.ui.tabs.reweighting import gate_table, gate_what_if
from explorer.ui.tabs.reweighting.gated import LENS_OF, fitted, found_gates
from explorer.ui.tabs.reweighting.lab import Lab
from models.probe import Kind

Draw = Callable[..., tuple[str, ...]]  # (explorer, selection, gate, **own controls) -> HTML of the own views
CHANGED = ("change", "scope", "channel")  # the controls of what if


def whole(
    explorer: Explorer,
    selection: Selection,
    *,
    redraw: Redraw,
    opened: str,
    gate: str | None,
    kinds: tuple[Kind, ...],
    draw: Draw,
    views: int,
    worth: str,
    **controls,
) -> Iterator[tuple]:
    """Menu, own views, what if, and then the table with its Stop button."""
    nothing = (gr.skip(),) * (views + 4)
    yield nothing
    if opened != LENS_OF[kinds] or not redraw.link:
        return
    menu = fitted(found_gates(explorer, selection, kinds), gate)
    yield menu, *parts(explorer, selection, gate=gate, kinds=kinds, draw=draw, **controls), *nothing[-2:]
    for table in gate_table.draw_if_cheap(explorer, selection, kinds=kinds, worth=worth):
        yield *nothing[:-2], *table


def parts(
    explorer: Explorer,
    selection: Selection,
    *,
    gate: str | None,
    kinds: tuple[Kind, ...],
    draw: Draw,
    **controls,
) -> tuple[str, ...]:
    """Own views, and what if."""
    changed = {name: controls.pop(name) for name in CHANGED}
    shown = draw(explorer, selection, gate, **controls)
    return *shown, gate_what_if.draw(explorer, selection, gate, **changed, kinds=kinds)


def build(
    lab: Lab, kinds: tuple[Kind, ...], menu: Menu, views: list[View], draw: Draw, **own: Control
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Lay out what if and the table below the lens' own views.

    Gives two listeners: what draws these views and what if, and what draws what if alone.
    """
    lens = LENS_OF[kinds]
    changed, what_if, alone = gate_what_if.build(lab, kinds, menu)
    table, stop, worth = gate_table.build(lab, kinds)
    controls: dict[str, Control] = {"gate": menu, **changed, **own}
    asks = lab.wired(
        partial(whole, kinds=kinds, draw=draw, views=len(views)),
        redraw=lab.redraw,
        opened=lab.lens,
        worth=worth,
        **controls,
    )
    lab.follower({**asks, "outputs": [menu, *views, what_if, table, stop], **lane(lens)})
    quick = lab.wired(partial(parts, kinds=kinds, draw=draw), **controls)
    return {**quick, "outputs": [*views, what_if], **lane(lens)}, alone
