"""What the numbers of a layer are like."""

import numpy as np

from explorer.explorer import Explorer
from explorer.features.statistics import statistics
from explorer.ui.components import render
from explorer.ui.downloads import npz
from explorer.ui.selection import Selection
from explorer.ui.tabs.maps.shown_map import found, or_nothing

MOST_LISTED = 24  # dead channels by their number


@or_nothing
def draw(explorer: Explorer, selection: Selection, layer: str) -> str:
    features = found(explorer, selection, layer)
    made = statistics(features)
    return render(
        "layer_statistics",
        title="Numbers of the layer",
        made=made,
        channels=features.channels,
        several=features.values.shape[0] * features.values.shape[1] > 1,
        places=features.has_places,
        dead=made.dead[:MOST_LISTED],
        zero=-made.low / (made.high - made.low) if made.low < 0 < made.high else None,
        python=selection.python(
            f'features = feature_map(explorer.inspect(model, picture, weights), "{features.layer}")',
            "print(statistics(features))",
            imports="from explorer.features.feature_maps import feature_map\n"
            "from explorer.features.statistics import statistics",
        ),
    )


def save(explorer: Explorer, selection: Selection, kind: str, layer: str):
    features = found(explorer, selection, layer)
    made = statistics(features)
    numbers = {name: getattr(made, name) for name in ("low", "high", "mean", "std", "zeros", "small")}
    return npz(
        f"{selection.model}_{features.layer}_numbers",
        {"counts": "bin: count", "edges": "edge: activation", "dead": "dead: channel", "": ": activation"},
        counts=made.counts,
        edges=np.linspace(made.low, made.high, len(made.counts) + 1),
        dead=np.array(made.dead, int),
        **numbers,
    )
