"""What the lenses of the reweighting lab share: the block that is chosen, and the picture to compare with."""

from dataclasses import dataclass, field
from typing import Any

import gradio as gr

from explorer.explorer import Explorer
from explorer.reweighting.branch_weights import BlockWeights, blends, block_of
from explorer.ui.controls import Control
from explorer.ui.lenses import Lenses
from explorer.ui.selection import Selection

LENSES = {
    "channels": "Channels",
    "where": "Where",
    "what_if": "What if",
    "knock_out": "Knock-out",
    "two": "Two pictures",
    "gates": "Channel gates",
    "others": "Other gates",
}


@dataclass(kw_only=True)
class Lab(Lenses):
    """The lenses of a block."""

    block: gr.Dropdown
    other: Control  # an `OtherBox`: path of the picture to compare with
    own: gr.State  # paths of the visitor's pictures, to tell what is typical
    of: Control  # of which pictures that is told
    held: gr.State  # the survey the visitor has
    listeners: list[dict[str, Any]] = field(default_factory=list)

    def follower(self, listener: dict[str, Any]) -> dict[str, Any]:
        """A listener that draws its lens after whatever the lab follows."""
        self.listeners.append(listener)
        return listener

    def follow(self, event) -> None:
        """After an event, draw whichever lens is open."""
        for listener in self.listeners:
            drawn = event.then(**listener)
            self.running += [drawn] if listener["concurrency_id"] == "slow" else []


def found_block(explorer: Explorer, selection: Selection, name: str | None) -> BlockWeights | None:
    """The block of that name, or the last; None for a model that blends nothing."""
    blocks = blends(selection.run(explorer))
    return chosen_block(blocks, name) if blocks else None


def chosen_block(blocks: tuple[BlockWeights, ...], name: str | None) -> BlockWeights:
    """The block of that name; a name left over from another model counts as the last block."""
    return block_of(blocks, name) if name in [block.block for block in blocks] else blocks[-1]
