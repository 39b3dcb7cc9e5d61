"""Several ways to look at one thing, of which one is open at a time; only the open one is drawn."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

import gradio as gr

from explorer.errors import NoMapError
from explorer.explorer import Explorer
from explorer.ui.components import sentence
from explorer.ui.controls import Control
from explorer.ui.downloads import Saves
from explorer.ui.events import Redraw, RedrawBox
from explorer.ui.selection import Rail, Selection, lane, wired


@dataclass
class Lenses:
    """The switch between the lenses of a tab, what all of them listen to, and what draws them."""

    explorer: Explorer
    rail: Rail
    redraw: RedrawBox
    lens: gr.Radio  # which one is open
    saves: Saves
    running: list = field(default_factory=list)  # events that can be stopped
    remembered: dict[str, Control] = field(default_factory=dict)  # controls of a link, by their names there
    begun: list[gr.State] = field(default_factory=list)  # what begins anew where a link is followed

    def wired(self, handler: Callable, **controls: Control) -> dict[str, Any]:
        """`fn` and `inputs` for `handler(explorer, selection, name=value, ...)`."""
        return wired(self.explorer, self.rail, handler, **controls)

    def listener(
        self,
        lens: str,
        handler: Callable,
        outputs: list,
        *,
        options: dict[str, Any] | None = None,
        **controls,
    ) -> dict[str, Any]:
        """What draws a lens while it is the open one."""
        drawn = when_open(lens, handler, len(outputs))
        asks = self.wired(drawn, redraw=self.redraw, opened=self.lens, **controls)
        return {**asks, "outputs": outputs, **lane(lens), **(options or {})}

    def draws(self, listener: dict[str, Any], *events):
        """Draw at every redraw, when the lens is opened, and at these events, never twice at a time."""
        return gr.on([self.redraw.change, self.lens.change, *events], **listener)

    def saved(self, view, handler: Callable, **controls: Control) -> None:
        """What a view shows can be saved, by `handler(explorer, selection, kind, name=value, ...)`."""
        self.saves.wire(view, self.explorer, self.rail, handler, **controls)


def when_open(lens: str, handler: Callable, outputs: int) -> Callable:
    """The handler while its lens is open and the tab has something to show; else nothing changes."""

    @wraps(handler)
    def answered(explorer: Explorer, selection: Selection, *, redraw: Redraw, opened: str, **values):
        if opened != lens or not redraw.link:
            return gr.skip() if outputs == 1 else (gr.skip(),) * outputs
        return handler(explorer, selection, **values)

    return answered


def or_why(draw: Callable[..., str]) -> Callable[..., str]:
    """A view, or, where there is nothing to draw, the sentence why."""

    @wraps(draw)
    def drawn(explorer: Explorer, selection: Selection, **values) -> str:
        try:
            return draw(explorer, selection, **values)
        except NoMapError as why:
            return sentence(why.reason)

    return drawn
