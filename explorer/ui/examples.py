"""The example pictures: photographs, and drawn scenes whose causes are known."""

from pathlib import Path

import gradio as gr

from explorer.engine.model_store import RANDOM
from explorer.errors import ChoiceError
from explorer.ui.selection import Selection
from models import card
from models.registry import ASSETS


def numbered(path: Path) -> int:
    """The number an example's name begins with, by which they are in order."""
    return int(path.stem.partition("-")[0])


PHOTOGRAPHS = tuple(sorted((ASSETS / "examples" / "photographs").glob("*.jpg"), key=numbered))
SCENES = tuple(sorted((ASSETS / "examples").glob("*.png"), key=numbered))
EXAMPLES = (*PHOTOGRAPHS, *SCENES)
GROUPS = {"Photographs": PHOTOGRAPHS, "Drawn scenes": SCENES}


def example(name: str) -> Path | None:
    """The example of this name, as links have it."""
    return next((path for path in EXAMPLES if path.stem == name), None)


def picked(event: gr.EventData) -> str:
    """The path of the example whose button was pressed."""
    if (path := example(str(event.example))) is None:
        raise ChoiceError(f"There is no example called {event.example!r}.")
    return str(path)


def known_to(selection: Selection) -> tuple[Path, ...]:
    """The examples like those the weights were trained on; scenes for weights that learned nothing."""
    listed = card(selection.model).weights.get(selection.weights)
    if selection.weights == RANDOM or (listed and listed.labels == "scenes"):
        return SCENES
    return PHOTOGRAPHS
