"""What the lens on matrices shows: weights from line to line, or the map of every hidden unit."""

import numpy as np

from explorer.figures.colour import painted, scale_of
from explorer.figures.raster import COLUMNS, data_uri, sprite
from explorer.mixing.matrices import Lines, Units
from explorer.ui.components import render
from explorer.ui.selection import Selection
from models.layer_names import short

PAGE = 64  # units shown at once


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
        python=python(
            selection,
            chosen,
            "print(found.whole.shape, abs(found.whole).max())  # [to * segment, source * segment]",
        ),
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
