"""Which model: a backbone at some image size, one of timm, or a single block with settings of its own.

The rest of the page knows one name, as the library reads it: `vip_nano`, `fasternet_t0@320`,
`WeightedPermuteMLP(dim=64, seg_dim=16)`. The controls here say it in parts.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import gradio as gr

from explorer.any_model.timm_models import PREFIX
from explorer.engine.model_store import named
from explorer.errors import ChoiceError
from explorer.ui import further_settings
from explorer.ui.alerts import shown
from explorer.ui.components import View, render
from explorer.ui.controls import Menu, Whole
from explorer.ui.further_settings import FurtherSettings
from explorer.ui.model_names import (
    BACKBONE,
    FIRST,
    LIBRARY,
    SINGLE,
    in_library,
    kind_of,
    kinds,
    offered,
    sizes_of,
    start,
)
from explorer.ui.typed_numbers import MOST_SETTINGS, OF_SETTINGS, Settled, SettledBox, by_settings
from models.blocks import BLOCKS
from models.single import read_name

FIRST_OF_TIMM = "timm:resnest14d"
OF_TIMM = "Model of timm"
SEARCH = "Search by name, or type hf-hub:owner/name for one of the Hub."
LIBRARY_AT = 5  # which of the outputs the menu of timm is
OUTPUTS = 8 + OF_SETTINGS  # the name, five menus, those of the settings, the refusal, what is settled


@dataclass(frozen=True)
class ModelPicker:
    """The controls, and the name they give."""

    model: gr.State
    kind: gr.Radio
    backbone: Menu
    size: Menu
    block: Menu
    library: Menu  # names of timm, or of the Hub
    further: FurtherSettings
    settings: tuple[Whole, ...]
    refusal: View  # why hyper-parameters were refused
    settled: SettledBox

    @property
    def fields(self) -> list:
        """What may be typed in again while an answer is on its way."""
        return [self.further.text, *self.settings]

    @property
    def outputs(self) -> list:
        return [
            self.model,
            *(self.kind, self.backbone, self.size, self.block, self.library),
            *(self.further.fold, self.further.help),
            *self.fields,
            *(self.refusal, self.settled),
        ]


def parts_of(model: str) -> list:
    """The name and the controls that say it, of which nothing was refused.

    Raises ChoiceError for a name that cannot be.
    """
    name = named(model).name
    kind = kind_of(name)
    base, _, size = name.partition("@")
    sizes = sizes_of(base, size) if kind == BACKBONE else []
    block, values = read_name(name) or (next(iter(BLOCKS.values())), {})
    numbers = [
        gr.Number(label=key, value=values[key], visible=True, minimum=1) for key in block.settings if values
    ]
    return [
        name,
        gr.Radio(kinds(), value=kind),
        gr.Dropdown(offered(), value=base, visible=True) if kind == BACKBONE else gr.Dropdown(visible=False),
        gr.Dropdown(
            sizes,
            value=size or (sizes[0][1] if sizes else None),
            visible=bool(sizes),
        ),
        gr.Dropdown(value=block.name, visible=kind == SINGLE),
        gr.Dropdown(in_library(), value=name, visible=True)
        if kind == LIBRARY
        else gr.Dropdown(visible=False),
        *further_settings.shown(block, values),
        *numbers,
        *[gr.Number(visible=False)] * (MOST_SETTINGS - len(numbers)),
        *("", Settled()),
    ]


def by_kind(check: Callable[[str], None], kind: str, model: str, backbone: str, block: str) -> list:
    if kind == LIBRARY:
        return by_library(check, model, FIRST_OF_TIMM)
    return but(1, parts_of)(backbone if kind == BACKBONE else start(block))


def by_library(check: Callable[[str], None], model: str, asked: str) -> list:
    """A model of timm, or of the Hub; where it cannot be, the one there was, and a sentence why."""
    name = f"{PREFIX}{''.join(asked.split()).removeprefix(PREFIX)}"
    try:
        check(name)
        return parts_of(name)
    except ChoiceError as error:
        return refused(model, str(error))


def refused(model: str, why: str) -> list:
    """The menu as it was, and a sentence; all else stays as it is."""
    kind = kind_of(model)
    library = gr.Dropdown(in_library(), value=model) if kind == LIBRARY else gr.skip()
    rest = [gr.skip()] * OF_SETTINGS
    return [gr.skip(), kind, *[gr.skip()] * 3, library, *rest, render("refusal", text=why), gr.skip()]


def in_menu(check: Callable[[str], None], model: str, asked: str) -> list:
    """The same, asked for in the menu itself, which stays as it is where the model can be."""
    parts = by_library(check, model, asked)
    return but(LIBRARY_AT, lambda: parts)() if isinstance(parts[0], str) else parts


def by_size(backbone: str, size: str) -> list:
    size = "".join(size.split()).replace("×", "x")
    return parts_of(f"{backbone}@{size}" if size else backbone)


def but(index: int, parts: Callable[..., list]) -> Callable[..., list]:
    """All but the control that was used: by the time of the answer it may have been used again."""

    def others(*values) -> list:
        found = parts(*values)
        return [*found[:index], gr.skip(), *found[index + 1 :]]

    return others


def build(hosted: bool) -> ModelPicker:
    kind = gr.Radio(
        kinds(),
        value=BACKBONE,
        label="Whole network or one part",
        show_label=False,
        container=False,
        elem_id="kind",
    )
    backbone = Menu(offered(), value=FIRST, label="Backbone", elem_id="backbone")
    block = Menu(list(BLOCKS), value=next(iter(BLOCKS)), label="Block", visible=False, elem_id="single")
    library = Menu(
        [],
        label=OF_TIMM,
        info=None if hosted else SEARCH,
        visible=False,
        elem_id="library",
        allow_custom_value=True,
    )
    with gr.Row(elem_id="settings"):
        settings = tuple(Whole(1, visible=False, precision=0, min_width=90) for _ in range(MOST_SETTINGS))
    further = further_settings.build()
    refusal, told = View(elem_id="refusal"), SettledBox(elem_id="settled")
    size = Menu([], label="Image size", visible=False, elem_id="size", allow_custom_value=True)
    names = kind, backbone, size, block, library
    return ModelPicker(gr.State(FIRST), *names, further, settings, refusal, told)


def listeners(picker: ModelPicker, check: Callable[[str], None]) -> list[tuple]:
    """(event, handler, inputs, whether it may be another model): what a change of a control asks for.

    check: raises ChoiceError for a model that is not to be had here, or too large for this machine.
    """
    chosen = [picker.kind, picker.model, picker.backbone, picker.block]
    wired: list[tuple[Any, Callable, list, bool]] = [
        (picker.kind.input, partial(by_kind, check), chosen, True),
        (picker.backbone.input, but(2, parts_of), [picker.backbone], True),
        (picker.block.input, but(4, lambda block: parts_of(start(block))), [picker.block], True),
        (picker.library.input, partial(in_menu, check), [picker.model, picker.library], True),
        (picker.size.input, by_size, [picker.backbone, picker.size], False),
    ]
    told = [picker.model, picker.block, *picker.fields]
    for one in picker.fields:
        wired += [(event, partial(by_settings, check), told, True) for event in (one.submit, one.blur)]
    return [(event, shown(handler), inputs, anew) for event, handler, inputs, anew in wired]
