"""What is being looked at: the controls of the rail, and what they say together."""

import hashlib
import inspect
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np

from explorer.any_model.adding import is_added
from explorer.capture import Run
from explorer.engine.model_store import RANDOM, Loaded
from explorer.errors import ChoiceError
from explorer.explorer import Explorer
from explorer.pictures import from_image
from explorer.ui.alerts import shown
from explorer.ui.controls import QUIET, Control, unchanged
from explorer.ui.gradio_internals import asked_again
from models import card
from models.registry import ASSETS

FILE, UPLOAD = "file", "upload"
# What is drawn at once: two visitors at a time, and of quick changes always the last.
QUICK: dict[str, Any] = {
    **QUIET,
    "concurrency_id": "quick",
    "concurrency_limit": 2,
    "trigger_mode": "always_last",
}
PICK: dict[str, Any] = {**QUIET, "trigger_mode": "multiple", "queue": False}  # what was picked; never dropped
SLOW: dict[str, Any] = {**QUIET, "concurrency_id": "slow", "concurrency_limit": 1}
FETCH: dict[str, Any] = {**QUIET, "concurrency_id": "fetch", "concurrency_limit": 2}  # waits for the network


def lane(view: str) -> dict[str, Any]:
    """Quick, and what one view draws is drawn in the order it was asked for: the last is what stays."""
    return {**QUICK, "concurrency_id": view, "concurrency_limit": 1}


def weights_of(model: str, *, hosted: bool = False) -> list[str]:
    """The weights a model offers, the trained ones first; no path where strangers are served."""
    found = card(model)
    takes_files = found.num_classes and not hosted  # a single block has no published layout
    takes_uploads = bool(found.num_classes) and "@" not in model
    return [
        *(*found.weights, RANDOM),
        *([UPLOAD] if takes_uploads else []),
        *([FILE] if takes_files else []),
    ]


def missing(selection: "Selection") -> str | None:
    """Where the weights asked for would have to be fetched from; None where they are here."""
    known = card(selection.model).weights.get(selection.weights)
    return known.source.place if known and not known.source.here() else None


def picture_told(picture: str | None, name: str = "picture.png") -> str:
    """A picture as Python names it: a bundled one as it lies in the project, others by `name`."""
    examples, path = ASSETS / "examples", Path(picture or name)
    return path.relative_to(ASSETS.parent).as_posix() if path.is_relative_to(examples) else name


@dataclass(frozen=True)
class Selection:
    """The state of the rail when an event happened."""

    picture: str | None  # path of the upload or example
    model: str
    choice: str  # "scenes", "random", or FILE
    file: str  # path of a checkpoint, for FILE
    target: int | None  # class to explain; None means the predicted one
    upload: str = ""  # the name of uploaded weights, for UPLOAD

    @property
    def weights(self) -> str:
        """What to load; a choice left over from another model counts as this one's first."""
        if self.choice == FILE:
            return self.file
        if self.choice == UPLOAD:
            return self.upload
        return self.choice if self.choice in weights_of(self.model) else weights_of(self.model)[0]

    @property
    def question(self) -> tuple[str, str | None, str]:
        """Model, picture and weights, as most questions to the Explorer begin."""
        return self.model, self.picture, self.weights

    def loaded(self, explorer: Explorer) -> Loaded:
        """The model; on the page nothing is fetched without being asked for."""
        if missing(self):
            raise ChoiceError("These weights are not on this computer yet; download them first.")
        return explorer.load(self.model, self.weights)

    def run(self, explorer: Explorer) -> Run:
        """The plain pass of the picture."""
        self.loaded(explorer)
        return explorer.inspect(self.model, self.picture, self.weights)

    def pass_seconds(self, explorer: Explorer) -> float:
        """What a pass takes, to tell how long longer work will."""
        self.loaded(explorer)
        return explorer.pass_seconds(self.model, self.picture, self.weights)

    def cropped(self, explorer: Explorer) -> np.ndarray:
        """The part of the picture the model sees, at the picture's own resolution, uint8 `[h, w, 3]`."""
        return explorer.cropped(self.model, self.picture, self.weights)

    def pixels(self, explorer: Explorer) -> np.ndarray:
        """What the model sees, pixel by pixel, uint8 `[h, w, 3]`."""
        image, _ = explorer.image(self.model, self.picture, self.weights)
        return from_image(image, self.loaded(explorer).preprocess)

    @property
    def choice_told(self) -> str:
        """The choice of weights as links have it; of uploads a mark that tells them apart, not their name."""
        mark = hashlib.sha256(self.upload.encode()).hexdigest()[:8]
        return f"{UPLOAD}-{mark}" if self.choice == UPLOAD else self.choice

    @property
    def weights_told(self) -> str:
        """The weights as Python; of uploaded ones the name stays here."""
        return (
            'explorer.upload(model, "weights.safetensors")' if self.choice == UPLOAD else f'"{self.weights}"'
        )

    def python(self, *lines: str, imports: str = "") -> str:
        """The few lines that give the same with the library."""
        head = (
            *([imports] if imports else []),
            "from explorer import Explorer\n",
            "explorer = Explorer()",
            *([f'explorer.add(my_model, "{self.model}")'] if is_added(self.model) else []),
            f'picture, model, weights = "{picture_told(self.picture)}", "{self.model}", {self.weights_told}',
        )
        return "\n".join((*head, *lines))


@dataclass(frozen=True)
class Rail:
    """The controls, in the order of `Selection`'s fields."""

    picture: gr.State
    model: gr.State
    choice: gr.Dropdown
    file: gr.Textbox
    target: gr.Dropdown
    upload: gr.State

    @property
    def inputs(self) -> list:
        return [self.picture, self.model, self.choice, self.file, self.target, self.upload]


def selected(
    picture: str | None, model: str, choice: str, file: str | None, target: int | None, upload: str = ""
) -> Selection:
    """The values of the rail's controls as one. Raises ChoiceError for what the page never sends."""
    texts = [text for text in (picture, model, choice, file, upload) if text is not None]
    if model is None or not all(isinstance(text, str) for text in texts):
        raise ChoiceError("Picture, model and weights are names.")
    if not isinstance(target, int | None):
        raise ChoiceError("The class is a whole number.")
    return Selection(
        picture, model, choice or "", (file or "").strip(), None if target in (None, -1) else target, upload
    )


def wired(explorer: Explorer, rail: Rail, handler: Callable, **controls: Control) -> dict[str, Any]:
    """`fn` and `inputs` of an event, for `handler(explorer, selection, name=value, ...)`.

    controls: by the name of the handler's argument, the control whose value it is. What the handler raises
    is shown as an alert.
    """
    names, count = tuple(controls), len(rail.inputs)

    def arguments(values: tuple) -> tuple[Selection, dict[str, Any]]:
        return selected(*values[:count]), dict(zip(names, values[count:], strict=True))

    def called(*values):
        selection, named = arguments(values)
        return handler(explorer, selection, **named)

    def streamed(*values):
        selection, named = arguments(values)
        with closing(handler(explorer, selection, **named)) as parts:
            for part in parts:
                if asked_again():
                    yield unchanged(part)
                    return
                yield part

    fn = streamed if inspect.isgeneratorfunction(handler) else called
    return {"fn": shown(fn), "inputs": [*rail.inputs, *controls.values()]}
