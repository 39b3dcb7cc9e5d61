"""What the views of the Maps tab share: the map that is looked at, the cell that is chosen, and its marks."""

from collections.abc import Callable
from functools import wraps

from explorer.capture import Run
from explorer.errors import NoMapError
from explorer.explorer import Explorer
from explorer.features.feature_maps import FeatureMap, feature_map, layers, probed
from explorer.ui.events import MIDDLE, Place
from explorer.ui.selection import Selection


def found(explorer: Explorer, selection: Selection, layer: str | None) -> FeatureMap:
    """The map of that name; a name left over from another model counts as the last output of this one."""
    run = selection.run(explorer)
    return feature_map(run, layer if layer in probed(run) else usual(run))


def usual(run: Run) -> str:
    """The last output of the network, or where nothing is one, its last map."""
    outputs = run.outputs()
    return outputs[-1].name if outputs else layers(run)[-1]


def number_of(features: FeatureMap, channel: int) -> int:
    """The channel asked for, or the nearest that exists."""
    return min(max(channel, 0), features.channels - 1)


def or_nothing(draw: Callable[..., str]) -> Callable[..., str]:
    """A view that is empty where the layer has no places: the grid says why."""

    @wraps(draw)
    def drawn(explorer: Explorer, selection: Selection, *, layer: str, **values) -> str:
        try:
            found(explorer, selection, layer)
        except NoMapError:
            return ""
        return draw(explorer, selection, layer=layer, **values)

    return drawn


def cell_of(place: Place | None, features: FeatureMap) -> tuple[int, int]:
    """The cell (row, column) of a map the chosen place lies in; the middle where none is chosen."""
    rows, columns, _ = features.values.shape
    return (place or MIDDLE).cell(rows, columns)


def unit(features: FeatureMap) -> str:
    return "activation" if features.has_places else "attention"
