"""Matrices: the weights between rows or columns, or the map of every hidden unit."""

import gradio as gr
import numpy as np

from explorer.explorer import Explorer
from explorer.figures.colour import painted, scale_of
from explorer.figures.heatmap import heatmap
from explorer.figures.raster import COLUMNS, data_uri, png, sprite
from explorer.mixing.matrices import ORDERS, Lines, Units, matrices
from explorer.mixing.mixers import mixers
from explorer.ui.components import View, render, sentence
from explorer.ui.controls import Amount, Control, Menu, Whole, moved, offer
from explorer.ui.downloads import npz, saved_figure
from explorer.ui.lenses import Lenses
from explorer.ui.selection import PICK, Selection, lane
from explorer.ui.tabs.mixing.elsewhere import SOON, elsewhere, way_of
from models.layer_names import short

PAGE = 64  # units shown at once
HIDDEN = gr.update(visible=False)


def found(
    explorer: Explorer, selection: Selection, block: str | None, name: str | None
) -> dict[str, Lines | Units]:
    """The matrices of a block, the chosen one first; names of another model count as the first."""
    model = selection.loaded(explorer).model
    blocks = list(mixers(model, "matrices"))
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


def python(selection: Selection, chosen: Lines | Units, *lines: str) -> str:
    return selection.python(
        f'found = matrices(explorer.load(model, weights).model, "{chosen.block}")["{chosen.name}"]',
        *lines,
        imports="from explorer.mixing.matrices import matrices",
    )


def draw_lines(selection: Selection, chosen: Lines) -> str:
    scale = scale_of(chosen.strength, signed=False)._replace(low=0.0)
    return render(
        "lines",
        title=f"From line to line, {short(chosen.block)}",
        name=chosen.name,
        pixels=painted(chosen.strength, scale),
        scale=scale,
        last=len(chosen.strength) - 1,
        near=chosen.near,
        usual=float((3 * len(chosen.strength) - 2) / len(chosen.strength) ** 2),
        python=python(selection, chosen, "print(found.strength)  # [to, source]"),
    )


def draw_whole(selection: Selection, chosen: Lines) -> str:
    scale = scale_of(chosen.values, signed=True)
    return render(
        "whole_matrix",
        title="All weights",
        name=chosen.name,
        pixels=painted(chosen.whole, scale),
        lines=len(chosen.values),
        wide=chosen.values.shape[2],
        scale=scale,
        python=python(selection, chosen, "print(found.whole.shape)  # [to * segment, source * segment]"),
    )


def on_page(chosen: Units, order: str, page: float) -> np.ndarray:
    """Numbers of the units on one page; pages count from one."""
    ordered = chosen.order(order)
    start = PAGE * (min(max(1, int(page)), pages(chosen)) - 1)
    return ordered[start : start + PAGE]


def pages(chosen: Units) -> int:
    return -(-len(chosen.values) // PAGE)


def which(chosen: Units, order: str, unit: int) -> int:
    """The unit asked for; below zero, as at first, the first in the order."""
    return min(unit, len(chosen.values) - 1) if unit >= 0 else int(chosen.order(order)[0])


def draw_units(selection: Selection, chosen: Units, order: str, page: float, unit: int) -> str:
    units = on_page(chosen, order, page)
    return render(
        "matrices",
        title=f"Hidden units, {short(chosen.block)}",
        name=chosen.name,
        size="{} × {}".format(*chosen.values.shape[1:]),
        of=len(chosen.values),
        columns=COLUMNS,
        rows=-(-len(units) // COLUMNS),
        sprite=sprite(chosen.values[units], signed=True, shared=False),
        units=[(number, float(chosen.frequency[number])) for number in units.tolist()],
        chosen=which(chosen, order, unit),
        python=python(
            selection, chosen, "print(found.values.shape, found.frequency)  # [units, h, w], [units]"
        ),
    )


def draw_unit(selection: Selection, made: dict[str, Units], order: str, unit: int) -> str:
    number = which(next(iter(made.values())), order, unit)
    scales = {name: scale_of(one.values[number], signed=True) for name, one in made.items()}
    return render(
        "one_matrix",
        title=f"Unit {number}",
        maps=[
            (name, data_uri(painted(one.values[number], scales[name])), scales[name], one.frequency[number])
            for name, one in sorted(made.items())
        ],
        python=python(selection, next(iter(made.values())), f"print(found.values[{number}])"),
    )


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


def picked_unit(event: gr.EventData) -> int:
    """The unit that was chosen in the overview."""
    return int(event.unit)


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
        return npz(file, values=chosen.values, **derived)
    if isinstance(chosen, Units):
        return png(
            sprite(chosen.values[on_page(chosen, order, page)], signed=True, shared=False)
        ), f"{file}.png"
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
    overview.pick(picked_unit, None, unit, **PICK).then(**large_only)
    overview.link(way_of, None, lenses.lens, **PICK)
    words = {"matrix_block": block, "matrix": name, "units": order, "unit_page": page, "unit": unit}
    lenses.remembered |= words
    lenses.saved(overview, save, **chosen)
    lenses.saved(large, save_part, **chosen)
