"""One picture in several backbones at the same relative depth, with one cursor over all maps."""

from collections.abc import Iterator

import gradio as gr
import numpy as np
from PIL import Image

from explorer.capture import Run
from explorer.engine.model_store import Loaded
from explorer.explorer import Explorer
from explorer.features.comparison import alike, at_depth, cell_at, chosen
from explorer.features.feature_maps import FeatureMap, pca_colour
from explorer.figures.colour import Scale, painted, scale_of
from explorer.figures.comparison import side_by_side
from explorer.figures.raster import data_uri
from explorer.predictions import predictions
from explorer.ui.components import View, placed, render
from explorer.ui.controls import Amount
from explorer.ui.downloads import npz, saved_figure
from explorer.ui.picture_upload import as_seen
from explorer.ui.selection import PICK, Asked, bound
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
from models import card as card_of
from models.layer_names import short_part

CELLS = 64  # places a side of the picture itself


def draw(explorer: Explorer, asked: Asked, models: list[str], depth: float, place: str) -> Iterator[Part]:
    """Card after card; those that are not made yet wait."""
    cards = [{"model": model, "state": state(model), "pixels": None} for model in chosen(models)]
    asked.open()
    for number, model in enumerate(models):
        if not is_quick(explorer, asked, model):
            yield Part(page(asked, models, cards, depth, place), at_once=True)
        made = shown(explorer.load(model, weights(model)), run_of(explorer, asked, model), depth, read(place))
        cards = [*cards[:number], cards[number] | made, *cards[number + 1 :]]
        yield Part(page(asked, models, cards, depth, place))


def page(asked: Asked, models: list[str], cards: list[dict], depth: float, place: str) -> str:
    return render(
        "compare_maps",
        title="Maps at the same depth",
        cards=cards,
        done=sum(card["pixels"] is not None for card in cards),
        depth=depth,
        picture=data_uri(small(as_seen(asked.open(), card_of(models[0]).preprocess))),
        cells=CELLS,
        place=read(place),
        python=python(
            f"for model, weights in {pairs(models)}:",
            '    run = explorer.inspect(model, "picture.png", weights)',
            f"    features = at_depth(run, {depth / 100:g})",
            "    print(model, features.layer, pca_colour(features).shape)",
            *([f"    print(alike(features, {read(place)}))"] if place else []),
            imports=f"from explorer.features.comparison import {'alike, ' if place else ''}at_depth\n"
            "from explorer.features.feature_maps import pca_colour",
        ),
    )


def small(pixels: np.ndarray) -> np.ndarray:
    """A picture uint8 `[h, w, 3]` as large as a card shows it, as it is sent anew with every click."""
    picture = Image.fromarray(pixels)
    picture.thumbnail((224, 224), Image.Resampling.LANCZOS)
    return np.asarray(picture)


def shown(loaded: Loaded, run: Run, depth: float, place: tuple[float, float] | None) -> dict:
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
        "cell": cell_at(place or (0.5, 0.5), rows, columns),
    }


def coloured(features: FeatureMap, place: tuple[float, float] | None) -> tuple[np.ndarray, Scale | None]:
    """The map in colours, or how like one place all are, with the scale of that."""
    if place is None:
        return (255 * pca_colour(features)).round().astype(np.uint8), None
    values = alike(features, place)
    scale = scale_of(values, signed=False)._replace(high=1.0)
    return painted(values, scale), scale


def read(place: str) -> tuple[float, float] | None:
    """`"0.53 0.22"` as (down, right); nothing where no place is chosen."""
    if not place:
        return None
    down, right = place.split()
    return float(down), float(right)


def chosen_place(event: gr.EventData) -> str:
    """The middle of the cell that was clicked, relative to its map."""
    name, row, column = placed(event)
    _, rows, columns = name.split()
    return f"{(row + 0.5) / int(rows):.4f} {(column + 0.5) / int(columns):.4f}"


def save(explorer: Explorer, asked: Asked, kind: str, models: list[str], depth: float, place: str):
    found = {model: at_depth(run_of(explorer, asked, model), depth / 100) for model in chosen(models)}
    name = f"compared_at_{depth:.0f}"
    if kind == "npz":
        near = {f"{model}_alike": alike(one, read(place)) for model, one in found.items() if place}
        return npz(name, **{model: one.values for model, one in found.items()}, **near)
    drawn = [coloured(one, read(place)) for one in found.values()]
    titles = [
        f"{model}\n{short_part(one.layer)}" + (f", {scale.low:.2g} to 1" if scale else "")
        for (model, one), (_, scale) in zip(found.items(), drawn, strict=True)
    ]
    return saved_figure(side_by_side([pixels for pixels, _ in drawn], titles), kind, name)


def build(bench: Bench) -> dict:
    """Gives the controls a link remembers."""
    depth = Amount(0, 100, value=50, step=1, label="Depth in % of the blocks", elem_id="depth", buttons=[])
    place = gr.Textbox("", visible="hidden", elem_id="place")
    view = View(COMPUTING, elem_id="versus-maps")
    view.place(chosen_place, None, place, **PICK)
    view.pick(lambda: "", None, place, **PICK)
    inputs = [bench.models, depth, place]
    bench.streams("maps", draw, view, inputs, [bench.models.change, depth.change, place.change])
    bench.saves.wire(view, bound(save, bench.explorer), bench.rail.inputs, inputs)
    return {"depth": depth}
