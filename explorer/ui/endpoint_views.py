"""What the views show, as endpoints: the numbers, and a picture of them whose cells are plain squares."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from einops import rearrange, repeat

from explorer import answers
from explorer.explorer import Explorer
from explorer.features.feature_maps import BRANCH, FeatureMap, feature_map, probed
from explorer.features.similarity import similar_places
from explorer.features.statistics import statistics
from explorer.figures.colour import painted, scale_of
from explorer.figures.fields import amplitude
from explorer.figures.raster import sprite
from explorer.mixing.attention import attention_from
from explorer.mixing.receptive_field import squares
from explorer.reweighting.branch_weights import contributions
from explorer.ui.endpoint_inputs import class_index, numbers, place_at, whole_number
from explorer.ui.endpoint_work import whole

SIDE = 256  # pixels a picture has at least
MOST = 64  # channels in a picture of a layer


@dataclass(frozen=True)
class Seen:
    """The answer of a view: what is told, and what is drawn, uint8 `[h, w, 3]`."""

    told: dict[str, Any]
    pixels: np.ndarray


def drawn(values: np.ndarray, *, signed: bool) -> np.ndarray:
    """Values `[h, w]` in colours, enlarged by a whole number without smoothing."""
    pixels = painted(values, scale_of(values, signed=signed))
    times = max(1, -(-SIDE // max(pixels.shape[:2])))
    return repeat(pixels, "h w c -> (h again) (w too) c", again=times, too=times)


def of_layer(explorer: Explorer, picture: str | None, model: str, weights: str, layer: str) -> FeatureMap:
    return feature_map(explorer.inspect(model, picture, weights), layer)


def layers(explorer: Explorer, picture: str | None, model: str, weights: str) -> list[dict]:
    """The names of all tensors that can be asked for, in the order of the pass, with kind and shape."""
    run = explorer.inspect(model, picture, weights)
    kinds = {name: run.activations[name.partition(BRANCH)[0]] for name in probed(run)}
    return [
        {"layer": name, "kind": seen.kind.name.lower(), "shape": list(seen.value.shape)}
        for name, seen in kinds.items()
    ]


def maps(explorer: Explorer, picture: str | None, model: str, weights: str, layer: str) -> Seen:
    """The channels of a layer, the strongest first: their mean and spread, and 64 as one picture."""
    found = of_layer(explorer, picture, model, weights, layer)
    order, summary = found.order("activation"), statistics(found)
    told = {
        "layer": layer,
        "shape": list(found.values.shape),
        "order": order.tolist(),
        "mean": found.values.mean(axis=(0, 1))[order].tolist(),
        "std": found.values.std(axis=(0, 1))[order].tolist(),
        "zeros": summary.zeros,
        "dead": list(summary.dead),
    }
    shown = rearrange(found.values[..., order[:MOST]], "h w c -> c h w")
    return Seen(told, sprite(shown, signed=bool((found.values < 0).any()), shared=False))


def channel(
    explorer: Explorer, picture: str | None, model: str, weights: str, layer: str, channel: float
) -> Seen:
    """One channel of a layer at every place, in the model's own units."""
    number = whole_number(channel, "The channel")
    values = of_layer(explorer, picture, model, weights, layer).channel(number)
    told = {"layer": layer, "channel": number, "values": values.tolist()}
    return Seen(told, drawn(values, signed=bool((values < 0).any())))


def places_alike(
    explorer: Explorer, picture: str | None, model: str, weights: str, layer: str, row: float, column: float
) -> Seen:
    """How alike every place of a layer is to one of them: the cosine of the angle between their vectors."""
    found = of_layer(explorer, picture, model, weights, layer)
    made = similar_places(found, *place_at(row, column).cell(*found.values.shape[:2]))
    told = {"layer": layer, "place": made.place, "values": numbers(made.values), "nearest": made.nearest(8)}
    return Seen(told, drawn(made.values, signed=True))


def receptive_field(
    explorer: Explorer, picture: str | None, model: str, weights: str, layer: str, row: float, column: float
) -> Seen:
    """How strongly each pixel moves a place of a layer: the squared gradient, measured on this picture."""
    grid = of_layer(explorer, picture, model, weights, layer).values.shape[:2]
    place = place_at(row, column).cell(*grid)
    found = explorer.effective_field(model, picture, weights, layer=layer, place=place)
    possible = explorer.theoretical_field(model, weights, layer=layer, place=place)
    told = {
        "layer": layer,
        "place": place,
        "grid": found.grid,
        "energy": found.energy.tolist(),
        "error": found.error,
        "possible_pixels": int(possible.sum()),
    }
    return Seen(told, drawn(amplitude(found.energy), signed=False))


def sensitivity(
    explorer: Explorer, picture: str | None, model: str, weights: str, layer: str, row: float, column: float
) -> Seen:
    """How far the places of a layer move when a square of the image, the one at a place of it, changes."""
    image, _ = explorer.image(model, picture, weights)
    rows, columns, _ = squares((image.shape[2], image.shape[3]))
    square = place_at(row, column).cell(rows, columns)
    found = explorer.sensitivity_map(model, picture, weights, layer=layer, square=square)
    told = {"layer": layer, "pixels": found.square, "change": found.change.tolist(), "inside": found.inside}
    return Seen(told, drawn(found.change, signed=False))


def attention(
    explorer: Explorer, picture: str | None, model: str, weights: str, layer: str, row: float, column: float
) -> Seen:
    """Where a place looks, by offset and head; the picture is their mean."""
    where = place_at(row, column)
    found = attention_from(explorer.inspect(model, picture, weights), layer, where.row, where.column)
    told = {"layer": layer, "place": found.place, "maps": found.maps.tolist(), "reach": found.reach.tolist()}
    return Seen(told, drawn(found.maps.mean(axis=(0, 1)), signed=False))


def where(
    explorer: Explorer,
    picture: str | None,
    model: str,
    weights: str,
    block: str,
    target: float | None,
) -> Seen:
    """Where the branches of a block act: size, and signed effect on a class; the picture shows the sizes."""
    index = explorer.target(model, picture, weights, class_index(target))
    run = explorer.inspect(model, picture, weights, target=index)
    found = contributions(run, block)
    told = {
        "block": block,
        "target": index,
        "branches": found.branches,
        "size": found.size.tolist(),
        "signed": None if found.signed is None else found.signed.tolist(),
    }
    return Seen(told, drawn(rearrange(found.size, "k h w -> h (k w)"), signed=False))


def attribution_map(
    explorer: Explorer, picture: str | None, model: str, weights: str, method: str, target: float | None
) -> Seen:
    """Which places a class is owed to, as `attribute`, with a picture: red speaks for it, blue against."""
    parts = explorer.attribute(model, picture, weights, method=method, target=class_index(target))
    found = whole(parts)
    return Seen(answers.attribution(found), drawn(found.values, signed=found.signed))
