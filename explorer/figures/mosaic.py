"""Maps in rows and columns on one scale, to be saved."""

import numpy as np
from matplotlib.figure import Figure

from explorer.figures.colour import scale_of
from explorer.figures.maps import image

LARGEST = 24  # inches a side
ACROSS = 8  # maps in a row


def mosaic(maps: np.ndarray, rows: list[str], columns: list[str], *, title: str, unit: str) -> Figure:
    """Unsigned maps `[rows, columns, h, w]`, each a picture, all from zero to the largest value."""
    scale = scale_of(maps, signed=False)._replace(low=0.0)
    size = min(LARGEST, 2 * len(columns) + 1.4), min(LARGEST, 2 * len(rows) + 0.6)
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(len(rows), len(columns), squeeze=False)
    for line, of_row, row in zip(grid, maps, rows, strict=True):
        for axes, one, column in zip(line, of_row, columns, strict=True):
            drawn = image(axes, one, scale)
            axes.set(xticks=[], yticks=[])
            axes.set_title(column if row == rows[0] else "", fontsize=10)
        line[0].set_ylabel(row)
    figure.colorbar(drawn, ax=list(grid.flat), label=unit)
    figure.suptitle(title)
    return figure


def in_a_row(maps: list[np.ndarray], names: list[str], *, title: str, signed: bool) -> Figure:
    """Maps `[h, w]` of any sizes one after the other, each on a scale of its own, with its range below."""
    columns = min(ACROSS, len(maps))
    rows = -(-len(maps) // columns)
    figure = Figure(figsize=(1.8 * columns, 2.4 * rows + 0.6), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False).flat
    for axes, values, name in zip(grid, maps, names, strict=False):
        scale = scale_of(values, signed=signed)
        image(axes, values, scale)
        axes.set(xticks=[], yticks=[])
        axes.set_title(name, fontsize=9)
        axes.set_xlabel(f"{scale.low:.3g} – {scale.high:.3g}", fontsize=8)
    for axes in list(figure.axes)[len(maps) :]:
        axes.set_axis_off()
    figure.suptitle(title)
    return figure
