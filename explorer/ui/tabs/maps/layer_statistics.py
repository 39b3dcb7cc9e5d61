"""What the numbers of a layer are like."""

import numpy as np

from explorer.explorer import Explorer
from explorer.features.statistics import statistics
from explorer.ui.components import render
from explorer.ui.downloads import npz
from explorer.ui.selection import Asked
from explorer.ui.tabs.maps.shown_map import found, or_nothing

MOST_LISTED = 24  # dead channels by their number


@or_nothing
def draw(explorer: Explorer, asked: Asked, layer: str) -> str:
    features = found(explorer, asked, layer)
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
        python=asked.python(
            f'features = feature_map(explorer.inspect(model, picture, weights), "{features.layer}")',
            "print(statistics(features))",
            imports="from explorer.features.feature_maps import feature_map\n"
            "from explorer.features.statistics import statistics",
        ),
    )


def save(explorer: Explorer, asked: Asked, kind: str, layer: str):
    features = found(explorer, asked, layer)
    made = statistics(features)
    numbers = {name: getattr(made, name) for name in ("low", "high", "mean", "std", "zeros", "small")}
    return npz(
        f"{asked.model}_{features.layer}_numbers",
        counts=made.counts,
        edges=np.linspace(made.low, made.high, len(made.counts) + 1),
        dead=np.array(made.dead, int),
        **numbers,
    )
