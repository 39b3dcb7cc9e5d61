"""Fields of a block's hyper-parameters, which may be typed in again while the answer is on its way.

The answer leaves the fields alone and tells two rows, the text of further hyper-parameters and the numbers:
those that were asked with, and those the block has. The page then sets each field that nobody has typed in
since.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

from explorer.ui.events import ValueBox
from explorer.ui.further_settings import told
from models.single import read_name


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
