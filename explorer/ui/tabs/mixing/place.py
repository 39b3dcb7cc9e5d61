"""Where one looks in the Mixing tab: a layer, a place, a channel, and in which direction."""

from dataclasses import dataclass
from typing import Any

from explorer.capture import Run
from explorer.explorer import Explorer
from explorer.features.feature_maps import layers
from explorer.ui.events import MIDDLE, Place, Redraw, ValueBox
from explorer.ui.selection import Selection

MOVES, FEELS = "moves", "feels"
DIRECTIONS = [("pixels that move a place", MOVES), ("places that feel a pixel", FEELS)]
ALL = "all"  # channels together


@dataclass(frozen=True)
class ChosenPlace:
    """What is looked at, as far as the model knows it."""

    layer: str
    grid: tuple[int, int]  # rows and columns of the layer
    place: Place  # stays where it is in the picture when the layer changes
    channel: int | None

    def within(self, grid: tuple[int, int]) -> tuple[int, int]:
        """The cell (row, column) of a grid over the picture."""
        return self.place.cell(*grid)


@dataclass(frozen=True)
class FieldQuestion:
    """What the lens on receptive fields is asked, as the controls say it; views listen to its change."""

    redraw: Redraw = Redraw()  # noqa: RUF009 - frozen
    direction: str = MOVES
    layer: str | None = None
    place: Place = MIDDLE
    channel: str | None = None

    @classmethod
    def read(cls, redraw: dict | None = None, place: dict | None = None, **others: Any) -> "FieldQuestion":
        """From what a browser sent; raises ValueError or TypeError."""
        return cls(redraw=Redraw.read(**redraw or {}), place=Place(**place) if place else MIDDLE, **others)


class QuestionBox(ValueBox):
    """Holds a question."""

    kind = FieldQuestion


def chosen_place(
    explorer: Explorer, selection: Selection, layer: str | None, place: Place | None, channel: str | None
) -> ChosenPlace:
    """What the controls say; what this model does not have counts as its first block, or all channels."""
    run = selection.run(explorer)
    name = layer if layer in layers(run) else usual_layer(run)
    _, rows, columns, channels = run.activations[name].value.shape
    number = int(channel) if channel in channels_of(channels) else None
    return ChosenPlace(name, (rows, columns), place or MIDDLE, number)


def channels_of(count: int) -> list[str]:
    """Channels by number, as the menu has them."""
    return [str(number) for number in range(count)]


def usual_layer(run: Run) -> str:
    """What the first block puts out: there the families differ most."""
    names = [found.name for found in run.outputs()] or list(layers(run))
    return names[min(1, len(names) - 1)]
