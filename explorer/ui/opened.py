"""Several ways to look at one thing, of which one is open at a time; only the open one is drawn."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import gradio as gr

from explorer.session import Explorer
from explorer.ui.asked import Asked, Rail, bound, lane
from explorer.ui.save import Saves


@dataclass
class Lenses:
    """The switch between the lenses of a tab, what all of them listen to, and what draws them."""

    explorer: Explorer
    rail: Rail
    turn: gr.Textbox
    lens: gr.Radio  # which one is open
    saves: Saves
    shared: list = field(default_factory=list)  # controls every lens listens to; handlers receive them first
    listeners: list[dict] = field(default_factory=list)
    running: list = field(default_factory=list)  # events that can be stopped
    named: dict = field(default_factory=dict)  # controls a link remembers

    @property
    def inputs(self) -> list:
        return [*self.rail.inputs, self.lens, *self.shared]

    def draws(self, lens: str, handler: Callable, others: list, outputs: list, **options) -> dict:
        """A listener that draws a lens while it is the open one, whenever what it listens to changes."""
        listener = {
            "fn": bound(partial(when_open, lens, handler, len(outputs)), self.explorer),
            "inputs": [*self.inputs, *others],
            "outputs": outputs,
            **lane(lens),
            **options,
        }
        self.listeners.append(listener)
        return listener

    def follow(self, event) -> None:
        """After an event, draw whichever lens is open."""
        for listener in self.listeners:
            drawn = event.then(**listener)
            self.running += [drawn] if listener["concurrency_id"] == "slow" else []


def when_open(lens: str, handler: Callable, outputs: int, explorer: Explorer, asked: Asked, now, *others):
    """The handler's answer while its lens is open; else nothing changes."""
    if now != lens:
        return gr.skip() if outputs == 1 else (gr.skip(),) * outputs
    return handler(explorer, asked, *others)
