"""The address bar: a link shows the same picture, model, weights, layer, block, method and tab again."""

import json

import gradio as gr

from explorer.ui.asked import FILE, QUIET, Rail
from explorer.ui.picture import PictureUpload
from explorer.ui.rail import HOSTED, backbones, example, weights_of
from models import list_models

TABS = ("overview", "maps", "reweighting", "attribution")


def arrive(names: tuple[str, ...], request: gr.Request) -> list:
    """Set the controls as the address says; what it says wrongly or not at all stays as it is."""
    asked = dict(request.query_params)
    picture, model, choice = asked.get("picture", ""), asked.get("model"), asked.get("weights")
    path = example(picture)
    if picture.startswith("upload-"):
        gr.Info("This link was made with an uploaded picture; upload it again to see the same.")
    known = model in list_models()
    offered = weights_of(model if known else backbones()[0])
    file = asked.get("file", "") if choice == FILE and not HOSTED else ""
    loadable = choice in offered and (file or choice != FILE)
    target = asked.get("target", "")
    return [
        str(path) if path else gr.skip(),
        str(path) if path else gr.skip(),
        model if known else gr.skip(),
        gr.Dropdown(choices=[choice], value=choice) if loadable else gr.skip(),
        gr.Textbox(file, visible=True) if file else gr.skip(),
        gr.Dropdown(choices=[int(target)], value=int(target)) if target.isdigit() else gr.skip(),
        gr.Tabs(selected=asked["tab"]) if asked.get("tab") in TABS else gr.skip(),
        *(setting(name, asked.get(name)) for name in names),
    ]


def setting(name: str, value: str | None):
    """One control of a tab; menus that depend on the model accept the value until the model is known."""
    if value is None:
        return gr.skip()
    if name == "channel":
        return int(value) if value.isdigit() else gr.skip()
    return value if name == "method" else gr.Dropdown(choices=[value], value=value)


def wire(
    app: gr.Blocks,
    rail: Rail,
    upload: PictureUpload,
    turn: gr.Textbox,
    tabs: gr.Tabs,
    named: dict,
    fit: dict,
    renew: dict,
) -> None:
    controls = list(named.values())

    def arrived(request: gr.Request) -> list:
        return arrive(tuple(named), request)

    app.load(arrived, None, [upload, *rail.inputs, tabs, *controls], **QUIET).success(**fit).success(**renew)
    write = f"(...values) => window.mixscope.address({json.dumps(list(named))}, values)"
    triggers = [turn.change, *(control.change for control in controls)]
    gr.on(triggers, None, [turn, *controls], js=write, **QUIET)
