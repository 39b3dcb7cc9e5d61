"""Several ways to look at one thing, of which one is open at a time; only the open one is drawn."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import gradio as gr

from explorer.explorer import Explorer
from explorer.ui.downloads import Saves
from explorer.ui.selection import Asked, Rail, bound, lane


@dataclass
class Lenses:
    """The switch between the lenses of a tab, what all of them listen to, and what draws them."""

    explorer: Explorer
    rail: Rail
    turn: gr.Textbox
    lens: gr.Radio  # which one is open
    saves: Saves
    shared: list = field(default_factory=list)  # controls every lens listens to; handlers receive them first
    running: list = field(default_factory=list)  # events that can be stopped
    named: dict = field(default_factory=dict)  # controls a link remembers

    @property
    def inputs(self) -> list:
        return [*self.rail.inputs, self.turn, self.lens, *self.shared]

    def listener(self, lens: str, handler: Callable, others: list, outputs: list, **options) -> dict:
        """What draws a lens while it is the open one."""
        return {
            "fn": bound(partial(when_open, lens, handler, len(outputs)), self.explorer),
            "inputs": [*self.inputs, *others],
            "outputs": outputs,
            **lane(lens),
            **options,
        }

    def draws(self, listener: dict, *events):
        """Draw at every turn, when the lens is opened, and at these events, never twice at a time."""
        return gr.on([self.turn.change, self.lens.change, *events], **listener)


def when_open(
    lens: str, handler: Callable, outputs: int, explorer: Explorer, asked: Asked, turn: str, now: str, *others
):
    """The handler's answer while its lens is open and the tab has had a turn; else nothing changes."""
    if now != lens or not turn:
        return gr.skip() if outputs == 1 else (gr.skip(),) * outputs
    return handler(explorer, asked, *others)
