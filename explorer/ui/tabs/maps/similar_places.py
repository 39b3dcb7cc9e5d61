"""The places most like the chosen one, and what is strong there."""

import numpy as np
from PIL import Image

from explorer.explorer import Explorer
from explorer.features.similarity import SimilarPlaces, similar_places
from explorer.figures.colour import painted, scale_of
from explorer.figures.heatmap import heatmap
from explorer.figures.raster import data_uri
from explorer.ui.components import render
from explorer.ui.downloads import npz, saved_figure
from explorer.ui.events import Place
from explorer.ui.lenses import or_why
from explorer.ui.selection import Selection
from explorer.ui.tabs.maps.shown_map import cell_of, found, or_nothing

AXES = {"cosine": "row column: cosine", "vector": "channel: activation", "place": "axis: place"}

NEAREST, STRONGEST = 8, 8
SIDE = 260  # pixels of the picture beside the map


def computed(explorer: Explorer, selection: Selection, layer: str, place: Place | None) -> SimilarPlaces:
    features = found(explorer, selection, layer)
    return similar_places(features, *cell_of(place, features))


@or_nothing
@or_why
def draw(explorer: Explorer, selection: Selection, layer: str, place: Place | None) -> str:
    made = computed(explorer, selection, layer, place)
    scale = scale_of(made.values, signed=bool((made.values < 0).any()))
    row, column = made.place
    return render(
        "similar_places",
        title=f"Places like row {row}, column {column}",
        layer=made.layer,
        pixels=data_uri(painted(made.values, scale)),
        picture=small(selection.cropped(explorer)),
        values=" ".join(f"{value:.4g}" for value in made.values.ravel()),
        shape=made.values.shape,
        cell=made.place,
        nearest=[(place, float(made.values[place])) for place in made.nearest(NEAREST)],
        strongest=[(number, float(made.vector[number])) for number in made.strongest(STRONGEST)],
        scale=scale,
        python=selection.python(
            f'features = feature_map(explorer.inspect(model, picture, weights), "{made.layer}")',
            f"similar = similar_places(features, {row}, {column})",
            f"for place in similar.nearest({NEAREST}):",
            "    print(place, similar.values[place])",
            f"for channel in similar.strongest({STRONGEST}):",
            "    print(channel, similar.vector[channel])",
            imports="from explorer.features.feature_maps import feature_map\n"
            "from explorer.features.similarity import similar_places",
        ),
    )


def small(pixels: np.ndarray) -> str:
    """The picture as the model sees it, no larger than it is shown: it is sent with every click."""
    picture = Image.fromarray(pixels)
    picture.thumbnail((SIDE, SIDE))
    return data_uri(np.asarray(picture))


def save(explorer: Explorer, selection: Selection, kind: str, layer: str, place: Place | None):
    made = computed(explorer, selection, layer, place)
    row, column = made.place
    name = f"{selection.model}_{made.layer}_similar_{row}_{column}"
    if kind == "npz":
        return npz(name, AXES, cosine=made.values, vector=made.vector, place=made.place)
    title, signed = f"{made.layer}, like row {row}, column {column}", bool((made.values < 0).any())
    return saved_figure(heatmap(made.values, title=title, unit="cosine", signed=signed), kind, name)
