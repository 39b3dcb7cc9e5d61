"""Tensors of the walk as pictures: small ones beside the lines, large ones of the line in hand."""

from functools import lru_cache
from typing import Any

import numpy as np

from explorer.code_walk.tensor_views import Look, looks
from explorer.code_walk.tracing import Made
from explorer.features.feature_maps import FeatureMap, pca_colour
from explorer.figures.colour import painted, scale_of
from explorer.figures.raster import data_uri
from explorer.figures.strokes import bars
from explorer.ui.tabs.code_walk.follow import Follow

ALL = -1  # channels: all of them, as colour


def scale(values: np.ndarray):
    """Symmetric about zero where there is a negative number, else from the smallest to the largest."""
    return scale_of(values, signed=bool(np.nanmin(values) < 0))


@lru_cache(maxsize=256)
def small(made: Made, channel: int) -> tuple[dict, ...]:
    """The pictures of one tensor, without what is known of a place."""
    return tuple(pictured(look, channel) for look in looks(made.value.numpy(), made.axes))


def pictured(look: Look, channel: int) -> dict:
    """What a template needs to draw one look: pixels, strokes or a number."""
    told: dict[str, Any] = {
        "kind": look.kind,
        "label": look.label,
        "axes": look.axes,
        "shape": look.values.shape,
    }
    told |= {"pixels": None, "scale": None}
    if look.kind == "number":
        return told | {"number": float(look.values)}
    if look.kind == "vector":
        up, down, count, zero = bars(look.values)
        return told | {"up": up, "down": down, "count": count, "zero": zero}
    if look.kind == "matrix":
        colours = scale(look.values)
        return told | {"pixels": data_uri(painted(look.values, colours)), "scale": colours}
    count = look.values.shape[-1]
    if channel == ALL and count > 1:
        colours = (255 * pca_colour(FeatureMap("", look.values))).round().astype(np.uint8)
        return told | {"pixels": data_uri(colours)}
    if channel >= count:
        return told
    values = look.values[..., max(channel, 0)]
    return told | {"pixels": data_uri(painted(values, scale(values))), "scale": scale(values)}


def large(made: Made, follow: Follow) -> dict:
    """All a card of a tensor says."""
    values = made.value.numpy()
    seen = looks(values, made.axes)
    return {
        "name": made.name,
        "module": made.module,
        "shape": list(zip(made.axes, values.shape, strict=True)),
        "mean": float(values.mean()),
        "std": float(values.std()),
        "low": float(values.min()),
        "high": float(values.max()),
        "looks": [
            one | {"cell": cell(look, follow)}
            for look, one in zip(seen, small(made, follow.channel), strict=True)
        ],
    }


def cell(look: Look, follow: Follow) -> dict | None:
    """The followed place in one map: where it is marked, and its values, all and in the channel followed."""
    if not look.has_places:
        return None
    rows, columns, count = look.values.shape
    row, column = follow.place.cell(rows, columns)
    vector = look.values[row, column]
    return {
        "row": row,
        "column": column,
        "pixels": data_uri(painted(vector[None], scale_of(vector, signed=True))) if count > 1 else None,
        "value": float(vector[follow.channel]) if 0 <= follow.channel < count else None,
    }
