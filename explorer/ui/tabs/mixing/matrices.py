"""Matrices: the weights between rows or columns, or the map of every hidden unit."""

import gradio as gr
import numpy as np

from explorer.explorer import Explorer
from explorer.figures.colour import painted, scale_of
from explorer.figures.heatmap import heatmap
from explorer.figures.raster import COLUMNS, data_uri, png, sprite
from explorer.mixing.matrices import ORDERS, Lines, Units, matrices
from explorer.mixing.mixers import mixers
from explorer.ui.components import View, picked, render, sentence
from explorer.ui.controls import Amount, Menu, Whole, moved, offer
from explorer.ui.downloads import npz, saved_figure
from explorer.ui.lenses import Lenses
from explorer.ui.selection import PICK, Asked, bound, lane
from explorer.ui.tabs.mixing.elsewhere import SOON, elsewhere
from models.layer_names import short

PAGE = 64  # units shown at once
HIDDEN = gr.update(visible=False)


def found(explorer: Explorer, asked: Asked, block: str | None, name: str | None) -> dict[str, Lines | Units]:
    """The matrices of a block, the chosen one first; names of another model count as the first."""
    model = asked.loaded(explorer).model
    blocks = list(mixers(model, "matrices"))
    made = matrices(model, block if block in blocks else blocks[0])
    first = name if name in made else next(iter(made))
    return {first: made[first], **made}


def draw(
    explorer: Explorer, asked: Asked, block, name, order: str, page: float, unit: int
) -> tuple[str, str]:
    """The matrix in overview, and one part of it large."""
    if missing := elsewhere(explorer, asked, "matrices"):
        return missing, ""
    made = found(explorer, asked, block, name)
    chosen = next(iter(made.values()))
    if isinstance(chosen, Lines):
        return draw_lines(asked, chosen), draw_whole(asked, chosen)
    return draw_units(asked, chosen, order, page, unit), draw_unit(asked, made, order, unit)


def draw_large(explorer: Explorer, asked: Asked, *chosen) -> str:
    """The unit picked, so that whoever walks through the units with the arrow keys stays on them."""
    return draw(explorer, asked, *chosen)[1]


def python(asked: Asked, chosen: Lines | Units, *lines: str) -> str:
    return asked.python(
        f'found = matrices(explorer.load(model, weights).model, "{chosen.block}")["{chosen.name}"]',
        *lines,
        imports="from explorer.mixing.matrices import matrices",
    )


def draw_lines(asked: Asked, chosen: Lines) -> str:
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
        python=python(asked, chosen, "print(found.strength)  # [to, source]"),
    )


def draw_whole(asked: Asked, chosen: Lines) -> str:
    scale = scale_of(chosen.values, signed=True)
    return render(
        "whole_matrix",
        title="All weights",
        name=chosen.name,
        pixels=painted(chosen.whole, scale),
        lines=len(chosen.values),
        wide=chosen.values.shape[2],
        scale=scale,
        python=python(asked, chosen, "print(found.whole.shape)  # [to * segment, source * segment]"),
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


def draw_units(asked: Asked, chosen: Units, order: str, page: float, unit: int) -> str:
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
        python=python(asked, chosen, "print(found.values.shape, found.frequency)  # [units, h, w], [units]"),
    )


def draw_unit(asked: Asked, made: dict[str, Units], order: str, unit: int) -> str:
    number = which(next(iter(made.values())), order, unit)
    scales = {name: scale_of(one.values[number], signed=True) for name, one in made.items()}
    return render(
        "one_matrix",
        title=f"Unit {number}",
        maps=[
            (name, data_uri(painted(one.values[number], scales[name])), scales[name], one.frequency[number])
            for name, one in sorted(made.items())
        ],
        python=python(asked, next(iter(made.values())), f"print(found.values[{number}])"),
    )


def fit_and_draw(explorer: Explorer, asked: Asked, block, name, order: str, page: float, unit: int) -> tuple:
    """Both views, and the controls for what this model has."""
    views = draw(explorer, asked, block, name, order, page, unit)
    blocks = list(mixers(asked.loaded(explorer).model, "matrices"))
    if not blocks:
        return (*views, *[HIDDEN] * 5)
    made = found(explorer, asked, block, name)
    chosen = next(iter(made.values()))
    units = isinstance(chosen, Units)
    count = pages(chosen) if units else 1
    return (
        *views,
        offer([(short(one), one) for one in blocks], chosen.block, block, visible=True),
        offer([(one, one) for one in sorted(made)], chosen.name, name, visible=True),
        gr.update(visible=units),
        gr.update(maximum=max(2, count), visible=count > 1, **moved(min(page, count), page)),
        gr.update(visible=True, **moved(which(chosen, order, unit), unit)) if units else HIDDEN,
    )


def picked_unit(event: gr.EventData) -> int:
    return int(picked(event))


def save(explorer: Explorer, asked: Asked, kind: str, block, name, order: str, page: float, unit: int):
    """The overview as a picture, or all numbers of the matrix."""
    chosen = next(iter(found(explorer, asked, block, name).values()))
    file = f"{asked.model}_{chosen.block}_{chosen.name}"
    if kind == "npz":
        derived = (
            {"strength": chosen.strength} if isinstance(chosen, Lines) else {"frequency": chosen.frequency}
        )
        return npz(file, values=chosen.values, **derived)
    if isinstance(chosen, Units):
        return png(
            sprite(chosen.values[on_page(chosen, order, page)], signed=True, shared=False)
        ), f"{file}.png"
    title = f"{asked.model}, {short(chosen.block)}, {chosen.name}"
    return saved_figure(heatmap(chosen.strength, title=title, unit="strength", signed=False), kind, file)


def save_part(explorer: Explorer, asked: Asked, kind: str, block, name, order: str, page: float, unit: int):
    """The large part as a picture: all weights, or one unit."""
    chosen = next(iter(found(explorer, asked, block, name).values()))
    number = None if isinstance(chosen, Lines) else which(chosen, order, unit)
    values = chosen.whole if number is None else chosen.values[number]
    title = f"{asked.model}, {short(chosen.block)}, {chosen.name}" + ("" if number is None else f" {number}")
    drawn = heatmap(values, title=title, unit="weight", signed=True)
    return saved_figure(drawn, kind, f"{asked.model}_{chosen.block}_{chosen.name}_{number or 'all'}")


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
    chosen = [block, name, order, page, unit]
    inputs = [*lenses.rail.inputs, *chosen]
    quick = {
        "fn": bound(draw, lenses.explorer),
        "inputs": inputs,
        "outputs": [overview, large],
        **lane("matrices"),
    }
    whole = lenses.listener("matrices", fit_and_draw, chosen, [overview, large, *chosen])
    lenses.draws(whole, block.input, name.input)
    gr.on([order.input, page.release, unit.input], **quick)
    large_only = {**quick, "fn": bound(draw_large, lenses.explorer), "outputs": large}
    overview.pick(picked_unit, None, unit, **PICK).then(**large_only)
    overview.door(picked, None, lenses.lens, **PICK)
    lenses.named |= {"matrix_block": block, "matrix": name, "units": order, "unit_page": page, "unit": unit}
    lenses.saves.wire(overview, bound(save, lenses.explorer), lenses.rail.inputs, chosen)
    lenses.saves.wire(large, bound(save_part, lenses.explorer), lenses.rail.inputs, chosen)
