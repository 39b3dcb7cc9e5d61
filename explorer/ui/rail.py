"""The rail: which picture, which backbone, which weights, which class."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import gradio as gr

from explorer.engine.model_store import RANDOM
from explorer.explorer import Explorer
from explorer.ui.alerts import shown
from explorer.ui.components import View, render
from explorer.ui.controls import Menu
from explorer.ui.model_picker import FIRST, ModelPicker, listeners
from explorer.ui.model_picker import build as build_picker
from explorer.ui.picture_upload import EXAMPLES, PictureUpload, usable
from explorer.ui.selection import FILE, PICK, QUICK, SLOW, Rail, Selection, missing, weights_of, wired
from explorer.ui.weights_download import fetched, stopped
from explorer.ui.weights_words import BADGES, NAMES
from models import card

PREDICTED = ("the predicted class", -1)


def example(name: str) -> Path | None:
    return next((path for path in EXAMPLES if path.stem == name), None)


def link_to(selection: Selection, digest: str) -> str:
    """What is looked at, as the query of a link that shows it again; `ui.address` reads it."""
    path = Path(selection.picture or "")
    parts = {
        "picture": path.stem if path in EXAMPLES else f"upload-{digest[:12]}",
        "model": selection.model,
        "weights": selection.choice,
        **({"file": selection.file} if selection.choice == FILE else {}),
        **({"target": selection.target} if selection.target is not None else {}),
    }
    return urlencode(parts)


def refreshed(explorer: Explorer, selection: Selection) -> tuple:
    """The new link, which the open tab follows, the badge, and one line on what is shown now.

    What cannot be looked at is refused here, with one sentence, before any view changes.
    """
    if selection.choice == FILE and not selection.file:
        gr.Info("Give the path of a checkpoint on this computer and press Load.")
        return gr.skip(), gr.skip(), gr.skip()
    if place := missing(selection):
        return gr.skip(), render("weights_missing", place=place), gr.skip()
    loaded = selection.loaded(explorer)
    top = explorer.predict(*selection.question, most=1)[0] if loaded.labels else None
    kind, text = BADGES[selection.choice]
    return (
        link_to(selection, explorer.digest(selection.picture)),
        render("badge", kind=kind, text=(selection.choice == RANDOM and loaded.card.remark) or text),
        render("status", model=selection.model, weights=NAMES[selection.choice], top=top),
    )


def menus(explorer: Explorer, model: str, choice: str, target: int | None) -> tuple:
    """Weights and classes that go with a model."""
    offered = weights_of(model, hosted=explorer.hosted)
    choice = choice if choice in offered else first_here(model)
    labels = explorer.labels(model, choice)
    target = target if target is not None and target < len(labels) else PREDICTED[1]
    classes = [PREDICTED, *((label, index) for index, label in enumerate(labels))]
    return (
        gr.Dropdown([(NAMES[name], name) for name in offered], value=choice),
        gr.Textbox(visible=choice == FILE, info=card(model).unpublished or None),
        gr.Dropdown(classes, value=target, visible=bool(labels)),
    )


def first_here(model: str) -> str:
    """The first weights that need not be fetched."""
    offered = (name for name, known in card(model).weights.items() if known.source.here())
    return next(offered, RANDOM)


def best_menus(explorer: Explorer, model: str, target: int | None) -> tuple:
    """Another model starts with its own trained weights, where it has some."""
    return menus(explorer, model, "", target)


def accepted(explorer: Explorer, upload: str | None, current: str) -> tuple:
    """An uploaded picture, or, with a sentence, the one before it; taking it away changes no view."""
    if upload is None:
        return gr.skip(), gr.skip()
    if not usable(explorer, upload):
        return current, current
    return gr.skip(), upload


def chosen_example(event: gr.EventData) -> tuple[str, str]:
    path = str(EXAMPLES[int(event.example)])
    return path, path


@dataclass(frozen=True)
class RailView:
    """The rail as it stands on the page: the controls a selection is made of, and what belongs to them."""

    rail: Rail
    picker: ModelPicker
    upload: PictureUpload
    examples: View
    badge: View
    link: gr.Textbox  # the query of a link to what is shown; the address bar and the open tab follow it


@dataclass(frozen=True)
class Refreshing:
    """What happens after a choice, as keyword arguments of an event."""

    menus: dict[str, Any]  # fills the menus of weights and classes
    link: dict[str, Any]  # makes the link, the badge and the line of status anew


def build(hosted: bool) -> RailView:
    """Lay the rail out."""
    first = next(path for path in EXAMPLES if "vertical" in path.stem)
    upload = PictureUpload(
        str(first),
        label="Picture",
        height=210,
        sources=["upload", "webcam", "clipboard"],
        buttons=[],
        interactive=True,
        elem_id="picture",
        alt_text="the picture looked at",
        webcam_options=gr.WebcamOptions(mirror=False),
    )
    examples = View(render("examples", examples=EXAMPLES), elem_id="examples")
    picker = build_picker()
    choice = Menu(
        [(NAMES[n], n) for n in weights_of(FIRST, hosted=hosted)], label="Weights", elem_id="weights"
    )
    file = gr.Textbox(label="Path of the checkpoint", visible=False, elem_id="file", submit_btn="Load")
    badge = View(elem_id="badge")
    target = Menu([PREDICTED], value=PREDICTED[1], label="Class to explain", elem_id="target")
    rail = Rail(gr.State(str(first)), picker.model, choice, file, target)
    return RailView(rail, picker, upload, examples, badge, gr.Textbox(visible="hidden", elem_id="link"))


def refreshing(explorer: Explorer, view: RailView, status: View) -> Refreshing:
    """The two listeners that every choice in the rail ends in."""
    rail = view.rail
    link = {
        **wired(explorer, rail, refreshed),
        "outputs": [view.link, view.badge, status],
        **QUICK,
        "show_progress": "minimal",
        "show_progress_on": [status],
    }
    fit = {
        "fn": shown(partial(menus, explorer)),
        "inputs": [rail.model, rail.choice, rail.target],
        "outputs": [rail.choice, rail.file, rail.target],
        **QUICK,
    }
    return Refreshing(fit, link)


def connect(explorer: Explorer, view: RailView, after: Refreshing, running: list) -> None:
    """Whatever is chosen stops what runs, then refreshes."""
    rail, both = view.rail, [view.upload, view.rail.picture]
    queued = {**PICK, "queue": True}  # warnings reach the page through the queue only
    accept = shown(partial(accepted, explorer))
    view.upload.input(accept, both, both, cancels=running, **queued).success(**after.link)
    view.examples.pick(chosen_example, None, both, cancels=running, **PICK).success(**after.link)
    rail.choice.input(cancels=running, **after.menus).success(**after.link)
    best = {**after.menus, "fn": shown(partial(best_menus, explorer)), "inputs": [rail.model, rail.target]}
    for event, handler, inputs, another_model in listeners(view.picker):
        named = event(handler, inputs, view.picker.outputs, cancels=running, **QUICK)
        named.success(**(best if another_model else after.menus)).success(**after.link)
    gr.on([rail.target.input, rail.file.submit], cancels=running, **after.link)
    connect_download(explorer, view, after)


def connect_download(explorer: Explorer, view: RailView, after: Refreshing) -> None:
    """The badge offers weights that are not here yet, and shows how they come."""
    asks = wired(explorer, view.rail, fetched)
    fetching = view.badge.pick(**asks, outputs=view.badge, **SLOW)
    fetching.success(**after.link)
    view.badge.stop(stopped, None, view.badge, cancels=[fetching], **PICK)
