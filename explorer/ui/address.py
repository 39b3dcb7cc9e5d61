"""The address bar: a link shows the same picture, model, weights, layer, block, method and tab again."""

import json
from collections.abc import Mapping
from typing import Any

import gradio as gr

from explorer.errors import ChoiceError
from explorer.ui.better_weights import first_here
from explorer.ui.controls import QUIET, Amount, ClassMenu, Control, Count, Several, Whole, whole_number
from explorer.ui.events import Unseen
from explorer.ui.examples import example
from explorer.ui.first import First
from explorer.ui.model_names import FIRST
from explorer.ui.model_picker import parts_of
from explorer.ui.rail import RailView, Refreshing
from explorer.ui.selection import FILE, PICK, UPLOAD, weights_of
from explorer.ui.weights_menu import offered_by


def arrive(
    hosted: bool,
    tabs: tuple[str, ...],
    remembered: Mapping[str, Control],
    first: First,
    request: gr.Request,
) -> list:
    """Set the controls as the address says; what it says wrongly or not at all stays as it is."""
    query = dict(request.query_params)
    query = query if "model" in query else {**first.query, **query}
    picture, model, choice = query.get("picture", ""), query.get("model"), query.get("weights")
    path = example(picture)
    if picture.startswith("upload-") and picture != first.mark:
        gr.Info("This link was made with an uploaded picture; upload it again to see the same.")
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
    as_built = (parts[0], kept) == (FIRST, first_here(FIRST, str(first.picture)))
    target = whole_number(query.get("target"))
    tab = query.get("tab") if query.get("tab") in tabs else None
    return [
        str(path) if path else gr.skip(),
        str(path) if path else gr.skip(),
        gr.skip() if as_built else gr.Dropdown(offered_by(hosted, parts[0]), value=kept),
        gr.Textbox(file, visible=True) if file else gr.skip(),
        gr.skip() if target is None or target < 0 else gr.Dropdown(choices=[target], value=target),
        *parts,
        model is not None,
        gr.Tabs(selected=tab) if tab else gr.skip(),
        tab or gr.skip(),
        *(setting(control, query.get(name)) for name, control in remembered.items()),
    ]


def setting(control: Control, value: str | None) -> Any:
    """One control of a tab as a link has it; a value it cannot have changes nothing."""
    if value is None:
        return gr.skip()
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
    if known:
        return value if value in known else gr.skip()
    return gr.Dropdown(choices=[value], value=value)  # a menu of the model's, filled once it is known


def connect(
    app: gr.Blocks,
    hosted: bool,
    view: RailView,
    after: Refreshing,
    tabs: tuple[gr.Tabs, gr.Textbox],
    names: tuple[str, ...],
    remembered: Mapping[str, Control],
    first: First,
) -> None:
    """Read the address when the page is opened, and keep it true afterwards.

    tabs: the tabs, and the name of the open one. remembered: controls of the tabs by their names in a link.
    first: what is shown where the address says nothing.
    """
    rail, controls = view.rail, list(remembered.values())

    def arrived(request: gr.Request) -> list:
        return arrive(hosted, names, remembered, first, request)

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
    app.load(arrived, None, [*settled, *controls], **QUIET).success(**after.menus).success(**after.link)
    usual = {name: control.value for name, control in remembered.items()}
    write = f"(...values) => window.mixscope.address({json.dumps(usual)}, values)"
    triggers = [view.link.change, tabs[1].change, *(control.change for control in controls)]
    gr.on(triggers, None, [view.link, tabs[1], *controls], js=write, **PICK)
