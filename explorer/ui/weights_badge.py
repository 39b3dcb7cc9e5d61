"""What the badge says of the weights: what they know, and what that is here knows more of the picture."""

from dataclasses import dataclass

import gradio as gr

from explorer.engine.model_store import RANDOM
from explorer.errors import ChoiceError
from explorer.explorer import Explorer
from explorer.familiarity.reference import Familiarity
from explorer.ui.components import render
from explorer.ui.model_picker import parts_of
from explorer.ui.selection import FILE, UPLOAD, Selection
from models import card, list_models
from models.sources import OWN, PRETRAINED

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
BADGES = {
    "scenes": ("good", "Trained: the bundled checkpoint, on procedural scenes"),
    "cifar10": ("good", "Trained: the bundled checkpoint, on the photographs of CIFAR-10"),
    "imagenet": ("good", "Trained: the published checkpoint, on ImageNet"),
    PRETRAINED: ("good", "Trained: the published weights, as timm names them"),
    OWN: ("neutral", "The weights this model came with"),
    RANDOM: ("bad", "Untrained: random weights, nothing here was learned"),
    UPLOAD: ("neutral", "Your checkpoint, loaded strictly; it is forgotten when you leave"),
    FILE: ("neutral", "Your checkpoint, loaded strictly"),
}
UNLIKE = {
    "scenes": "These weights know twelve drawn shapes and patterns. This picture is not like them: what they "
    "say of it means little.",
    "cifar10": "Most likely none of the ten things these weights know.",
}


def name_of(model: str, choice: str) -> str:
    """The weights as the menu calls them."""
    known = card(model).weights.get(choice)
    return BUNDLED if choice == "imagenet" and known and known.bundled else NAMES[choice]


def first_here(model: str) -> str:
    """The first weights that need not be fetched."""
    offered = (name for name, known in card(model).weights.items() if known.source.here())
    return next(offered, RANDOM)


@dataclass(frozen=True)
class Offer:
    """Weights that know photographs, and are on this computer."""

    model: str
    weights: str
    classes: int
    label: str


def offers(explorer: Explorer, model: str) -> tuple[Offer, ...]:
    """Those of the same model first, then the one of another model that knows most classes."""
    found = [
        Offer(name, weights, len(explorer.labels(name, weights)), f"Look with {name}")
        for name in list_models()
        for weights, known in card(name).weights.items()
        if known.labels != "scenes" and known.source.here()
    ]
    own = [one for one in found if one.model == model]
    others = sorted((one for one in found if one.model != model), key=lambda one: -one.classes)
    return (*own, *others[:1])


def badge(explorer: Explorer, selection: Selection) -> str:
    """What the weights were trained on, or, of a picture that is not like that, what to look with instead."""
    kind, text = BADGES[selection.choice]
    remark = selection.choice == RANDOM and card(selection.model).remark
    return doubt(explorer, selection) or render("badge", kind=kind, text=remark or text)


def unfamiliar(explorer: Explorer, selection: Selection) -> Familiarity | None:
    """How far the picture is from all the weights know; None where it is not, or where none can tell."""
    found = explorer.familiarity(*selection.question)
    return None if found is None or found.is_familiar else found


def doubt(explorer: Explorer, selection: Selection) -> str | None:
    """The badge of weights that know nothing like the picture; None where they do, or none can tell."""
    if (found := unfamiliar(explorer, selection)) is None:
        return None
    return render(
        "unfamiliar",
        text=UNLIKE[found.known],
        offers=[one for one in offers(explorer, selection.model) if one.weights != selection.weights],
    )


def best_here(explorer: Explorer, selection: Selection, *, chosen: bool) -> list:
    """The controls that say what knows most kinds of photographs, for an upload the weights do not know.

    chosen: whether the visitor has chosen a model; then theirs stays.
    """
    unknown = not chosen and unfamiliar(explorer, selection)
    known = offers(explorer, selection.model) if unknown else ()
    if not known:
        return [gr.skip()] * (len(parts_of(selection.model)) + 1)
    best = max(known, key=lambda one: one.classes)
    return said(best.model, best.weights)


def taken(event: gr.EventData) -> list:
    """The controls that say what the badge offered."""
    return said(str(event.model), str(event.weights))


def said(model: str, weights: str) -> list:
    """The controls that say a model, and the menu of weights."""
    parts = parts_of(model)
    if weights not in card(model).weights:
        raise ChoiceError(f"{model} has no weights called {weights!r}.")
    return [*parts, gr.Dropdown(choices=[weights], value=weights)]
