"""The controls of the options a method may be told, made from the one table of options."""

from typing import Any

import gradio as gr

from explorer.attribution.doubts import GAP_WORTH_A_WARNING
from explorer.attribution.options import OPTIONS, Options, OptionSpec
from explorer.attribution.registry import METHODS, method_named
from explorer.attribution.running import Attribution
from explorer.explorer import Explorer
from explorer.ui.controls import Amount, ClassMenu, Control, Count, Menu, offer
from explorer.ui.selection import Selection
from models.layer_names import short

MENUS = ("choice", "layer", "class")
NONE = -1  # stands for "no other class" in its menu
ENOUGH = 0  # stands for as many as are needed in the menu of a number
ELEM_IDS = {"layer": "cam-layer", "against": "against"}
WIDTHS = {
    "layer": 180,
    "steps": 220,
    "shape": 150,
    "baseline": 140,
    "against": 150,
}  # pixels at least; 160 otherwise


def offered() -> dict[str, OptionSpec]:
    """The options that have a control."""
    hidden = ("whole", "share")  # numbers without a range or usual values
    return {
        name: spec for name, spec in OPTIONS.items() if spec.slider or spec.choices or spec.kind not in hidden
    }


def build_controls(method: str) -> dict[str, Control]:
    """A control for every option offered, by its name; those the method reads are visible."""
    return {name: control(name, spec, method_named(method).reads(name)) for name, spec in offered().items()}


def control(name: str, spec: OptionSpec, visible: bool) -> Control:
    """A slider or a menu of usual values for a number, a menu for anything else."""
    width = WIDTHS.get(name, 160)
    if spec.slider:
        low, high, step = spec.slider
        shown: dict[str, Any] = {"value": spec.default, "step": step, "label": spec.label, "visible": visible}
        return Amount(low, high, **shown, min_width=width, buttons=[])
    if spec.kind == "whole":
        usual = [(words, ENOUGH if value is None else value) for words, value in spec.choices]
        start = ENOUGH if spec.default is None else spec.default
        typed: dict[str, Any] = {"value": start, "label": spec.label, "visible": visible}
        return Count(usual, **typed, allow_custom_value=True, elem_id=name, min_width=width)
    value = NONE if spec.kind == "class" else spec.default
    choices: list[Any] = list(spec.choices) or ([("no other class", NONE)] if spec.kind == "class" else [])
    made = ClassMenu if spec.kind == "class" else Menu
    return made(
        choices, value=value, label=spec.label, visible=visible, elem_id=ELEM_IDS.get(name), min_width=width
    )


def link_names(controls: dict[str, Control]) -> dict[str, Control]:
    """The controls by their names in a link."""
    return {(name in OPTIONS and OPTIONS[name].link) or name: one for name, one in controls.items()}


def options_of(method: str, given: dict[str, Any]) -> Options:
    """Only what the method reads, so that a remembered map is found again."""
    found = method_named(method)
    return Options(**{name: value_of(name, value) for name, value in given.items() if found.reads(name)})


def value_of(name: str, value: Any) -> Any:
    """What a control says, as the option's own type."""
    kind = OPTIONS[name].kind
    if kind == "class":
        return None if value in (None, NONE) else int(value)
    if kind == "layer":
        return value or None
    if kind == "whole":
        return None if OPTIONS[name].default is None and value == ENOUGH else int(value)
    return value


def more_of(found: Attribution, options: Options) -> tuple[str, int] | None:
    """The option, and what its control would say, that makes the gap of a map smaller, where one does."""
    if found.gap is None or found.gap <= GAP_WORTH_A_WARNING:
        return None
    uses, slider = METHODS[found.method].uses, OPTIONS["samples"].slider
    if "steps" in uses and options.steps is not None:
        return "steps", ENOUGH
    if "samples" in uses and slider and options.samples < slider[1]:
        return "samples", min(4 * options.samples, slider[1])
    return None


def more_asked(event: gr.EventData) -> list:
    """The controls, one of them moved as the button beside a warning offers."""
    return [gr.update(value=int(event.value)) if name == event.option else gr.skip() for name in offered()]


def fitted(
    explorer: Explorer, selection: Selection, names: tuple[str, ...], method: str, given: dict[str, Any]
) -> list:
    """The controls for this method and model: what it reads, the layers there are, the classes it knows.

    names: of the model's feature maps. given: what the controls say now.
    """
    labels = selection.loaded(explorer).labels
    updates: list[Any] = []
    for name in offered():
        visible, now, kind = METHODS[method].reads(name), given[name], OPTIONS[name].kind
        if kind == "layer":
            choices = [(short(layer), layer) for layer in names]
            updates.append(offer(choices, now if now in names else names[-1], now, visible=visible))
        elif kind == "class":
            rivals = [("no other class", NONE), *((label, index) for index, label in enumerate(labels))]
            updates.append(offer(rivals, now if now in range(len(labels)) else NONE, now, visible=visible))
        else:
            updates.append(gr.update(visible=visible))
    return updates
