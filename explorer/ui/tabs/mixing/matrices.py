"""Matrices: the weights between rows or columns, or the map of every hidden unit."""

import gradio as gr

from explorer.explorer import Explorer
from explorer.figures.heatmap import heatmap
from explorer.figures.raster import sprite
from explorer.mixing.matrices import ORDERS, Lines, Units, matrices
from explorer.mixing.mixers import mixers
from explorer.ui.components import View, sentence
from explorer.ui.controls import Amount, Control, Menu, Whole, moved, offer
from explorer.ui.downloads import npz, saved_figure, saved_pixels, there
from explorer.ui.lenses import Lenses
from explorer.ui.selection import Selection, lane
from explorer.ui.tabs.mixing.elsewhere import SOON, elsewhere
from explorer.ui.tabs.mixing.matrix_pages import (
    draw_lines,
    draw_unit,
    draw_units,
    draw_whole,
    on_page,
    pages,
    which,
)
from models.layer_names import short

AXES: dict[type, dict[str, str]] = {
    Lines: {"values": "to source s t: weight", "strength": "to source: weight"},
    Units: {"values": "unit row column: weight", "frequency": "unit: waves"},
}

HIDDEN = gr.update(visible=False)


def found(
    explorer: Explorer, selection: Selection, block: str | None, name: str | None
) -> dict[str, Lines | Units]:
    """The matrices of a block, the chosen one first; names of another model count as the first."""
    model = selection.loaded(explorer).model
    blocks = there(list(mixers(model, "matrices")))
    made = matrices(model, block if block in blocks else blocks[0])
    first = name if name in made else next(iter(made))
    return {first: made[first], **made}


def draw(
    explorer: Explorer, selection: Selection, block, name, order: str, page: float, unit: int
) -> tuple[str, str]:
    """The matrix in overview, and one part of it large."""
    if missing := elsewhere(explorer, selection, "matrices"):
        return missing, ""
    made = found(explorer, selection, block, name)
    chosen = next(iter(made.values()))
    if isinstance(chosen, Lines):
        return draw_lines(selection, chosen), draw_whole(selection, chosen)
    return draw_units(selection, chosen, order, page, unit), draw_unit(
        selection, {key: one for key, one in made.items() if isinstance(one, Units)}, order, unit
    )


def draw_large(explorer: Explorer, selection: Selection, **chosen) -> str:
    """The unit picked, so that whoever walks through the units with the arrow keys stays on them."""
    return draw(explorer, selection, **chosen)[1]


def fit_and_draw(
    explorer: Explorer, selection: Selection, block, name, order: str, page: float, unit: int
) -> tuple:
    """Both views, and the controls for what this model has."""
    views = draw(explorer, selection, block, name, order, page, unit)
    blocks = list(mixers(selection.loaded(explorer).model, "matrices"))
    if not blocks:
        return (*views, *[HIDDEN] * 5)
    made = found(explorer, selection, block, name)
    chosen = next(iter(made.values()))
    count = pages(chosen) if isinstance(chosen, Units) else 1
    large = HIDDEN
    if isinstance(chosen, Units):
        large = gr.update(visible=True, **moved(which(chosen, order, unit), unit))
    return (
        *views,
        offer([(short(one), one) for one in blocks], chosen.block, block, visible=True),
        offer([(one, one) for one in sorted(made)], chosen.name, name, visible=True),
        gr.update(visible=isinstance(chosen, Units)),
        gr.update(maximum=max(2, count), visible=count > 1, **moved(min(page, count), page)),
        large,
    )


def save(
    explorer: Explorer, selection: Selection, kind: str, block, name, order: str, page: float, unit: int
):
    """The overview as a picture, or all numbers of the matrix."""
    chosen = next(iter(found(explorer, selection, block, name).values()))
    file = f"{selection.model}_{chosen.block}_{chosen.name}"
    if kind == "npz":
        derived = (
            {"strength": chosen.strength} if isinstance(chosen, Lines) else {"frequency": chosen.frequency}
        )
        return npz(file, AXES[type(chosen)], values=chosen.values, **derived)
    if isinstance(chosen, Units):
        return saved_pixels(
            sprite(chosen.values[on_page(chosen, order, page)], signed=True, shared=False), file
        )
    title = f"{selection.model}, {short(chosen.block)}, {chosen.name}"
    return saved_figure(heatmap(chosen.strength, title=title, unit="strength", signed=False), kind, file)


def save_part(
    explorer: Explorer, selection: Selection, kind: str, block, name, order: str, page: float, unit: int
):
    """The large part as a picture: all weights, or one unit."""
    chosen = next(iter(found(explorer, selection, block, name).values()))
    number = which(chosen, order, unit) if isinstance(chosen, Units) else None
    values = chosen.values[number] if isinstance(chosen, Units) else chosen.whole
    title = f"{selection.model}, {short(chosen.block)}, {chosen.name}" + (
        "" if number is None else f" {number}"
    )
    drawn = heatmap(values, title=title, unit="weight", signed=True)
    return saved_figure(drawn, kind, f"{selection.model}_{chosen.block}_{chosen.name}_{number or 'all'}")


def build(lenses: Lenses) -> None:
    with gr.Row(elem_classes="controls"):
        block = Menu([], label="Block", elem_id="matrix-block", min_width=180)
        name = Menu([], label="Matrix", elem_id="matrix", min_width=140)
        order = Menu([(f"by {one}", one) for one in ORDERS], value=ORDERS[0], label="Order", min_width=140)
        page = Amount(1, 2, value=1, step=1, label="Page", visible=False, min_width=120, buttons=[])
        unit = Whole(-1, label="Unit", precision=0, elem_id="unit", min_width=100)
    with gr.Row(elem_classes="views"):
        with gr.Column(scale=3, min_width=320):
            overview = View(sentence(SOON), elem_id="matrix-all")
        with gr.Column(scale=3, min_width=320):
            large = View(elem_id="matrix-large")
    chosen: dict[str, Control] = {"block": block, "name": name, "order": order, "page": page, "unit": unit}
    quick = {**lenses.wired(draw, **chosen), "outputs": [overview, large], **lane("matrices")}
    whole = lenses.listener("matrices", fit_and_draw, [overview, large, *chosen.values()], **chosen)
    lenses.draws(whole, block.input, name.input)
    gr.on([order.input, page.release, unit.input], **quick)
    large_only = {**quick, **lenses.wired(draw_large, **chosen), "outputs": large}
    overview.hands_on("pick", "unit", unit).then(**large_only)
    overview.hands_on("link", "way", lenses.lens)
    words = {"matrix_block": block, "matrix": name, "units": order, "unit_page": page, "unit": unit}
    lenses.remembered |= words
    lenses.saved(overview, save, **chosen)
    lenses.saved(large, save_part, **chosen)
