"""What is being looked at: the controls of the rail, and what they say together."""

import inspect
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import gradio as gr
from PIL import Image

from explorer.capture import Run
from explorer.engine.model_store import RANDOM, Loaded
from explorer.errors import ChoiceError, NoPictureError
from explorer.explorer import Explorer
from explorer.ui.alerts import shown
from explorer.ui.picture_upload import picture_at
from models import card

FILE = "file"
QUIET = {"show_progress": "hidden", "api_visibility": "private"}
# What is drawn at once: two visitors at a time, and of quick changes always the last.
QUICK = {**QUIET, "concurrency_id": "quick", "concurrency_limit": 2, "trigger_mode": "always_last"}
PICK = {**QUIET, "trigger_mode": "multiple", "queue": False}  # what was picked; never dropped
SLOW = {**QUIET, "concurrency_id": "slow", "concurrency_limit": 1}


def lane(view: str) -> dict:
    """Quick, and what one view draws is drawn in the order it was asked for: the last is what stays."""
    return {**QUICK, "concurrency_id": view, "concurrency_limit": 1}


HOSTED = "SPACE_ID" in os.environ  # on a Space, a path of the server is nobody's business


def weights_of(model: str) -> list[str]:
    """The weights a model offers here, the trained ones first."""
    found = card(model)
    takes_files = found.num_classes and not HOSTED  # a single block has no published layout
    return [*found.weights, RANDOM, *([FILE] if takes_files else [])]


def missing(asked: "Asked") -> str | None:
    """Where the weights asked for would have to be fetched from; None where they are here."""
    known = card(asked.model).weights.get(asked.weights)
    return known.source.place if known and not known.source.here() else None


@dataclass(frozen=True)
class Asked:
    """The state of the rail when an event happened."""

    picture: str | None  # path of the upload or example
    model: str
    choice: str  # "scenes", "random", or FILE
    file: str  # path of a checkpoint, for FILE
    target: int | None  # class to explain; None means the predicted one

    @property
    def weights(self) -> str:
        """What to load; a choice left over from another model counts as this one's first."""
        if self.choice == FILE:
            return self.file
        return self.choice if self.choice in weights_of(self.model) else weights_of(self.model)[0]

    def loaded(self, explorer: Explorer) -> Loaded:
        """The model; on the page nothing is fetched without being asked for."""
        if missing(self):
            raise ChoiceError("These weights are not on this computer yet; download them first.")
        return explorer.load(self.model, self.weights)

    def open(self) -> Image.Image:
        """The picture looked at, decoded."""
        if self.picture is None:
            raise NoPictureError
        return picture_at(self.picture)

    def run(self, explorer: Explorer) -> Run:
        self.loaded(explorer)
        return explorer.inspect(self.model, self.open(), self.weights)

    def pass_seconds(self, explorer: Explorer) -> float:
        """What a pass takes, to tell how long longer work will."""
        self.loaded(explorer)
        return explorer.pass_seconds(self.model, self.open(), self.weights)

    def python(self, *lines: str, imports: str = "") -> str:
        """The few lines that give the same with the library."""
        head = (
            *([imports] if imports else []),
            "from explorer.explorer import Explorer\n",
            "explorer = Explorer()",
            f'picture, model, weights = "picture.png", "{self.model}", "{self.weights}"',
        )
        return "\n".join((*head, *lines))


@dataclass(frozen=True)
class Rail:
    """The controls, in the order of `Asked`'s fields."""

    picture: gr.State
    model: gr.State
    choice: gr.Dropdown
    file: gr.Textbox
    target: gr.Dropdown

    @property
    def inputs(self) -> list:
        return [self.picture, self.model, self.choice, self.file, self.target]


@dataclass(frozen=True, kw_only=True)
class Tab:
    """What the rest of the page needs to know of a tab."""

    address: dict[str, gr.components.Component] = field(default_factory=dict)  # controls a link remembers
    running: list = field(default_factory=list)  # events that can be stopped


def asked(picture: str | None, model: str, choice: str, file: str | None, target: int | None) -> Asked:
    """The values of the rail's controls as one."""
    return Asked(picture, model, choice, (file or "").strip(), None if target in (None, -1) else int(target))


def bound(handler: Callable, explorer: Explorer) -> Callable:
    """`handler(explorer, asked, *others)` as Gradio calls it: `f(*rail values, *others)`, errors shown."""

    def called(explorer: Explorer, *values):
        return handler(explorer, asked(*values[:5]), *values[5:])

    def streamed(explorer: Explorer, *values):
        yield from handler(explorer, asked(*values[:5]), *values[5:])

    return shown(partial(streamed if inspect.isgeneratorfunction(handler) else called, explorer))
