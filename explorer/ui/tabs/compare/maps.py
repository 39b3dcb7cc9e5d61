"""One picture in several backbones at the same relative depth, with one cursor over all maps."""

from collections.abc import Iterator

import gradio as gr
import numpy as np
from PIL import Image

from explorer.capture import Run
from explorer.engine.model_store import Loaded
from explorer.explorer import Explorer
from explorer.features.comparison import at_depth, chosen, similar_to
from explorer.features.feature_maps import FeatureMap, pca_colour
from explorer.figures.colour import Scale, painted, scale_of
from explorer.figures.comparison import side_by_side
from explorer.figures.raster import data_uri, photograph_uri
from explorer.predictions import predictions
from explorer.ui.components import View, render
from explorer.ui.controls import Amount
from explorer.ui.downloads import Saved, npz, saved_figure
from explorer.ui.events import MIDDLE, Place, PlaceBox
from explorer.ui.selection import PICK, Selection, picture_told
from explorer.ui.tabs.compare.backbones import (
    COMPUTING,
    Bench,
    Part,
    is_quick,
    pairs,
    python,
    run_of,
    state,
    weights,
)
from models.layer_names import short_part

CELLS = 64  # places a side of the picture itself


def draw(
    explorer: Explorer, selection: Selection, models: list[str], depth: float, place: Place | None
) -> Iterator[Part]:
    """Card after card; those that are not made yet wait."""
    cards = [{"model": model, "state": state(selection, model), "pixels": None} for model in chosen(models)]
    for number, model in enumerate(models):
        if not is_quick(explorer, selection, model):
            yield Part(page(explorer, selection, models, cards, depth, place), at_once=True)
        made = shown(
            explorer.load(model, weights(selection, model)), run_of(explorer, selection, model), depth, place
        )
        cards = [*cards[:number], cards[number] | made, *cards[number + 1 :]]
        yield Part(page(explorer, selection, models, cards, depth, place))


def page(
    explorer: Explorer,
    selection: Selection,
    models: list[str],
    cards: list[dict],
    depth: float,
    place: Place | None,
) -> str:
    return render(
        "compare_maps",
        title="Maps at the same depth",
        cards=cards,
        done=sum(card["pixels"] is not None for card in cards),
        depth=depth,
        picture=photograph_uri(
            small(explorer.cropped(models[0], selection.picture, weights(selection, models[0])))
        ),
        cells=CELLS,
        place=None if place is None else (place.row, place.column),
        python=python(
            f'picture = "{picture_told(selection.picture)}"',
            f"for model, weights in {pairs(selection, models)}:",
            f"    features = at_depth(explorer.inspect(model, picture, weights), {depth / 100:g})",
            "    print(model, features.layer, pca_colour(features).shape)",
            "    print(explorer.predict(model, picture, weights, most=1))",
            *([f"    print(similar_to(features, ({place.row:.4f}, {place.column:.4f})))"] if place else []),
            imports=f"from explorer.features.comparison import at_depth{', similar_to' if place else ''}\n"
            "from explorer.features.feature_maps import pca_colour",
        ),
    )


def small(pixels: np.ndarray) -> np.ndarray:
    """A picture uint8 `[h, w, 3]` as large as a card shows it, as it is sent anew with every click."""
    picture = Image.fromarray(pixels)
    picture.thumbnail((224, 224), Image.Resampling.LANCZOS)
    return np.asarray(picture)


def shown(loaded: Loaded, run: Run, depth: float, place: Place | None) -> dict:
    """What is shown of one backbone."""
    features = at_depth(run, depth / 100)
    rows, columns, channels = features.values.shape
    pixels, scale = coloured(features, place)
    return {
        "pixels": data_uri(pixels),
        "scale": scale,
        "top": predictions(run.logits, loaded.labels, most=1)[0],
        "layer": features.layer,
        "level": short_part(features.layer),
        "rows": rows,
        "columns": columns,
        "channels": channels,
        "cell": (place or MIDDLE).cell(rows, columns),
    }


def coloured(features: FeatureMap, place: Place | None) -> tuple[np.ndarray, Scale | None]:
    """The map in colours, or how like one place all are, with the scale of that."""
    if place is None:
        return (255 * pca_colour(features)).round().astype(np.uint8), None
    values = similar_to(features, (place.row, place.column))
    scale = scale_of(values, signed=False)._replace(high=1.0)
    return painted(values, scale), scale


def save(
    explorer: Explorer,
    selection: Selection,
    kind: str,
    models: list[str],
    depth: float,
    place: Place | None,
) -> Saved:
    found = {model: at_depth(run_of(explorer, selection, model), depth / 100) for model in chosen(models)}
    name = f"compared_at_{depth:.0f}"
    if kind == "npz":
        at = None if place is None else (place.row, place.column)
        near = {f"{model}_similar": similar_to(one, at) for model, one in found.items() if at}
        axes = {**dict.fromkeys(near, "row column: cosine"), "": "row column channel: activation"}
        return npz(name, axes, **{model: one.values for model, one in found.items()}, **near)
    drawn = [coloured(one, place) for one in found.values()]
    titles = [
        f"{model}\n{short_part(one.layer)}" + (f", {scale.low:.2g} – 1" if scale else "")
        for (model, one), (_, scale) in zip(found.items(), drawn, strict=True)
    ]
    return saved_figure(side_by_side([pixels for pixels, _ in drawn], titles), kind, name)


def build(bench: Bench) -> dict:
    """Gives the controls a link remembers."""
    depth = Amount(
        0, 100, value=50, step=1, label="Depth in % of the blocks", elem_id="compare-depth", buttons=[]
    )
    gr.HTML(render("play_depth"), elem_classes="playing", apply_default_css=False)
    place = PlaceBox(None, elem_id="place")
    view = View(COMPUTING, elem_id="versus-maps")
    view.hands_on("place", "at", place)
    view.pick(lambda: None, None, place, **PICK)
    chosen_at = {"models": bench.models, "depth": depth, "place": place}
    bench.streams("maps", draw, view, [bench.models.change, depth.change, place.change], **chosen_at)
    bench.saved(view, save, **chosen_at)
    return {"depth": depth, "spot": place}
