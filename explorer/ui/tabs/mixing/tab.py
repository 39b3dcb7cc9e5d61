"""The "Mixing" tab: what reaches a place of a layer, and by which way."""

from collections.abc import Callable
from functools import partial

import gradio as gr

from explorer.explorer import Explorer
from explorer.ui.controls import opened, switch
from explorer.ui.downloads import Saves
from explorer.ui.lenses import Lenses
from explorer.ui.selection import PICK, Rail, Tab
from explorer.ui.tabs.mixing import attention, field, matrices, shifts

# What can be looked at: name, title, and what builds it. A lens draws itself when `turn` changes.
LENSES: dict[str, tuple[str, Callable[[Lenses], None]]] = {
    "field": ("Receptive field", field.build),
    "attention": ("Attention", attention.build),
    "matrices": ("Matrices", matrices.build),
    "shifts": ("Shifts", shifts.build),
}


def build(explorer: Explorer, rail: Rail, turn: gr.Textbox, saves: Saves) -> Tab:
    lens = switch({name: title for name, (title, _) in LENSES.items()}, "ways")
    lenses = Lenses(explorer, rail, turn, lens, saves)
    shown = []
    for name, (_, build_lens) in LENSES.items():
        with gr.Column(visible=name == next(iter(LENSES))) as column:
            build_lens(lenses)
        shown.append(column)
    lens.change(partial(opened, LENSES), lens, shown, **PICK)
    return Tab(address={"way": lens, **lenses.named}, running=lenses.running)
