"""The further hyper-parameters of a single block: one folded text, `qkv_bias=1, proj_drop=0.1`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr

from explorer.ui.components import View, render
from explorer.ui.controls import Control
from models.block_cards import BlockCard
from models.block_settings import Choice, Fraction, Setting, Switch, Wholes, printed
from models.blocks import spelled


@dataclass(frozen=True)
class FurtherSettings:
    """What is folded, the text, and what may be written there."""

    fold: Control
    text: gr.Textbox
    help: View


def build() -> FurtherSettings:
    with gr.Accordion("More hyper-parameters", open=False, visible=False, elem_id="further") as fold:
        text = gr.Textbox(
            label="Further hyper-parameters",
            show_label=False,
            container=False,
            max_lines=1,
            max_length=300,
            elem_id="further-text",
        )
        allowed = View(elem_id="further-help")
    return FurtherSettings(fold, text, allowed)


def told(found: BlockCard, values: Mapping[str, Any]) -> str:
    """The further hyper-parameters that are not as usual, as the text says them."""
    return ", ".join(f"{name}={printed(values[name])}" for name in found.more if name in values)


def shown(found: BlockCard, values: Mapping[str, Any]) -> tuple[gr.Accordion, str, gr.Textbox]:
    """The fold, open where something is not as usual, what may be written in it, and the text."""
    text = told(found, values)
    fold = gr.Accordion(visible=bool(values and found.more), open=bool(text))
    return fold, render("further", kinds=found.more, example=example(found)), gr.Textbox(value=text)


def example(found: BlockCard) -> str:
    """What the text might say of the first two of them."""
    return ", ".join(f"{name}={printed(unusual(kind))}" for name, kind in list(found.more.items())[:2])


def unusual(kind: Setting) -> Any:
    """A value that is allowed and not the usual one."""
    match kind:
        case Choice():
            return kind.options[1]
        case Switch():
            return not kind.default
        case Fraction():
            return 0.2
        case Wholes():
            return kind.default[:-1]
    return (kind.default or 1) + 2


def asked_for(found: BlockCard, text: str | None, numbers: Iterable[int]) -> str:
    """The name of the block with these numbers and whatever the text says; nothing of it is checked yet."""
    name = spelled(found.name, dict(zip(found.settings, numbers, strict=False)))
    more = " ".join((text or "").split())
    return f"{name.removesuffix(')')}, {more})" if more else name
