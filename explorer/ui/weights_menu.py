"""The menu of weights: what they are called, which go with a model, and which it starts with."""

from collections.abc import Callable
from dataclasses import replace

import gradio as gr

from explorer.engine.model_store import RANDOM
from explorer.explorer import Explorer
from explorer.ui.better_weights import first_here
from explorer.ui.controls import offer
from explorer.ui.selection import FILE, UPLOAD, Selection, weights_of
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


def fitted(explorer: Explorer, selection: Selection) -> Selection:
    """The selection with weights that its model has, and with a class that those know."""
    offered = weights_of(selection.model, hosted=explorer.hosted)
    if selection.choice not in offered:
        selection = replace(selection, choice=first_here(selection.model, selection.picture))
    if selection.target is not None and selection.target >= len(labels(explorer, selection)):
        selection = replace(selection, target=None)
    return selection


def labels(explorer: Explorer, selection: Selection) -> tuple[str, ...]:
    """The classes that the weights know; of an upload that is not here any more, none."""
    here = selection.choice == UPLOAD and explorer.engine.models.holds(selection.model, selection.upload)
    return explorer.labels(selection.model, selection.upload if here else selection.choice)


def menus(explorer: Explorer, selection: Selection, asked: Selection) -> tuple:
    """Weights and classes that go with a selection that fits; `asked` is what the page says until then."""
    known, choice = labels(explorer, selection), selection.choice
    classes = [PREDICTED, *((label, index) for index, label in enumerate(known))]
    target, before = (PREDICTED[1] if one.target is None else one.target for one in (selection, asked))
    return (
        offer(offered_by(explorer.hosted, selection.model), choice, asked.choice),
        gr.Textbox(visible=choice == FILE, info=card(selection.model).unpublished or None),
        offer(classes, target, before, visible=bool(known)),
        gr.Column(visible=choice == UPLOAD),
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
