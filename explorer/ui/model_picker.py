"""Which model: a backbone at some image size, or a single block with hyper-parameters of its own.

The rest of the page knows one name, as the library reads it: `vip_nano`, `fasternet_t0@320`,
`WeightedPermuteMLP(dim=64, seg_dim=16)`. The controls here say it in parts.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import gradio as gr

from explorer.engine.model_store import named
from explorer.errors import ChoiceError
from explorer.ui import further_settings
from explorer.ui.alerts import shown
from explorer.ui.components import View, render
from explorer.ui.controls import Menu, Whole
from explorer.ui.further_settings import FurtherSettings
from explorer.ui.typed_numbers import Settled, SettledBox, settled
from models import card, list_models
from models.blocks import BLOCKS, spelled
from models.single import read_name
from models.sizes import usual_sizes

FIRST = "vip_nano"  # what a visitor sees first
BACKBONE, SINGLE = "backbone", "block"
MOST_SETTINGS = max(len(found.settings) for found in BLOCKS.values())


@dataclass(frozen=True)
class ModelPicker:
    """The controls, and the name they give."""

    model: gr.State
    kind: gr.Radio
    backbone: Menu
    size: Menu
    block: Menu
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
            *(self.kind, self.backbone, self.size, self.block),
            *(self.further.fold, self.further.help),
            *self.fields,
            *(self.refusal, self.settled),
        ]


def backbones() -> list[str]:
    """All models by family, that of the first visit on top; in each the trained ones first."""

    trained = list_models(bundled=True)

    def rank(name: str) -> tuple:
        family = card(name).family
        return family != card(FIRST).family, family, name not in trained, name

    return sorted(list_models(), key=rank)


def parts_of(model: str) -> list:
    """The name and the controls that say it, of which nothing was refused.

    Raises ChoiceError for a name that cannot be.
    """
    name = named(model).name
    single = read_name(name)
    base, _, size = name.partition("@")
    sizes = () if single else usual_sizes(card(base))
    block, values = single or (next(iter(BLOCKS.values())), {})
    numbers = [
        gr.Number(label=key, value=values[key], visible=True, minimum=1) for key in block.settings if values
    ]
    return [
        name,
        SINGLE if single else BACKBONE,
        gr.Dropdown(visible=False) if single else gr.Dropdown(value=base, visible=True),
        gr.Dropdown(
            [(size.replace("x", " × "), size) for size in dict.fromkeys([*sizes, *([size] if size else [])])],
            value=size or (sizes[0] if sizes else None),
            visible=bool(sizes),
        ),
        gr.Dropdown(value=block.name, visible=bool(single)),
        *further_settings.shown(block, values),
        *numbers,
        *[gr.Number(visible=False)] * (MOST_SETTINGS - len(numbers)),
        *("", Settled()),
    ]


def start(block: str) -> str:
    """A block as first shown: as it is trained in a nano, where it is."""
    return spelled(block, BLOCKS[block].trained or BLOCKS[block].settings)


def by_kind(kind: str, backbone: str, block: str) -> list:
    return parts_of(backbone if kind == BACKBONE else start(block))


def by_size(backbone: str, size: str) -> list:
    size = "".join(size.split()).replace("×", "x")
    return parts_of(f"{backbone}@{size}")


def by_settings(check: Callable[[str], None], model: str, block: str, text: str, *values: int) -> list:
    """The block with these hyper-parameters; where they cannot be, the one there was, and a sentence why.

    The fields stay as they are: what they hold by now is set by `SETTLE`, on the page.
    """
    skipped = [gr.skip()] * (7 + MOST_SETTINGS)  # every control but the name, the refusal and what is settled
    given: tuple[str | int, ...] = (text, *values)
    try:
        asked = named(further_settings.asked_for(BLOCKS[block], text, values)).name
        check(asked)
    except ChoiceError as error:
        return [gr.skip(), *skipped, render("refusal", text=str(error)), settled(model, given)]
    if asked == model:
        return [gr.skip(), *skipped, gr.skip(), settled(model, given)]
    return [asked, *skipped, "", settled(asked, given)]


def but(index: int, parts: Callable[..., list]) -> Callable[..., list]:
    """All but the control that was used: by the time of the answer it may have been used again."""

    def others(*values) -> list:
        found = parts(*values)
        return [*found[:index], gr.skip(), *found[index + 1 :]]

    return others


def build() -> ModelPicker:
    first = backbones()[0]
    kind = gr.Radio(
        [("Backbone", BACKBONE), ("Single block", SINGLE)],
        value=BACKBONE,
        label="Whole network or one part",
        show_label=False,
        container=False,
        elem_id="kind",
    )
    backbone = Menu(backbones(), value=first, label="Backbone", elem_id="backbone")
    block = Menu(list(BLOCKS), value=next(iter(BLOCKS)), label="Block", visible=False, elem_id="single")
    with gr.Row(elem_id="settings"):
        settings = tuple(Whole(1, visible=False, precision=0, min_width=90) for _ in range(MOST_SETTINGS))
    further = further_settings.build()
    refusal, told = View(elem_id="refusal"), SettledBox(elem_id="settled")
    size = Menu([], label="Image size", visible=False, elem_id="size", allow_custom_value=True)
    return ModelPicker(gr.State(first), kind, backbone, size, block, further, settings, refusal, told)


def listeners(picker: ModelPicker, check: Callable[[str], None]) -> list[tuple]:
    """(event, handler, inputs, whether it may be another model): what a change of a control asks for.

    check: raises ChoiceError for a model that is too large for this machine.
    """
    wired: list[tuple[Any, Callable, list, bool]] = [
        (picker.kind.input, but(1, by_kind), [picker.kind, picker.backbone, picker.block], True),
        (picker.backbone.input, but(2, parts_of), [picker.backbone], True),
        (picker.block.input, but(4, lambda block: parts_of(start(block))), [picker.block], True),
        (picker.size.input, by_size, [picker.backbone, picker.size], False),
    ]
    told = [picker.model, picker.block, *picker.fields]
    for one in picker.fields:
        wired += [(event, partial(by_settings, check), told, True) for event in (one.submit, one.blur)]
    return [(event, shown(handler), inputs, anew) for event, handler, inputs, anew in wired]
