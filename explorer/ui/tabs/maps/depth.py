"""The same channel in every layer that has as many of them."""

from explorer.explorer import Explorer
from explorer.features.feature_maps import FeatureMap, same_stream
from explorer.figures.colour import Scale, painted, scale_of
from explorer.figures.mosaic import in_a_row
from explorer.figures.raster import data_uri
from explorer.ui.components import render
from explorer.ui.downloads import npz, saved_figure
from explorer.ui.selection import Selection
from explorer.ui.tabs.maps.shown_map import found, number_of, or_nothing, unit
from models.layer_names import short


def stream(explorer: Explorer, selection: Selection, features: FeatureMap) -> tuple[FeatureMap, ...]:
    return same_stream(selection.run(explorer), features.layer)


@or_nothing
def draw(explorer: Explorer, selection: Selection, layer: str, channel: int) -> str:
    features = found(explorer, selection, layer)
    number = number_of(features, channel)
    maps = stream(explorer, selection, features)
    return render(
        "depth",
        title=f"Channel {number} across depth" if features.has_places else f"Head {number} across depth",
        layer=features.layer,
        count=features.channels,
        places=features.has_places,
        maps=[(one.layer, one.values.shape, *thumbnail(one, number)) for one in maps],
        python=selection.python(
            "run = explorer.inspect(model, picture, weights)",
            f'for features in same_stream(run, "{features.layer}"):',
            f"    print(features.layer, abs(features.channel({number})).max())",
            imports="from explorer.features.feature_maps import same_stream",
        ),
    )


def thumbnail(features: FeatureMap, number: int) -> tuple[str, Scale]:
    """The channel in its own colours, and their scale."""
    values = features.channel(number)
    scale = scale_of(values, signed=features.has_places)
    return data_uri(painted(values, scale)), scale


def save(explorer: Explorer, selection: Selection, kind: str, layer: str, channel: int):
    features = found(explorer, selection, layer)
    number = number_of(features, channel)
    maps = {one.layer: one.channel(number) for one in stream(explorer, selection, features)}
    name = f"{selection.model}_channel_{number}_across_depth"
    if kind == "npz":
        return npz(name, {"": f"row column: {unit(features)}"}, **maps)
    kept = f"{selection.model}, {'channel' if features.has_places else 'head'} {number}"
    drawn = in_a_row(
        list(maps.values()), [short(layer) for layer in maps], title=kept, signed=features.has_places
    )
    return saved_figure(drawn, kind, name)
