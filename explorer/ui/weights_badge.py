"""What the badge says of the weights: what they know, and what that is here knows more of the picture."""

from dataclasses import replace
from typing import Any

import gradio as gr

from explorer.engine.model_store import RANDOM
from explorer.errors import ChoiceError
from explorer.explorer import Explorer
from explorer.ui.better_weights import downloads, is_like_scenes, knows, offers, suited
from explorer.ui.components import render
from explorer.ui.model_picker import parts_of
from explorer.ui.selection import FILE, UPLOAD, Selection
from models import card
from models.sources import OWN, PRETRAINED

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
# Said of a picture the weights know nothing like, whatever they answer.
UNLIKE = {
    "scenes": "These weights know twelve drawn shapes and patterns. This picture is not like them: what they "
    "say of it means little.",
    "cifar10": "Most likely none of the ten it knows: airplane, automobile, bird, cat, deer, dog, frog, "
    "horse, ship, truck. What these weights say of it means little.",
    "imagenet": "These weights know a thousand things in photographs. This is a drawn scene: what they say "
    "of it means little.",
}
DOUBTS = {
    "scenes": "not like anything it knows",
    "cifar10": "most likely none of the ten it knows",
    "imagenet": "not like anything it knows",
}
AWAY = "These weights are not on this computer yet."
UNSURE = "Whether this picture is like those it was trained on is not known."


def badge(explorer: Explorer, selection: Selection) -> str:
    """What the weights were trained on, green where the picture fits; else what to look with instead."""
    kind, text = BADGES[selection.choice]
    if kind != "good":
        remark = selection.choice == RANDOM and card(selection.model).remark
        return render("badge", kind=kind, text=remark or text)
    fits = knows(explorer, selection)
    if fits is None:
        return render("badge", kind="neutral", text=text, more=UNSURE)
    return (
        render("badge", kind="good", text=text)
        if fits
        else render("unfamiliar", **doubt(explorer, selection))
    )


def doubt(explorer: Explorer, selection: Selection) -> dict[str, Any]:
    """What is said of a picture the weights know nothing like: what they know, and what knows more of it."""
    scene = is_like_scenes(explorer, selection.picture)
    return {
        "text": UNLIKE[selection.weights],
        "offers": offers(explorer, selection),
        "downloads": () if scene else downloads(explorer, selection.model),
    }


def best_here(explorer: Explorer, selection: Selection, chosen: bool) -> Selection:
    """The selection with the model and weights that suit its picture, which was just shown.

    chosen: whether the visitor has chosen a model or weights; then theirs stay.
    """
    if chosen or selection.picture is None:
        return selection
    model, weights = suited(explorer, selection.picture)
    now = (selection.model, selection.weights)
    return selection if now == (model, weights) else replace(selection, model=model, choice=weights)


def taken(event: gr.EventData) -> list:
    """The controls that say what was offered."""
    return said(str(event.model), str(event.weights))


def said(model: str, weights: str) -> list:
    """The controls that say a model, and the menu of weights."""
    parts = parts_of(model)
    if weights not in card(model).weights:
        raise ChoiceError(f"{model} has no weights called {weights!r}.")
    return [*parts, gr.Dropdown(choices=[weights], value=weights)]
