"""The rail: which picture, which backbone, which weights, which class."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr

from explorer.explorer import Explorer
from explorer.ui import weights_download, weights_upload
from explorer.ui.alerts import shown
from explorer.ui.better_weights import first_here, unlike
from explorer.ui.components import View, render
from explorer.ui.controls import Menu, progress_on
from explorer.ui.examples import GROUPS, picked
from explorer.ui.links import link_to
from explorer.ui.model_names import FIRST
from explorer.ui.model_picker import ModelPicker, listeners
from explorer.ui.model_picker import build as build_picker
from explorer.ui.picture_notes import cut_off, no_picture
from explorer.ui.picture_upload import TAKEN_AWAY, PictureUpload, usable
from explorer.ui.selection import FILE, PICK, QUICK, UPLOAD, Rail, Selection, lane, missing, wired
from explorer.ui.typed_numbers import SETTLE
from explorer.ui.weights_badge import AWAY, DOUBTS, badge, best_here, taken
from explorer.ui.weights_download import waiting
from explorer.ui.weights_menu import PREDICTED, menus, name_of, offered_by, with_weights
from explorer.ui.weights_upload import WORDS, WeightsUpload


def refreshed(explorer: Explorer, selection: Selection) -> tuple:
    """The new link, which the open tab follows, the badge, what is shown, what is missing, what is cut off.

    What cannot be looked at is refused here, with one sentence, before any view changes.
    """
    if selection.picture is None:
        return gr.skip(), gr.skip(), "", no_picture(), ""
    if selection.choice == FILE and not selection.file:
        gr.Info("Give the path of a checkpoint on this computer and press Load.")
        return gr.skip(), gr.skip(), gr.skip(), "", gr.skip()
    if selection.choice == UPLOAD and not explorer.engine.models.holds(selection.model, selection.upload):
        return gr.skip(), render("badge", kind="neutral", text=WORDS), gr.skip(), "", gr.skip()
    shown = {"model": selection.model, "weights": name_of(selection.model, selection.choice)}
    if missing(selection):
        away = render("badge", kind="neutral", text=AWAY)
        return (
            gr.skip(),
            away,
            render("status", **shown, top=None, doubt=""),
            waiting(explorer, selection),
            "",
        )
    loaded = selection.loaded(explorer)
    top = explorer.predict(*selection.question, most=1)[0] if loaded.labels else None
    doubt = unlike(explorer, selection) and DOUBTS[selection.weights]
    return (
        link_to(selection, explorer.digest(selection.picture)),
        badge(explorer, selection),
        render("status", **shown, top=top, doubt=doubt),
        "",
        cut_off(explorer, selection),
    )


def accepted(explorer: Explorer, upload: str | None, current: str | None, before: str) -> tuple:
    """What the upload shows, the picture looked at, and the last one; a bad file brings that one back."""
    if upload is None:
        return gr.skip(), None, current or before
    if not usable(explorer, upload):
        return (current or before,) * 3
    return gr.skip(), upload, upload


def chosen_example(event: gr.EventData) -> tuple[str, str]:
    return picked(event), picked(event)


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


@dataclass(frozen=True)
class Refreshing:
    """What happens after a choice, as keyword arguments of an event."""

    menus: dict[str, Any]  # fills the menus of weights and classes
    link: dict[str, Any]  # makes the link, the badge and the line of status anew


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


def refreshing(explorer: Explorer, view: RailView, status: View) -> Refreshing:
    """The two listeners that every choice in the rail ends in."""
    rail = view.rail
    link = {
        **wired(explorer, rail, refreshed),
        "outputs": [view.link, view.badge, status, view.waiting, view.cut],
        **QUICK,
        **progress_on(status),
    }
    fit = {
        "fn": shown(partial(menus, explorer)),
        "inputs": [rail.model, rail.choice, rail.target, rail.upload, rail.picture],
        "outputs": [rail.choice, rail.file, rail.target, view.bringing],
        **QUICK,
    }
    return Refreshing(fit, link)


def connect(
    app: gr.Blocks,
    explorer: Explorer,
    view: RailView,
    after: Refreshing,
    running: list,
    elsewhere: tuple[View, ...] = (),
) -> list:
    """Whatever is chosen stops what runs, then refreshes; gives the events that choose a model.

    elsewhere: views of tabs that offer other weights as the badge does.
    """
    rail, both = view.rail, [view.upload, view.rail.picture]
    fetching = weights_download.connect(explorer, rail, view.waiting)
    running = [*running, fetching]
    picker, fields, settled = view.picker, view.picker.fields, view.picker.settled
    queued = {**PICK, "queue": True}  # warnings reach the page through the queue only
    accept = shown(partial(accepted, explorer))
    fitting = [*view.picker.outputs, rail.choice]
    kept = [*both, view.before]
    accepting = view.upload.input(accept, kept, kept, js=TAKEN_AWAY, cancels=running, **queued)
    showing = view.examples.pick(chosen_example, None, both, cancels=running, **PICK)
    naming = []
    suiting = wired(explorer, rail, best_here, chosen=view.chosen)
    for shown_now in (accepting, showing):
        best = shown_now.success(**suiting, outputs=fitting, **QUICK)
        best.success(**after.menus).success(**after.link)
    rail.choice.input(cancels=running, **after.menus).success(**after.link)
    for event, handler, inputs, anew in listeners(picker, explorer.engine.models.refuse_costly):
        ends = [rail.model, rail.picture, *inputs], fitting
        named = event(with_weights(explorer, handler, anew), *ends, cancels=running, **lane("picker"))
        naming.append(named)
        named.success(None, [settled, *fields], fields, js=SETTLE, **PICK)
        named.success(**after.menus).success(**after.link)
    gr.on([rail.target.input, rail.file.submit], cancels=running, **after.link)
    for offering in (view.badge, *elsewhere):
        offered = offering.more(shown(taken), None, fitting, cancels=running, **PICK)
        offered.success(**after.menus).success(**after.link)
        offering.more(lambda: True, None, view.chosen, **PICK)
    choosing = [picker.kind.input, picker.backbone.input, picker.block.input, rail.choice.input]
    gr.on(choosing, lambda: True, None, view.chosen, **PICK)
    fetching.success(**after.link)
    brought = weights_upload.connect(app, explorer, rail, view.files, running)
    brought.success(**after.menus).success(**after.link)
    return naming
