"""Fields of a block's hyper-parameters, which may be typed in again while the answer is on its way.

The answer leaves the fields alone and tells two rows of numbers: those that were asked with, and those the
block has. The page then sets each field that nobody has typed in since.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

from explorer.ui.events import ValueBox
from models.single import read_name


@dataclass(frozen=True)
class Settled:
    """The numbers a question about hyper-parameters was asked with, and those the block now has."""

    given: tuple[int, ...] = ()
    has: tuple[int, ...] = ()

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
  return fields.map((field, i) => i < has.length && Math.round(field ?? 0) === given[i] ? has[i] : field);
}"""


def settled(model: str, given: tuple[int, ...]) -> Settled:
    """What the fields of a block were asked with, and what they are to hold."""
    single = read_name(model)
    return Settled(given, tuple(single[1].values()) if single else ())
