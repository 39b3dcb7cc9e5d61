"""The rail: which picture, which backbone, which weights, which class."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr

from explorer.explorer import Explorer
from explorer.ui import weights_download, weights_upload
from explorer.ui.after_choice import pressed, refreshed, shown_now, uploaded, with_menus
from explorer.ui.alerts import shown
from explorer.ui.better_weights import first_here
from explorer.ui.components import View, render
from explorer.ui.controls import Menu, progress_on
from explorer.ui.examples import GROUPS, picked
from explorer.ui.model_names import FIRST
from explorer.ui.model_picker import ModelPicker, listeners
from explorer.ui.model_picker import build as build_picker
from explorer.ui.picture_upload import TAKEN_AWAY, PictureUpload
from explorer.ui.selection import PICK, QUICK, Rail, lane, wired
from explorer.ui.typed_numbers import SETTLE
from explorer.ui.weights_badge import taken
from explorer.ui.weights_menu import PREDICTED, offered_by, with_weights
from explorer.ui.weights_upload import WeightsUpload


@dataclass(frozen=True)
class RailView:
    """The rail as it stands on the page: the controls a selection is made of, and what belongs to them."""

    rail: Rail
    picker: ModelPicker
    upload: PictureUpload
    examples: View
    bringing: gr.Column  # seen where weights of the visitor's own are brought
    files: WeightsUpload
    badge: View
    cut: View  # how much of the picture is cut off
    before: gr.State  # the picture before it was taken away
    waiting: View  # weights that are not here; while it says anything, it is seen in place of all tabs
    chosen: gr.State  # whether the visitor has chosen a model or weights
    link: gr.Textbox  # the query of a link to what is shown; the address bar and the open tab follow it


def build(hosted: bool, picture: Path, waiting: View) -> RailView:
    """Lay the rail out, with the picture that is seen first."""
    upload = PictureUpload(
        str(picture),
        label="Picture",
        height=210,
        sources=["upload", "webcam", "clipboard"],
        buttons=[],
        interactive=True,
        elem_id="picture",
        alt_text="the picture looked at",
        webcam_options=gr.WebcamOptions(mirror=False),
    )
    cut = View(elem_id="cut")
    examples = View(render("examples", groups=GROUPS), elem_id="examples")
    picker = build_picker(hosted)
    choice = Menu(
        offered_by(hosted, FIRST), value=first_here(FIRST, str(picture)), label="Weights", elem_id="weights"
    )
    file = gr.Textbox(label="Path of the checkpoint", visible=False, elem_id="file", submit_btn="Load")
    with gr.Column(visible=False) as bringing:
        files = WeightsUpload("Choose files", file_count="multiple", elem_id="weights-files", size="sm")
    badge = View(elem_id="badge")
    target = Menu([PREDICTED], value=PREDICTED[1], label="Class to explain", elem_id="target")
    rail = Rail(gr.State(str(picture)), picker.model, choice, file, target, gr.State(""))
    link = gr.Textbox(visible="hidden", elem_id="link")
    before = gr.State(str(picture))
    return RailView(
        rail, picker, upload, examples, bringing, files, badge, cut, before, waiting, gr.State(False), link
    )


@dataclass(frozen=True)
class AfterChoice:
    """What listens to a choice, as keyword arguments of its event."""

    model: dict[str, Any]  # another model, or other weights
    target: dict[str, Any]  # another class; the menus stay
    upload: dict[str, Any]
    pressed: dict[str, Any]  # an example; told beside the queue, so no press is lost
    example: dict[str, Any]  # it is shown already


def after_choice(explorer: Explorer, view: RailView, status: View) -> AfterChoice:
    """The listeners that choices in the rail end in; each gives all that follows in one answer."""
    rail = view.rail
    told = [view.link, view.badge, status, view.waiting, view.cut]
    menus = [rail.choice, rail.file, rail.target, view.bringing]
    arriving = [*view.picker.outputs, *menus, *told]
    both, how = [view.upload, rail.picture], {**QUICK, **progress_on(status)}
    in_turn = {**lane("pictures"), "trigger_mode": "multiple", **progress_on(status)}

    def press(event: gr.EventData, *values: Any) -> tuple:
        return pressed(explorer, picked(event), *values)

    return AfterChoice(
        {**wired(explorer, rail, with_menus), "outputs": [*menus, *told], **how},
        {**wired(explorer, rail, refreshed), "outputs": told, **how},
        {
            "fn": shown(partial(uploaded, explorer)),
            "inputs": [view.upload, view.before, view.chosen, *rail.inputs],
            "outputs": [*both, view.before, *arriving],
            "js": TAKEN_AWAY,
            **in_turn,
        },
        {
            "fn": shown(press),
            "inputs": [view.chosen, *rail.inputs],
            "outputs": [*both, *arriving],
            **PICK,
        },
        {**wired(explorer, rail, shown_now, chosen=view.chosen), "outputs": arriving, **how},
    )


def connect(
    app: gr.Blocks,
    explorer: Explorer,
    view: RailView,
    after: AfterChoice,
    running: list,
    elsewhere: tuple[View, ...] = (),
    told: Sequence[tuple[Any, gr.State]] = (),
) -> list:
    """Whatever is chosen stops what runs, then refreshes; gives the events that choose a model.

    elsewhere: views of tabs that offer other weights as the badge does.
    told: events of tabs that choose a picture, and its path.
    """
    rail = view.rail
    fetching = weights_download.connect(explorer, rail, view.waiting)
    running = [*running, fetching]
    picker, fields, settled = view.picker, view.picker.fields, view.picker.settled
    fitting = [*view.picker.outputs, rail.choice]
    naming = []
    view.upload.input(cancels=running, **after.upload)
    both = [view.upload, rail.picture]
    view.examples.pick(cancels=running, **after.pressed).success(**after.example)
    for picked_elsewhere, path in told:
        taken_up = picked_elsewhere.success(lambda path: (path, path), path, both, cancels=running, **PICK)
        taken_up.success(**after.example)
    rail.choice.input(cancels=running, **after.model)
    for event, handler, inputs, anew in listeners(picker, explorer.engine.models.refuse_costly):
        ends = [rail.model, rail.picture, *inputs], fitting
        named = event(with_weights(explorer, handler, anew), *ends, cancels=running, **lane("picker"))
        naming.append(named)
        named.success(None, [settled, *fields], fields, js=SETTLE, **PICK)
        named.success(**after.model)
    gr.on([rail.target.input, rail.file.submit], cancels=running, **after.target)
    for offering in (view.badge, *elsewhere):
        offered = offering.more(shown(taken), None, fitting, cancels=running, **PICK)
        offered.success(**after.model)
        offering.more(lambda: True, None, view.chosen, **PICK)
    choosing = [picker.kind.input, picker.backbone.input, picker.block.input, rail.choice.input]
    gr.on(choosing, lambda: True, None, view.chosen, **PICK)
    fetching.success(**after.target)
    brought = weights_upload.connect(app, explorer, rail, view.files, running)
    brought.success(**after.model)
    return naming
