"""The address bar: a link shows the same picture, model, weights, layer, block, method and tab again."""

import json

import gradio as gr

from explorer.errors import ChoiceError
from explorer.ui.controls import Amount, Several, Whole
from explorer.ui.model_picker import FIRST, Which, parts_of
from explorer.ui.picture_upload import PictureUpload
from explorer.ui.rail import example
from explorer.ui.selection import FILE, HOSTED, PICK, QUIET, Rail, weights_of

TABS = ("overview", "maps", "reweighting", "attribution", "code", "mixing", "compare")


def arrive(named: dict[str, gr.components.Component], request: gr.Request) -> list:
    """Set the controls as the address says; what it says wrongly or not at all stays as it is."""
    asked = dict(request.query_params)
    picture, model, choice = asked.get("picture", ""), asked.get("model"), asked.get("weights")
    path = example(picture)
    if picture.startswith("upload-"):
        gr.Info("This link was made with an uploaded picture; upload it again to see the same.")
    try:
        parts = parts_of(model or FIRST)
    except ChoiceError:
        parts = parts_of(FIRST)
    offered = weights_of(parts[0])
    file = asked.get("file", "") if choice == FILE and not HOSTED else ""
    loadable = choice in offered and (file or choice != FILE)
    target = asked.get("target", "")
    return [
        str(path) if path else gr.skip(),
        str(path) if path else gr.skip(),
        gr.Dropdown(choices=[choice], value=choice) if loadable else gr.skip(),
        gr.Textbox(file, visible=True) if file else gr.skip(),
        gr.Dropdown(choices=[int(target)], value=int(target)) if target.isdigit() else gr.skip(),
        *parts,
        gr.Tabs(selected=asked["tab"]) if asked.get("tab") in TABS else gr.skip(),
        *(setting(control, asked.get(name)) for name, control in named.items()),
    ]


def setting(control: gr.components.Component, value: str | None):
    """One control of a tab as a link has it; a value it cannot have changes nothing."""
    if value is None:
        return gr.skip()
    if isinstance(control, Whole | Amount):
        return control.preprocess(int(value)) if value.lstrip("-").isdigit() else gr.skip()
    if isinstance(control, gr.Textbox):
        return value  # checked by those who read it
    known = [choice for _, choice in control.choices]
    if isinstance(control, Several):
        return [one for one in dict.fromkeys(value.split(",")) if one in known] or gr.skip()
    if known:
        return value if value in known else gr.skip()
    return gr.Dropdown(choices=[value], value=value)  # a menu of the model's, filled once it is known


def wire(
    app: gr.Blocks,
    rail: Rail,
    which: Which,
    upload: PictureUpload,
    turn: gr.Textbox,
    tabs: gr.Tabs,
    named: dict,
    fit: dict,
    renew: dict,
) -> None:
    controls = list(named.values())

    def arrived(request: gr.Request) -> list:
        return arrive(named, request)

    app.load(
        arrived,
        None,
        [upload, rail.picture, rail.choice, rail.file, rail.target, *which.outputs, tabs, *controls],
        **QUIET,
    ).success(**fit).success(**renew)
    usual = {name: control.value for name, control in named.items()}
    write = f"(...values) => window.mixscope.address({json.dumps(usual)}, values)"
    triggers = [turn.change, *(control.change for control in controls)]
    gr.on(triggers, None, [turn, *controls], js=write, **PICK)
