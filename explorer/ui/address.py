"""The address bar: a link shows the same picture, model, weights, layer, block, method and tab again."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gradio as gr

from explorer.errors import ChoiceError
from explorer.explorer import Explorer
from explorer.ui.alerts import shown
from explorer.ui.better_weights import first_here
from explorer.ui.components import View, render
from explorer.ui.controls import (
    QUIET,
    Amount,
    ClassMenu,
    Control,
    Count,
    Filled,
    Several,
    Whole,
    whole_number,
)
from explorer.ui.events import Unseen
from explorer.ui.examples import example
from explorer.ui.first import First
from explorer.ui.model_names import FIRST
from explorer.ui.model_picker import parts_of
from explorer.ui.picture_upload import came_here, usable
from explorer.ui.rail import AfterChoice, RailView
from explorer.ui.selection import FILE, PICK, UPLOAD, weights_of
from explorer.ui.weights_menu import PREDICTED, offered_by


def arrive(
    hosted: bool,
    tabs: tuple[str, ...],
    remembered: Mapping[str, Control],
    first: First,
    query: Mapping[str, str],
    upload: Path | None = None,
    *,
    back: bool = False,
) -> list:
    """Set the controls as the address says; what it says wrongly or not at all stays as it is.

    upload: the picture of the address, where the visitor's browser brought it. back: the page shows something
    else already, so that what the address does not say is as it usually is.
    """
    query = query if "model" in query else {**first.query, **query}
    picture, model, choice = query.get("picture", ""), query.get("model"), query.get("weights")
    path = upload or example(picture)
    if str(choice).startswith(UPLOAD):
        gr.Info("This link was made with weights somebody uploaded; upload them again to see the same.")
    try:
        parts = parts_of(model or first.model)
    except ChoiceError:
        parts = parts_of(first.model)
    file = query.get("file", "") if choice == FILE else ""
    loadable = choice != UPLOAD and choice in weights_of(parts[0], hosted=hosted) and (file or choice != FILE)
    kept = str(choice) if loadable else first_here(parts[0], str(path or first.picture))
    # What the page was built with may have been changed by a quick visitor.
    as_built = not back and (parts[0], kept) == (FIRST, first_here(FIRST, str(first.picture)))
    target = whole_number(query.get("target"))
    tab = query.get("tab") if query.get("tab") in tabs else tabs[0] if back else None
    return [
        str(path) if path else gr.skip(),
        str(path) if path else gr.skip(),
        gr.skip() if as_built else gr.Dropdown(offered_by(hosted, parts[0]), value=kept),
        gr.Textbox(file, visible=True) if file else gr.skip(),
        class_asked(target, back),
        *parts,
        model is not None,
        gr.Tabs(selected=tab) if tab else gr.skip(),
        tab or gr.skip(),
        *(setting(control, query.get(name), back=back) for name, control in remembered.items()),
    ]


def class_asked(target: int | None, back: bool) -> Any:
    """The menu of the class to explain at this class; without one it stays, or is the predicted one again."""
    if target is None or target < 0:
        return gr.Dropdown(value=PREDICTED[1]) if back else gr.skip()
    return gr.Dropdown(choices=[target], value=target)


def setting(control: Control, value: str | None, *, back: bool = False) -> Any:
    """One control of a tab as a link has it; a value it cannot have changes nothing."""
    if value is None:
        return gr.update(value=control.value) if back else gr.skip()
    if isinstance(control, Unseen):
        return control.from_link(value) or gr.skip()
    if isinstance(control, Whole | Amount):
        number = whole_number(value)
        return gr.skip() if number is None else control.preprocess(number)
    if isinstance(control, ClassMenu):
        number = whole_number(value)
        return gr.skip() if number is None or number < 0 else gr.Dropdown(choices=[number], value=number)
    if isinstance(control, Count):
        number = whole_number(value)
        return gr.skip() if number is None else control.set_to(number)
    if isinstance(control, Several):
        return control.set_to(value.split(","))
    known = [choice for _, choice in control.choices]
    if known and not isinstance(control, Filled):
        return value if value in known else gr.skip()
    return gr.Dropdown(choices=[value], value=value)  # a menu of the model's, filled once it is known


def followed(explorer: Explorer, event: gr.EventData) -> tuple[dict[str, str], Path | None]:
    """Where the visitor went back to, or followed a link to, and the picture the browser brought for it."""
    query = {str(name): str(value) for name, value in dict(event.query).items()}
    upload, other = (brought(explorer, one) for one in (event.upload, event.other))
    for name, found in (("picture", upload), ("other", other)):
        if found is None and query.get(name, "").startswith("upload-"):
            gr.Info("This link was made with an uploaded picture; upload it again to see the same.")
    # What stands in the address is a mark; the box of the other picture holds the path as well.
    return {**query, "other": f"{query['other']}|{other}"} if other else query, upload


def brought(explorer: Explorer, path: Any) -> Path | None:
    """A picture of the visitor's own that the browser has uploaded again; None where it had none."""
    found = came_here(str(path)) if path else None
    return found if found and usable(explorer, str(found)) else None


def connect(
    app: gr.Blocks,
    explorer: Explorer,
    view: RailView,
    after: AfterChoice,
    tabs: tuple[gr.Tabs, gr.Textbox],
    names: tuple[str, ...],
    remembered: Mapping[str, Control],
    first: First,
    begun: list[gr.State],
    naming: list,
) -> Any:
    """Read the address when the page is opened, and keep it true afterwards; gives what follows a link.

    tabs: the tabs, and the name of the open one. remembered: controls of the tabs by their names in a link.
    first: what is shown where the address says nothing. begun: what begins anew where a link is followed.
    naming: events that choose a model; what they are still asked when a link is followed is not answered.
    """
    rail, controls = view.rail, list(remembered.values())

    def arrived(request: gr.Request) -> list:
        return arrive(explorer.hosted, names, remembered, first, dict(request.query_params))

    def gone(event: gr.EventData) -> list:
        query, upload = followed(explorer, event)
        anew = [state.value for state in begun]
        number = str(whole_number(str(getattr(event, "number", ""))) or 0)
        return [number, *arrive(explorer.hosted, names, remembered, first, query, upload, back=True), *anew]

    settled = [
        view.upload,
        rail.picture,
        rail.choice,
        rail.file,
        rail.target,
        *view.picker.outputs,
        view.chosen,
        *tabs,
    ]
    app.load(arrived, None, [*settled, *controls], **QUIET).success(**after.model)
    usual = {name: control.value for name, control in remembered.items()}
    write = f"(...values) => window.mixscope.address({json.dumps(usual)}, values)"
    triggers = [view.link.change, tabs[1].change, *(control.change for control in controls)]
    gr.on(triggers, None, [view.link, tabs[1], *controls], js=write, **PICK)
    ways = View(render("ways"), elem_id="ways-back")
    # What is said reaches the page through the queue only, and who goes back twice arrives there last.
    queued = {**PICK, "queue": True, "concurrency_id": "ways", "concurrency_limit": 1}
    reached = gr.Textbox("0", visible="hidden")  # which way the controls stand at
    reached.change(None, reached, None, js="number => window.mixscope.reach(number)", **PICK)
    outputs = [reached, *settled, *controls, *begun]
    went = ways.pick(shown(gone), None, outputs, cancels=naming, **queued)
    return went.success(**after.model)
