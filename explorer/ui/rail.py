"""The rail: which picture, which backbone, which weights, which class."""

from functools import partial
from pathlib import Path
from urllib.parse import urlencode

import gradio as gr

from explorer.engine.model_store import RANDOM
from explorer.explorer import Explorer
from explorer.ui.alerts import shown
from explorer.ui.components import View, render
from explorer.ui.controls import Menu
from explorer.ui.model_picker import FIRST, Which, listeners
from explorer.ui.model_picker import build as build_which
from explorer.ui.picture_upload import EXAMPLES, PictureUpload, usable
from explorer.ui.selection import FILE, PICK, QUICK, SLOW, Asked, Rail, bound, missing, weights_of
from explorer.ui.weights_download import fetched, stopped
from models import card

NAMES = {
    "scenes": "trained on scenes (bundled)",
    "imagenet": "trained on ImageNet (published)",
    RANDOM: "random (untrained)",
    FILE: "a file of yours",
}
BADGES = {
    "scenes": ("good", "Trained: the bundled checkpoint, on procedural scenes"),
    "imagenet": ("good", "Trained: the published checkpoint, on ImageNet"),
    RANDOM: ("bad", "Untrained: random weights, nothing here was learned"),
    FILE: ("neutral", "Your checkpoint, loaded strictly"),
}
PREDICTED = ("the predicted class", -1)


def example(name: str) -> Path | None:
    return next((path for path in EXAMPLES if path.stem == name), None)


def address(asked: Asked, digest: str) -> str:
    """What is looked at, as the query of a link that shows it again; `ui.address` reads it."""
    path = Path(asked.picture) if asked.picture else None
    known = path is not None and path in EXAMPLES
    parts = {
        "picture": path.stem if known else f"upload-{digest[:12]}",
        "model": asked.model,
        "weights": asked.choice,
        **({"file": asked.file} if asked.choice == FILE else {}),
        **({"target": asked.target} if asked.target is not None else {}),
    }
    return urlencode(parts)


def turned(explorer: Explorer, asked: Asked) -> tuple:
    """The new address, which every view listens to, the badge, and one line on what is shown now.

    What cannot be looked at is refused here, with one sentence, before any view changes.
    """
    if asked.choice == FILE and not asked.file:
        gr.Info("Give the path of a checkpoint on this computer and press Load.")
        return gr.skip(), gr.skip(), gr.skip()
    if place := missing(asked):
        return gr.skip(), render("tab_link", place=place), gr.skip()
    loaded = asked.loaded(explorer)
    top = explorer.predict(asked.model, asked.open(), asked.weights, most=1)[0] if loaded.labels else None
    kind, text = BADGES[asked.choice]
    return (
        address(asked, explorer.digest(asked.open())),
        render("badge", kind=kind, text=(asked.choice == RANDOM and loaded.card.remark) or text),
        render("status", model=asked.model, weights=NAMES[asked.choice], top=top),
    )


def menus(explorer: Explorer, model: str, choice: str, target: int | None) -> tuple:
    """Weights and classes that go with a model."""
    offered = weights_of(model)
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


def accepted(upload: str | None, current: str) -> tuple:
    """An uploaded picture, or, with a sentence, the one before it; taking it away changes no view."""
    if upload is None:
        return gr.skip(), gr.skip()
    if not usable(upload):
        return current, current
    return gr.skip(), upload


def chosen_example(event: gr.EventData) -> tuple[str, str]:
    path = str(EXAMPLES[int(event._data["value"])])
    return path, path


def build() -> tuple[Rail, Which, PictureUpload, View, View, gr.Textbox]:
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
    strip = View(render("examples", examples=EXAMPLES), elem_id="examples")
    which = build_which()
    choice = Menu([(NAMES[n], n) for n in weights_of(FIRST)], label="Weights", elem_id="weights")
    file = gr.Textbox(label="Path of the checkpoint", visible=False, elem_id="file", submit_btn="Load")
    badge = View(elem_id="badge")
    target = Menu([PREDICTED], value=PREDICTED[1], label="Class to explain", elem_id="target")
    turn = gr.Textbox(visible="hidden", elem_id="turn")
    rail = Rail(gr.State(str(first)), which.model, choice, file, target)
    return rail, which, upload, strip, badge, turn


def wire(
    explorer: Explorer,
    rail: Rail,
    which: Which,
    upload: PictureUpload,
    strip: View,
    badge: View,
    status: View,
    turn: gr.Textbox,
    running: list,
) -> tuple[dict, dict]:
    """Whatever is chosen stops what runs and gives a new turn; gives the two listeners that do so."""
    renew = {
        "fn": bound(turned, explorer),
        "inputs": rail.inputs,
        "outputs": [turn, badge, status],
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
    both = [upload, rail.picture]
    queued = {**PICK, "queue": True}  # warnings reach the page through the queue only
    upload.input(shown(accepted), both, both, cancels=running, **queued).success(**renew)
    strip.pick(chosen_example, None, both, cancels=running, **PICK).success(**renew)
    rail.choice.input(cancels=running, **fit).success(**renew)
    best = {**fit, "fn": shown(partial(best_menus, explorer)), "inputs": [rail.model, rail.target]}
    for event, handler, inputs, anew in listeners(which):
        named = event(handler, inputs, which.outputs, cancels=running, **QUICK)
        named.success(**(best if anew else fit)).success(**renew)
    fetching = badge.pick(bound(fetched, explorer), rail.inputs, badge, **SLOW)
    fetching.success(**renew)
    badge.stop(stopped, None, badge, cancels=[fetching], **PICK)
    gr.on([rail.target.input, rail.file.submit], cancels=running, **renew)
    return fit, renew
