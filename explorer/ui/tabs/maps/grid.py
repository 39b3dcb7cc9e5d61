"""All channels of a layer at once, in an order that means something."""

from dataclasses import dataclass

import gradio as gr
import numpy as np
from einops import rearrange

from explorer.attribution.ground_truth import cause_of
from explorer.capture import probes
from explorer.explorer import Explorer
from explorer.features.feature_maps import BRANCH, SORTS, FeatureMap, probe_of
from explorer.features.ranking import correlation, ranked
from explorer.figures.colour import scale_of
from explorer.figures.raster import COLUMNS, sprite
from explorer.ui.components import render
from explorer.ui.controls import moved
from explorer.ui.downloads import npz, saved_pixels
from explorer.ui.lenses import or_why
from explorer.ui.selection import Selection
from explorer.ui.tabs.maps.shown_map import found, unit

PAGE = 64  # channels shown at once
OWN, SHARED = "own", "shared"
ORDERS = {
    **{name: f"by {name}" for name in SORTS},
    "relevance": "by relevance",
    "cause": "by cause",
}
NO_CLASS = "A single block has no classes a channel could be relevant for; the order is by activation."
NO_CAUSE = "Only the example pictures come with a known cause; the order is by activation."
NO_PLACES = "Attention has no places of the picture to lay a cause over; the order is by activation."


@dataclass(frozen=True)
class Order:
    """Channel numbers in the order asked for, what decided, or why it is another one."""

    channels: np.ndarray
    scores: np.ndarray | None = None  # [c], in logits or as a correlation
    words: str = ""
    label: str = ""  # of the class
    remark: str = ""


def order(explorer: Explorer, selection: Selection, features: FeatureMap, sort: str) -> Order:
    if sort == "relevance":
        return by_relevance(explorer, selection, features)
    if sort == "cause":
        return by_cause(explorer, selection, features)
    return Order(features.order(sort))


def by_relevance(explorer: Explorer, selection: Selection, features: FeatureMap) -> Order:
    labels = selection.loaded(explorer).labels
    if not labels:
        return Order(features.order("activation"), remark=NO_CLASS)
    scores = explorer.relevance(*selection.question, target=selection.target)[features.layer]
    label = labels[explorer.target(*selection.question, selection.target)]
    return Order(ranked(scores), scores, "most relevant first, for", label)


def by_cause(explorer: Explorer, selection: Selection, features: FeatureMap) -> Order:
    _, geometry = explorer.image(*selection.question)
    cause = cause_of(explorer.digest(selection.picture), geometry)
    if cause is None or not features.has_places:
        return Order(features.order("activation"), remark=NO_PLACES if cause is not None else NO_CAUSE)
    scores = correlation(features, cause.places)
    return Order(ranked(scores), scores, "most like the cause of the class first")


def page_of(channels: np.ndarray, page: float) -> np.ndarray:
    """Numbers of the channels on one page; pages count from one."""
    start = PAGE * (min(max(1, int(page)), pages(len(channels))) - 1)
    return channels[start : start + PAGE]


def pages(channels: int) -> int:
    return -(-channels // PAGE)


@or_why
def draw(explorer: Explorer, selection: Selection, layer: str, sort: str, scale: str, page: float) -> str:
    features = found(explorer, selection, layer)
    by = order(explorer, selection, features, sort)
    channels = page_of(by.channels, page)
    maps = rearrange(features.values[..., channels], "h w c -> c h w")
    rows, columns, count = features.values.shape
    return render(
        "grid",
        title="Channels" if features.has_places else "Heads",
        layer=features.layer,
        size=f"{rows} × {columns} × {count}",
        by=by,
        shared=scale == SHARED,
        columns=COLUMNS,
        rows=-(-len(channels) // COLUMNS),
        shape=(rows, columns),
        sprite=sprite(maps, signed=features.has_places, shared=scale == SHARED),
        channels=channels.tolist(),
        places=features.has_places,
        scale=scale_of(maps, signed=features.has_places),
        unit=unit(features),
        python=python(selection, features, by, sort),
    )


def python(selection: Selection, features: FeatureMap, by: Order, sort: str) -> str:
    """The order of all channels; `features.values` are their maps, `[h, w, channels]`."""
    imports = ["from explorer.features.feature_maps import feature_map"]
    if by.scores is None:
        lines = [f'order = features.order("{sort if sort in SORTS else "activation"}")']
    elif by.label:
        imports += ["from explorer.features.ranking import ranked"]
        lines = [
            f"scores = explorer.relevance(model, picture, weights, target={selection.target})",
            f'order = ranked(scores["{features.layer}"])',
        ]
    else:
        imports += ["from explorer.attribution.ground_truth import cause_of"]
        imports += ["from explorer.features.ranking import correlation, ranked"]
        lines = [
            "_, geometry = explorer.image(model, picture, weights)",
            "cause = cause_of(explorer.digest(picture), geometry)",
            "order = ranked(correlation(features, cause.places))",
        ]
    return selection.python(
        f'features = feature_map(explorer.inspect(model, picture, weights), "{features.layer}")',
        *lines,
        "print(features.values.shape, *order)",
        imports="\n".join(imports),
    )


def whole(explorer: Explorer, selection: Selection, features: FeatureMap) -> dict[str, np.ndarray]:
    """The probe's tensor, in canonical order and in the model's own, with the names of the axes."""
    probe = probe_of(selection.run(explorer), features.layer)
    own = probes(selection.loaded(explorer).model)[features.layer.partition(BRANCH)[0]]
    return {
        "tensor": probe.value.numpy(),
        "axes": np.array(probe.kind.value),
        "own": own.native(probe.value).numpy(),
        "own_axes": np.array(own.pattern.partition("->")[0].strip()),
    }


def save(explorer: Explorer, selection: Selection, kind: str, layer: str, sort: str, scale: str, page: float):
    features = found(explorer, selection, layer)
    by = order(explorer, selection, features, sort)
    if kind == "npz":
        scores = {} if by.scores is None else {"scores": by.scores}
        tensors = whole(explorer, selection, features)
        axes = {"values": f"row column channel: {unit(features)}", "scores": "channel: logit"}
        axes |= {
            "tensor": f"{tensors['axes']}: {unit(features)}",
            "own": f"{tensors['own_axes']}: {unit(features)}",
        }
        axes |= {"axes": ": names", "own_axes": ": names"}
        return npz(f"{selection.model}_{features.layer}", axes, values=features.values, **tensors, **scores)
    maps = rearrange(features.values[..., page_of(by.channels, page)], "h w c -> c h w")
    pixels = sprite(maps, signed=features.has_places, shared=scale == SHARED)
    return saved_pixels(pixels, f"{selection.model}_{features.layer}")


def page_slider(count: int, page: float) -> gr.Slider:
    last = pages(count)
    return gr.Slider(1, max(2, last), visible=last > 1, **moved(min(page, last), page))
