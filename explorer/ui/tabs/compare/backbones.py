"""What the lenses of "Compare" share: the backbones, and how they are drawn part by part."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import gradio as gr

from explorer.capture import Run
from explorer.engine.model_store import RANDOM
from explorer.errors import ChoiceError
from explorer.explorer import Explorer
from explorer.ui.better_weights import first_here
from explorer.ui.components import View, sentence
from explorer.ui.controls import IDLE, QUIET, RUNNING, Control
from explorer.ui.events import Redraw
from explorer.ui.lenses import Lenses
from explorer.ui.selection import Selection
from explorer.ui.throttle import PATIENCE
from models.counted import parameters
from models.sources import OWN, PRETRAINED

# Drawn as it comes, two visitors at a time; of many changes the last is what stays.
STREAMED: dict[str, Any] = {
    **QUIET,
    "concurrency_id": "compare",
    "concurrency_limit": 2,
    "trigger_mode": "always_last",
}
SMALL = 2_000_000  # parameters up to which a pass takes no time worth telling
COMPUTING = sentence("computing")


class Part(NamedTuple):
    """HTML as far as it is known; `at_once` before something that takes long."""

    html: str
    at_once: bool = False


@dataclass(kw_only=True)
class Bench(Lenses):
    """The tab: which backbones, and the button that stops."""

    models: gr.Dropdown
    stop: gr.Button

    def streams(self, lens: str, handler: Callable, view: View, changed: list, **controls: Control) -> None:
        """Draw a lens part by part while it is open; the handler gives `Part`s.

        changed: events of the lens' own that ask for a new drawing.
        """
        self.running.append(self.draws(self.streamed(lens, handler, view, **controls), *changed))

    def streamed(self, lens: str, handler: Callable, view: View, **controls: Control) -> dict[str, Any]:
        """The listener that does so."""
        drawn = parts_when_open(lens, handler)
        asks = self.wired(drawn, redraw=self.redraw, opened=self.lens, **controls)
        return {**asks, "outputs": [view, self.stop], **STREAMED}


def parts_when_open(lens: str, handler: Callable) -> Callable:
    """The handler's parts while its lens is open, not more often than is worth drawing."""

    def answered(
        explorer: Explorer, selection: Selection, *, redraw: Redraw, opened: str, **values
    ) -> Iterator[tuple]:
        if opened != lens or not redraw.link:
            yield gr.skip(), gr.skip()
            return
        html, last = gr.skip(), time.monotonic()
        try:
            for html, at_once in handler(explorer, selection, **values):
                if at_once or time.monotonic() - last > PATIENCE:
                    yield html, RUNNING
                    last = time.monotonic()
        except ChoiceError as error:  # too few or too many: nothing is wrong, a choice is half made
            html = sentence(str(error))
        yield html, IDLE

    return answered


def weights(selection: Selection, model: str) -> str:
    """The weights a backbone is compared with: trained ones that are here and know such pictures, if any."""
    return first_here(model, selection.picture)


def state(selection: Selection, model: str) -> str:
    """The weights in a few words."""
    kept = weights(selection, model)
    said = {RANDOM: "untrained", OWN: "its own weights", PRETRAINED: "pretrained"}
    return said.get(kept, f"trained on {kept}")


def run_of(explorer: Explorer, selection: Selection, model: str) -> Run:
    return explorer.inspect(model, selection.picture, weights(selection, model))


def is_quick(explorer: Explorer, selection: Selection, model: str) -> bool:
    """Whether a pass is remembered or takes no time worth telling."""
    return parameters(model) <= SMALL or explorer.remembered.run(
        model, selection.picture, weights(selection, model)
    )


def python(*lines: str, imports: str = "") -> str:
    """The few lines that give the same with the library."""
    head = (*([imports] if imports else []), "from explorer import Explorer\n")
    return "\n".join((*head, "explorer = Explorer()", *lines))


def pairs(selection: Selection, models: list[str]) -> str:
    """`[("vip_nano", "scenes"), ...]`"""
    return str([(model, weights(selection, model)) for model in models]).replace("'", '"')
