"""What the views of the Maps tab share: the map that is looked at, the cell that is chosen, and its marks."""

from collections.abc import Callable
from functools import wraps

import gradio as gr

from explorer.capture import Run
from explorer.errors import NoMapError
from explorer.explorer import Explorer
from explorer.features.feature_maps import FeatureMap, feature_map, layers, probed
from explorer.ui.components import placed, sentence
from explorer.ui.selection import Asked


def found(explorer: Explorer, asked: Asked, layer: str | None) -> FeatureMap:
    """The map of that name; a name left over from another model counts as the last output of this one."""
    run = asked.run(explorer)
    return feature_map(run, layer if layer in probed(run) else usual(run))


def usual(run: Run) -> str:
    """The last output of the network, or where nothing is one, its last map."""
    outputs = run.outputs()
    return outputs[-1].name if outputs else layers(run)[-1]


def number_of(features: FeatureMap, channel: int) -> int:
    """The channel asked for, or the nearest that exists."""
    return min(max(channel, 0), features.channels - 1)


def or_why(draw: Callable[..., str]) -> Callable[..., str]:
    """A view, or, where there is nothing to draw, the sentence why."""

    @wraps(draw)
    def drawn(*args) -> str:
        try:
            return draw(*args)
        except NoMapError as why:
            return sentence(why.reason)

    return drawn


def or_nothing(draw: Callable[..., str]) -> Callable[..., str]:
    """A view that is empty where the layer has no places: the grid says why."""

    @wraps(draw)
    def drawn(explorer: Explorer, asked: Asked, layer: str, *others) -> str:
        try:
            found(explorer, asked, layer)
        except NoMapError:
            return ""
        return draw(explorer, asked, layer, *others)

    return drawn


def cell_of(cell: str | None, features: FeatureMap) -> tuple[int, int]:
    """The chosen cell as (row, column); where the map was another size, the one at the same place.

    cell: row, column, rows, columns of the map it was chosen in; anything else means the middle.
    """
    rows, columns, _ = features.values.shape
    numbers = [int(part) if part.isdecimal() else -1 for part in (cell or "").split()]
    if len(numbers) != 4 or not (0 <= numbers[0] < numbers[2] and 0 <= numbers[1] < numbers[3]):
        return rows // 2, columns // 2
    row, column, of_rows, of_columns = numbers
    return (2 * row + 1) * rows // (2 * of_rows), (2 * column + 1) * columns // (2 * of_columns)


def chosen_cell(event: gr.EventData) -> str:
    """The cell that was clicked, as `cell_of` reads it; the name of such a map is its size."""
    size, row, column = placed(event)
    return f"{row} {column} {size}"


def unit(features: FeatureMap) -> str:
    return "activation" if features.has_places else "attention"
