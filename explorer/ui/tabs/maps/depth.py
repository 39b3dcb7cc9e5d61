"""The same channel in every layer that has as many of them."""

import numpy as np

from explorer.explorer import Explorer
from explorer.features.feature_maps import FeatureMap, same_stream
from explorer.figures.colour import painted, scale_of
from explorer.figures.raster import data_uri
from explorer.ui.components import render
from explorer.ui.downloads import npz
from explorer.ui.selection import Asked
from explorer.ui.tabs.maps.shown_map import found, number_of, or_nothing


def stream(explorer: Explorer, asked: Asked, features: FeatureMap) -> tuple[FeatureMap, ...]:
    return same_stream(asked.run(explorer), features.layer)


@or_nothing
def draw(explorer: Explorer, asked: Asked, layer: str, channel: int) -> str:
    features = found(explorer, asked, layer)
    number = number_of(features, channel)
    maps = stream(explorer, asked, features)
    return render(
        "depth",
        title=f"Channel {number} across depth" if features.has_places else f"Head {number} across depth",
        layer=features.layer,
        count=features.channels,
        maps=[(one.layer, one.values.shape, thumbnail(one, number)) for one in maps],
        python=asked.python(
            "run = explorer.inspect(model, picture, weights)",
            f'for features in same_stream(run, "{features.layer}"):',
            f"    print(features.layer, features.channel({number}).std())",
            imports="from explorer.features.feature_maps import same_stream",
        ),
    )


def thumbnail(features: FeatureMap, number: int) -> str:
    values = features.channel(number)
    return data_uri(painted(values, scale_of(values, signed=features.has_places)))


def save(explorer: Explorer, asked: Asked, kind: str, layer: str, channel: int):
    features = found(explorer, asked, layer)
    number = number_of(features, channel)
    values: dict[str, np.ndarray] = {
        one.layer: one.channel(number) for one in stream(explorer, asked, features)
    }
    return npz(f"{asked.model}_channel_{number}_across_depth", **values)
