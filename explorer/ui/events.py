"""What a visitor does on the page, as typed values: a place of a map, and the sign that a tab draws anew.

Views raise events with data of their own (`trigger` of Gradio's HTML component), which the page hands on to
controls (`View.hands_on`); a handler that has more to do reads them from `gr.EventData` by name. What has to
be kept between two events is held by the components of this file, whose values are objects in Python and
plain JSON or text only on their way to the browser.
"""

import json
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar

import gradio as gr


@dataclass(frozen=True)
class Place:
    """A place of a map, the same in maps of all sizes: shares of its height and width in [0, 1]."""

    row: float  # from the top
    column: float  # from the left

    @classmethod
    def of_cell(cls, row: int, column: int, rows: int, columns: int) -> "Place":
        """The middle of a cell of a map of `rows` x `columns` cells."""
        return cls((row + 0.5) / rows, (column + 0.5) / columns)

    @classmethod
    def read(cls, text: str | None) -> "Place | None":
        """The place a link holds as `0.53,0.22`; None for anything else."""
        try:
            row, column = map(float, (text or "").split(","))
        except ValueError:
            return None
        return cls(row, column) if 0 <= row <= 1 and 0 <= column <= 1 else None

    def cell(self, rows: int, columns: int) -> tuple[int, int]:
        """Row and column of the cell of a map of `rows` x `columns` cells the place lies in."""
        return inside(self.row, rows), inside(self.column, columns)

    def __str__(self) -> str:
        return f"{self.row:.4f},{self.column:.4f}"


MIDDLE = Place(0.5, 0.5)


def inside(share: float, cells: int) -> int:
    """Which of `cells` equal parts of a side a share of it in [0, 1] falls in."""
    return min(max(int(share * cells), 0), cells - 1)


class Unseen(gr.Textbox):
    """Holds a value that is text only on its way to the browser; see what it makes of it."""

    def __init__(self, value: Any = None, *, visible: Any = "hidden", **kwargs) -> None:
        super().__init__(self.postprocess(value), visible=visible, **kwargs)

    def get_block_name(self) -> str:
        return "textbox"

    def from_link(self, text: str) -> Any:
        """What a link sets it to; None changes nothing."""
        return self.preprocess(text)


class PlaceBox(Unseen):
    """Holds a place; anything that is no place counts as none."""

    def preprocess(self, payload: str | None) -> Any:
        return Place.read(payload)

    def postprocess(self, value: Place | str | None) -> str | None:
        return None if value is None else str(value)


@dataclass(frozen=True)
class Redraw:
    """What a tab shows: the query of a link to it, and how often it was asked to draw that anew."""

    link: str = ""
    count: int = 0

    @classmethod
    def read(cls, link: str = "", count: int = 0) -> "Redraw":
        """From what a browser sent; raises ValueError or TypeError."""
        return cls(str(link), int(count))

    @property
    def again(self) -> "Redraw":
        """The same once more, for what changed beside the link."""
        return replace(self, count=self.count + 1)


class ValueBox(Unseen):
    """Holds a frozen value whose fields are JSON on the wire; views listen to its change."""

    kind: ClassVar[Any]  # what it holds: `read(**fields)` makes one, and without fields its default

    def preprocess(self, payload: str | None) -> Any:
        try:
            return self.kind.read(**json.loads(payload or "{}"))
        except (ValueError, TypeError):
            return self.kind.read()

    def postprocess(self, value: Any) -> str | None:
        return value if isinstance(value, str) else json.dumps(asdict(value or self.kind.read()))


class RedrawBox(ValueBox):
    """Holds a `Redraw`."""

    kind = Redraw


# The link reaches the tab that is open at once, and every other when it is opened; so does a way back, which
# may lead to the same link and other controls.
TELL_OPEN_TAB = """(link, open, ...boxes) => boxes.map((box, index) => {
  const shown = JSON.parse(box);
  const wanted = link && link + window.mixscope.followed();
  const stale = TABS[index] === open && shown.link !== wanted;
  return stale ? JSON.stringify({link: wanted, count: shown.count + 1}) : box;
})"""


def tell_open_tab(names: tuple[str, ...]) -> str:
    """The script that hands the link to the box of the open tab; `names` are the tabs in their order."""
    return TELL_OPEN_TAB.replace("TABS", json.dumps(names))
