"""One channel large, its values under the pointer, beside all channels as colour."""

import gradio as gr
import numpy as np

from explorer.errors import NoMapError
from explorer.explorer import Explorer
from explorer.features.feature_maps import FeatureMap, pca_colour
from explorer.figures.colour import painted, scale_of
from explorer.figures.heatmap import heatmap
from explorer.figures.raster import data_uri
from explorer.ui.components import render
from explorer.ui.downloads import npz, saved_figure
from explorer.ui.events import Place
from explorer.ui.selection import Selection
from explorer.ui.tabs.maps.shown_map import cell_of, found, number_of, unit


def draw(explorer: Explorer, selection: Selection, layer: str, channel: int, place: Place | None) -> tuple:
    """The channel, and its number where the one asked for is outside."""
    try:
        features = found(explorer, selection, layer)
    except NoMapError:  # the grid says why
        return "", gr.skip()
    number = number_of(features, channel)
    return page(selection, features, number, place), gr.skip() if number == channel else number


def page(selection: Selection, features: FeatureMap, number: int, place: Place | None) -> str:
    values = features.channel(number)
    scale = scale_of(values, signed=features.has_places)
    return render(
        "channel",
        title=f"Channel {number}" if features.has_places else f"Head {number}",
        layer=features.layer,
        pixels=data_uri(painted(values, scale)),
        colours=data_uri(colours(features)) if features.has_places else None,
        values=" ".join(f"{value:.4g}" for value in values.ravel()),
        shape=values.shape,
        cell=cell_of(place, features),
        scale=scale,
        unit=unit(features),
        mean=float(values.mean()),
        std=float(values.std()),
        python=selection.python(
            f'features = feature_map(explorer.inspect(model, picture, weights), "{features.layer}")',
            f"values, colours = features.channel({number}), pca_colour(features)",
            "print(values.mean(), values.std(), colours.shape)",
            imports="from explorer.features.feature_maps import feature_map, pca_colour",
        ),
    )


def colours(features: FeatureMap) -> np.ndarray:
    return (255 * pca_colour(features)).round().astype(np.uint8)


def save(explorer: Explorer, selection: Selection, kind: str, layer: str, channel: int):
    features = found(explorer, selection, layer)
    number = number_of(features, channel)
    name = f"{selection.model}_{features.layer}_{number}"
    if kind == "npz":
        made = {"colours": pca_colour(features)} if features.has_places else {}
        axes = {"values": f"row column: {unit(features)}", "colours": "row column colour: share"}
        return npz(name, axes, values=features.channel(number), **made)
    drawn = heatmap(
        features.channel(number),
        title=f"{features.layer}, {'channel' if features.has_places else 'head'} {number}",
        unit=unit(features),
        signed=features.has_places,
    )
    return saved_figure(drawn, kind, name)
