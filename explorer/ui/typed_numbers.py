"""Fields of a block's hyper-parameters, which may be typed in again while the answer is on its way.

The answer leaves the fields alone and tells two rows, the text of further hyper-parameters and the numbers:
those that were asked with, and those the block has. The page then sets each field that nobody has typed in
since.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import gradio as gr

from explorer.engine.model_store import named
from explorer.errors import ChoiceError
from explorer.ui.components import render
from explorer.ui.events import ValueBox
from explorer.ui.further_settings import asked_for, told
from models.blocks import BLOCKS
from models.single import read_name

MOST_SETTINGS = max(len(found.settings) for found in BLOCKS.values())
OF_SETTINGS = 3 + MOST_SETTINGS  # outputs: the fold, what may be written in it, the text, the numbers


@dataclass(frozen=True)
class Settled:
    """What a question about hyper-parameters was asked with, and what the block has: a text, then numbers."""

    given: tuple[str | int, ...] = ()
    has: tuple[str | int, ...] = ()

    @classmethod
    def read(cls, given: Any = (), has: Any = ()) -> "Settled":
        """From what a browser sent; raises TypeError."""
        return cls(tuple(given), tuple(has))


class SettledBox(ValueBox):
    """Holds a `Settled`."""

    kind: ClassVar[Any] = Settled


# A field takes the number of the block only while it holds what was asked with.
SETTLE = """(box, ...fields) => {
  const {given, has} = JSON.parse(box || '{"given": [], "has": []}');
  const now = field => typeof field === 'string' ? field : Math.round(field ?? 0);
  return fields.map((field, i) => i < has.length && now(field) === given[i] ? has[i] : field);
}"""


def settled(model: str, given: tuple[str | int, ...]) -> Settled:
    """What the fields of a block were asked with, and what they are to hold."""
    single = read_name(model)
    if single is None:
        return Settled(given)
    found, values = single
    return Settled(given, (told(found, values), *(values[name] for name in found.settings)))


def by_settings(check: Callable[[str], None], model: str, block: str, text: str, *values: int) -> list:
    """The block with these hyper-parameters; where they cannot be, the one there was, and a sentence why.

    The fields stay as they are: what they hold by now is set by `SETTLE`, on the page.
    """
    skipped = [gr.skip()] * (5 + OF_SETTINGS)  # every control but the name, the refusal and what is settled
    given: tuple[str | int, ...] = (text, *values)
    try:
        asked = named(asked_for(BLOCKS[block], text, values)).name
        check(asked)
    except ChoiceError as error:
        return [gr.skip(), *skipped, render("refusal", text=str(error)), settled(model, given)]
    if asked == model:
        return [gr.skip(), *skipped, gr.skip(), settled(model, given)]
    return [asked, *skipped, "", settled(asked, given)]
