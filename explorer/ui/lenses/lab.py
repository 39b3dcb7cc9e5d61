"""What the lenses share: the block that is chosen, which lens is open, and when to draw."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import gradio as gr

from explorer.reweighting import BlockWeights, blends, block_of
from explorer.session import Explorer
from explorer.ui.asked import Asked, Rail, bound, lane
from explorer.ui.save import Saves

LENSES = {
    "channels": "Channels",
    "where": "Where",
    "what_if": "What if",
    "knock_out": "Knock-out",
    "two": "Two pictures",
}


@dataclass
class Lab:
    """The controls around the lenses, and the listeners that draw them."""

    explorer: Explorer
    rail: Rail
    turn: gr.Textbox
    block: gr.Dropdown
    lens: gr.Radio
    saves: Saves
    other: gr.State  # path of the picture to compare with
    listeners: list[dict] = field(default_factory=list)
    running: list = field(default_factory=list)  # events that can be stopped
    named: dict = field(default_factory=dict)  # controls a link remembers

    @property
    def inputs(self) -> list:
        return [*self.rail.inputs, self.block, self.lens]

    def draws(self, lens: str, handler: Callable, others: list, outputs: list, **options) -> dict:
        """A listener that draws a lens while it is the open one, whenever block or picture change."""
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


def when_open(
    lens: str, handler: Callable, outputs: int, explorer: Explorer, asked: Asked, block, now, *others
):
    """The handler's answer while its lens is open; else nothing changes."""
    if now != lens:
        return gr.skip() if outputs == 1 else (gr.skip(),) * outputs
    return handler(explorer, asked, block, *others)


def found_block(explorer: Explorer, asked: Asked, name: str | None) -> BlockWeights | None:
    """The block of that name, or the last; None for a model that blends nothing."""
    blocks = blends(asked.run(explorer))
    return chosen_block(blocks, name) if blocks else None


def chosen_block(blocks: tuple[BlockWeights, ...], name: str | None) -> BlockWeights:
    """The block of that name; a name left over from another model counts as the last block."""
    return block_of(blocks, name) if name in [block.block for block in blocks] else blocks[-1]
