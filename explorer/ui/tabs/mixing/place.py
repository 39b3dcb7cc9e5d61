"""Where one looks in the Mixing tab: a layer, a place, a channel, and in which direction."""

from dataclasses import dataclass

from explorer.capture import Run
from explorer.explorer import Explorer
from explorer.features.feature_maps import layers
from explorer.ui.selection import Asked

MOVES, FEELS = "moves", "feels"
DIRECTIONS = [("pixels that move a place", MOVES), ("places that feel a pixel", FEELS)]
MIDDLE = 500_500  # thousandths of the way down, then thousandths of the way across
PART = 1_000
ALL = "all"  # channels together


@dataclass(frozen=True)
class Spot:
    """What is looked at, as far as the model knows it."""

    layer: str
    grid: tuple[int, int]  # rows and columns of the layer
    place: int  # see MIDDLE; stays where it is in the picture when the layer changes
    channel: int | None

    def within(self, grid: tuple[int, int]) -> tuple[int, int]:
        """The cell (row, column) of a grid over the picture."""
        return cell(self.place // PART, grid[0]), cell(self.place % PART, grid[1])


def cell(part: int, count: int) -> int:
    return min(max(part, 0) * count // PART, count - 1)


def place_of(row: int, column: int, grid: tuple[int, int]) -> int:
    """The middle of a cell in thousandths of the way down and across."""
    down, across = (
        min(round(PART * (index + 0.5) / count), PART - 1)
        for index, count in zip((row, column), grid, strict=True)
    )
    return PART * down + across


def spot_of(explorer: Explorer, asked: Asked, layer: str | None, place: int, channel: str | None) -> Spot:
    """What the controls say; what this model does not have counts as its first block, or all channels."""
    run = asked.run(explorer)
    name = layer if layer in layers(run) else usual_layer(run)
    _, rows, columns, channels = run.activations[name].value.shape
    number = int(channel) if channel in channels_of(channels) else None
    return Spot(name, (rows, columns), place, number)


def channels_of(count: int) -> list[str]:
    """Channels by number, as the menu has them."""
    return [str(number) for number in range(count)]


def usual_layer(run: Run) -> str:
    """What the first block puts out: there the families differ most."""
    names = [found.name for found in run.outputs()] or list(layers(run))
    return names[min(1, len(names) - 1)]
