"""Attention: where the patch of a place looks, from each of its offsets, by layer and head."""

import gradio as gr
import numpy as np

from explorer.errors import NoMapError
from explorer.explorer import Explorer
from explorer.figures.colour import painted, scale_of
from explorer.figures.mosaic import mosaic
from explorer.figures.raster import data_uri
from explorer.mixing.attention import AttentionFrom, attention_from, attention_layers
from explorer.ui.components import View, render, sentence
from explorer.ui.controls import Control, Filled, Menu, offer
from explorer.ui.downloads import npz, saved_figure, there
from explorer.ui.events import MIDDLE, Place, PlaceBox
from explorer.ui.lenses import Lenses, or_why
from explorer.ui.selection import Selection, lane
from explorer.ui.tabs.mixing.elsewhere import SOON, elsewhere
from models.layer_names import short

AXES = {
    "maps": "offset head row column: share",
    "reach": "head: places",
    "place": "axis: place",
    "grid": "axis: places",
}

ALL = "all"


def layer_words(name: str) -> str:
    """`stages.2.1.transformer.0.attn.attention` -> `block 2.1 transformer 0`."""
    return short(name.rsplit(".", 2)[0])


def found(explorer: Explorer, selection: Selection, layer: str | None, place: Place | None) -> AttentionFrom:
    """The attention of the place chosen; a layer left over from another model counts as the first."""
    run, where = selection.run(explorer), place or MIDDLE
    layers = there(attention_layers(run))
    return attention_from(run, layer if layer in layers else layers[0], where.row, where.column)


def chosen_head(looks: AttentionFrom, head: str | None) -> int | None:
    """A head that is there; None for all."""
    return int(head) if head and head.isdigit() and int(head) < looks.heads else None


@or_why
def draw(
    explorer: Explorer, selection: Selection, layer: str | None, head: str | None, place: Place | None
) -> str:
    if missing := elsewhere(explorer, selection, "attention"):
        return missing
    looks, where = found(explorer, selection, layer, place), place or MIDDLE
    number = chosen_head(looks, head)
    picture = selection.cropped(explorer)
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
        python=selection.python(
            "run = explorer.inspect(model, picture, weights)",
            f'looks = attention_from(run, "{looks.layer}", row={where.row:.4f}, column={where.column:.4f})',
            "print(looks.maps.shape, looks.maps.sum(axis=(2, 3)))  # [offsets, heads, patches, patches]",
            imports="from explorer.mixing.attention import attention_from",
        ),
    )


def mark(looks: AttentionFrom, offset: int) -> str:
    """Where the place of an offset in the patch looked from is, as CSS."""
    row, column = looks.here[0] * looks.patch, looks.here[1] * looks.patch
    return box(row + offset // looks.patch, column + offset % looks.patch, looks.grid)


def box(row: int, column: int, cells: tuple[int, int]) -> str:
    """One cell of a grid over a picture, as CSS."""
    high, wide = 100 / cells[0], 100 / cells[1]
    return f"top: {row * high:.4g}%; left: {column * wide:.4g}%; height: {high:.4g}%; width: {wide:.4g}%"


def fit_and_draw(
    explorer: Explorer, selection: Selection, layer: str | None, head: str | None, place: Place | None
) -> tuple:
    """The view, and the layers and heads this model has."""
    page = draw(explorer, selection, layer=layer, head=head, place=place)
    layers = attention_layers(selection.run(explorer))
    if not layers:
        return page, gr.update(visible=False), gr.update(visible=False)
    menu = offer(
        [(layer_words(name), name) for name in layers],
        layer if layer in layers else layers[0],
        layer,
        visible=True,
    )
    try:
        looks = found(explorer, selection, layer, place)
    except NoMapError:
        return page, menu, gr.update(visible=False)
    number = chosen_head(looks, head)
    heads = [("all heads", ALL), *((f"head {one}", str(one)) for one in range(looks.heads))]
    return (
        page,
        menu,
        offer(heads, ALL if number is None else str(number), head, visible=True),
    )


def save(explorer: Explorer, selection: Selection, kind: str, layer: str, head: str, place: Place | None):
    looks = found(explorer, selection, layer, place)
    name = f"{selection.model}_{layer}_{looks.place[0]}_{looks.place[1]}"
    if kind == "npz":
        return npz(name, AXES, maps=looks.maps, reach=looks.reach, place=looks.place, grid=looks.grid)
    number = chosen_head(looks, head)
    heads = range(looks.heads) if number is None else [number]
    offsets = [f"offset {one // looks.patch}, {one % looks.patch}" for one in range(len(looks.maps))]
    title = f"{selection.model}, {layer_words(looks.layer)}, place {looks.place[0]}, {looks.place[1]}"
    names = [f"head {one}" for one in heads]
    return saved_figure(mosaic(looks.maps[:, heads], offsets, names, title=title, unit="share"), kind, name)


def build(lenses: Lenses) -> None:
    with gr.Row(elem_classes="controls"):
        layer = Menu([], label="Layer", elem_id="attention-from-layer", min_width=240)
        head = Filled(
            [("all heads", ALL)], value=ALL, label="Head", elem_id="attention-from-head", min_width=140
        )
        place = PlaceBox(MIDDLE, elem_id="attention-from-place")
    view = View(sentence(SOON), elem_id="attention-from")
    chosen: dict[str, Control] = {"layer": layer, "head": head, "place": place}
    quick = {**lenses.wired(draw, **chosen), "outputs": view, **lane("attention")}
    whole = lenses.listener("attention", fit_and_draw, [view, layer, head], **chosen)
    lenses.draws(whole, layer.input)
    head.input(**quick)
    view.hands_on("place", "at", place).then(**quick)
    view.hands_on("pick", "head", head).then(**quick)
    view.hands_on("link", "way", lenses.lens)
    lenses.remembered |= {"gaze": layer, "head": head, "gaze_place": place}
    lenses.saved(view, save, **chosen)
