"""Attention: where the patch of a place looks, from each of its offsets, by layer and head."""

import gradio as gr
import numpy as np

from explorer.explorer import Explorer
from explorer.figures.colour import painted, scale_of
from explorer.figures.mosaic import mosaic
from explorer.figures.raster import data_uri
from explorer.mixing.attention import Gaze, attention_layers, gaze
from explorer.ui.components import View, picked, placed, render, sentence
from explorer.ui.controls import Menu, Whole, offer
from explorer.ui.downloads import npz, saved_figure
from explorer.ui.lenses import Lenses
from explorer.ui.picture_upload import as_seen
from explorer.ui.selection import PICK, Asked, bound, lane
from explorer.ui.tabs.mixing.elsewhere import SOON, elsewhere
from models.layer_names import short

ALL = "all"
MIDDLE = 500  # thousandths of a side of the picture; a place stays where it is from layer to layer


def layer_words(name: str) -> str:
    """`stages.2.1.transformer.0.attn.attention` -> `block 2.1 transformer 0`."""
    return short(name.rsplit(".", 2)[0])


def found(explorer: Explorer, asked: Asked, layer: str | None, row: int, column: int) -> Gaze:
    """The attention of the place chosen; a layer left over from another model counts as the first."""
    run = asked.run(explorer)
    layers = attention_layers(run)
    return gaze(run, layer if layer in layers else layers[0], row / 1000, column / 1000)


def chosen_head(looks: Gaze, head: str | None) -> int | None:
    """A head that is there; None for all."""
    return int(head) if head and head.isdigit() and int(head) < looks.heads else None


def draw(explorer: Explorer, asked: Asked, layer: str | None, head: str | None, row: int, column: int) -> str:
    if missing := elsewhere(explorer, asked, "attention"):
        return missing
    looks = found(explorer, asked, layer, row, column)
    number = chosen_head(looks, head)
    picture = as_seen(asked.open(), asked.loaded(explorer).preprocess)
    maps = looks.maps[looks.offset] if number is None else looks.maps[:, number]
    scale = scale_of(maps, signed=False)._replace(low=0.0)
    return render(
        "attention_from",
        title=f"Attention, {layer_words(looks.layer)}",
        looks=looks,
        head=number,
        picture=data_uri(picture),
        ratio=f"{picture.shape[1]} / {picture.shape[0]}",
        pixels=[data_uri(painted(one, scale)) for one in maps],
        sums=maps.sum(axis=(1, 2), dtype=np.float64),
        marks=[mark(looks, looks.offset if number is None else offset) for offset in range(len(maps))],
        patch=box(*looks.here, looks.maps.shape[2:]),
        scale=scale,
        python=asked.python(
            "run = explorer.inspect(model, picture, weights)",
            f'looks = gaze(run, "{looks.layer}", row={row / 1000}, column={column / 1000})',
            "print(looks.maps.shape, looks.maps.sum(axis=(2, 3)))  # [offsets, heads, patches, patches]",
            imports="from explorer.mixing.attention import gaze",
        ),
    )


def mark(looks: Gaze, offset: int) -> str:
    """Where the place of an offset in the patch looked from is, as CSS."""
    row, column = looks.here[0] * looks.patch, looks.here[1] * looks.patch
    return box(row + offset // looks.patch, column + offset % looks.patch, looks.grid)


def box(row: int, column: int, cells: tuple[int, int]) -> str:
    """One cell of a grid over a picture, as CSS."""
    high, wide = 100 / cells[0], 100 / cells[1]
    return f"top: {row * high:.4g}%; left: {column * wide:.4g}%; height: {high:.4g}%; width: {wide:.4g}%"


def fit_and_draw(explorer: Explorer, asked: Asked, layer: str | None, head: str | None, *place: int) -> tuple:
    """The view, and the layers and heads this model has."""
    page = draw(explorer, asked, layer, head, *place)
    layers = attention_layers(asked.run(explorer))
    if not layers:
        return page, gr.update(visible=False), gr.update(visible=False)
    looks = found(explorer, asked, layer, *place)
    number = chosen_head(looks, head)
    heads = [("all heads", ALL), *((f"head {one}", str(one)) for one in range(looks.heads))]
    return (
        page,
        offer([(layer_words(name), name) for name in layers], looks.layer, layer, visible=True),
        offer(heads, ALL if number is None else str(number), head, visible=True),
    )


def looked(event: gr.EventData) -> tuple[int, int]:
    """The middle of the cell that was clicked, in thousandths of the picture; the map's name is its size."""
    size, row, column = placed(event)
    rows, columns = map(int, size.split("x"))
    return int(1000 * (row + 0.5) / rows), int(1000 * (column + 0.5) / columns)


def save(explorer: Explorer, asked: Asked, kind: str, layer: str, head: str, row: int, column: int):
    looks = found(explorer, asked, layer, row, column)
    name = f"{asked.model}_{layer}_{looks.place[0]}_{looks.place[1]}"
    if kind == "npz":
        return npz(name, maps=looks.maps, reach=looks.reach, place=looks.place, grid=looks.grid)
    number = chosen_head(looks, head)
    heads = range(looks.heads) if number is None else [number]
    offsets = [f"offset {one // looks.patch}, {one % looks.patch}" for one in range(len(looks.maps))]
    title = f"{asked.model}, {layer_words(looks.layer)}, place {looks.place[0]}, {looks.place[1]}"
    names = [f"head {one}" for one in heads]
    return saved_figure(mosaic(looks.maps[:, heads], offsets, names, title=title, unit="share"), kind, name)


def build(lenses: Lenses) -> None:
    with gr.Row(elem_classes="controls"):
        layer = Menu([], label="Layer", elem_id="gaze-layer", min_width=240)
        head = Menu([("all heads", ALL)], value=ALL, label="Head", elem_id="gaze-head", min_width=140)
        row = Whole(MIDDLE, label="Row", precision=0, visible="hidden")
        column = Whole(MIDDLE, label="Column", precision=0, visible="hidden")
    view = View(sentence(SOON), elem_id="gaze")
    chosen = [layer, head, row, column]
    inputs = [*lenses.rail.inputs, *chosen]
    quick = {"fn": bound(draw, lenses.explorer), "inputs": inputs, "outputs": view, **lane("attention")}
    whole = lenses.listener("attention", fit_and_draw, chosen, [view, layer, head])
    lenses.draws(whole, layer.input)
    head.input(**quick)
    view.place(looked, None, [row, column], **PICK).then(**quick)
    view.pick(picked, None, head, **PICK).then(**quick)
    view.door(picked, None, lenses.lens, **PICK)
    lenses.named |= {"gaze": layer, "head": head, "gaze_row": row, "gaze_column": column}
    lenses.saves.wire(view, bound(save, lenses.explorer), lenses.rail.inputs, chosen)
