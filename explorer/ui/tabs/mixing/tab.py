"""The Mixing tab: what reaches a place of a layer, and by which way."""

from collections.abc import Callable
from functools import partial

import gradio as gr

from explorer.ui.controls import opened, switch
from explorer.ui.lenses import Lenses
from explorer.ui.selection import PICK
from explorer.ui.tabs.mixing import attention, field, matrices, shifts
from explorer.ui.tabs.registry import BuiltTab, TabParts

# What can be looked at: name, title, and what builds it. A lens draws itself when the tab has to.
LENSES: dict[str, tuple[str, Callable[[Lenses], None]]] = {
    "field": ("Receptive field", field.build),
    "attention": ("Attention", attention.build),
    "matrices": ("Matrices", matrices.build),
    "shifts": ("Shifts", shifts.build),
}


def build(parts: TabParts) -> BuiltTab:
    """Lay the tab out: the switch, and a column for each lens."""
    lens = switch({name: title for name, (title, _) in LENSES.items()}, "ways")
    lenses = Lenses(parts.explorer, parts.rail, parts.redraw, lens, parts.saves)
    shown = []
    for name, (_, build_lens) in LENSES.items():
        with gr.Column(visible=name == next(iter(LENSES))) as column:
            build_lens(lenses)
        shown.append(column)
    lens.change(partial(opened, LENSES), lens, shown, **PICK)
    return BuiltTab(remembered={"way": lens, **lenses.remembered}, running=lenses.running)
