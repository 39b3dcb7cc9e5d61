"""The menu of weights: what they are called, which go with a model, and which it starts with."""

from collections.abc import Callable

import gradio as gr

from explorer.engine.model_store import RANDOM
from explorer.explorer import Explorer
from explorer.ui.better_weights import first_here
from explorer.ui.controls import offer
from explorer.ui.selection import FILE, UPLOAD, weights_of
from models import card
from models.counted import megabytes
from models.sources import OWN, PRETRAINED

PREDICTED = ("the predicted class", -1)
NAMES = {
    "scenes": "trained on scenes (bundled)",
    "cifar10": "trained on CIFAR-10 (bundled)",
    "imagenet": "trained on ImageNet (published)",
    PRETRAINED: "pretrained (published)",
    OWN: "its own",
    RANDOM: "random (untrained)",
    UPLOAD: "an upload of yours",
    FILE: "a file of yours",
}
BUNDLED = "trained on ImageNet (bundled)"


def name_of(model: str, choice: str) -> str:
    """The weights as the menu calls them; of what has to be fetched, how much it is."""
    known = card(model).weights.get(choice)
    if choice != "imagenet" or known is None:
        return NAMES[choice]
    if known.bundled:
        return BUNDLED
    here = known.source.here() is not None
    return NAMES[choice] if here else f"trained on ImageNet (published, {megabytes(model):.0f} MB)"


def offered_by(hosted: bool, model: str) -> list[tuple[str, str]]:
    """The names and the weights a model offers."""
    return [(name_of(model, one), one) for one in weights_of(model, hosted=hosted)]


def menus(
    explorer: Explorer, model: str, choice: str, target: int | None, upload: str, picture: str | None
) -> tuple:
    """Weights and classes that go with a model."""
    offered = offered_by(explorer.hosted, model)
    fitting = choice if choice in dict(offered).values() else first_here(model, picture)
    here = fitting == UPLOAD and explorer.engine.models.holds(model, upload)
    labels = explorer.labels(model, upload if here else fitting)
    known = target if target is not None and target < len(labels) else PREDICTED[1]
    classes = [PREDICTED, *((label, index) for index, label in enumerate(labels))]
    return (
        offer(offered, fitting, choice),
        gr.Textbox(visible=fitting == FILE, info=card(model).unpublished or None),
        offer(classes, known, target, visible=bool(labels)),
        gr.Column(visible=fitting == UPLOAD),
    )


def with_weights(explorer: Explorer, handler: Callable[..., list], anew: bool) -> Callable[..., list]:
    """What picks a model, and the weights another one starts with, in one answer: they never disagree."""

    def picked(model: str, picture: str | None, *values) -> list:
        parts = handler(*values)
        name = parts[0] if anew and isinstance(parts[0], str) else model
        if name == model:
            return [*parts, gr.skip()]
        return [*parts, gr.Dropdown(offered_by(explorer.hosted, name), value=first_here(name, picture))]

    return picked
