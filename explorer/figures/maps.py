"""What the reweighting lab saves: the maps of the branches, and its tables."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from explorer.figures.colour import Scale, ink, painted, scale_of


def rows_of_maps(
    size: np.ndarray, signed: np.ndarray | None, branches: tuple[str, ...], *, title: str
) -> Figure:
    """A column a branch; above the size of what it brings, below, where there is one, its signed effect."""
    rows = [(size, scale_of(size, signed=False)._replace(low=0.0), "size")]
    if signed is not None:
        rows.append((signed, scale_of(signed, signed=True), "logit"))
    figure = Figure(figsize=(2.6 * len(branches) + 0.8, 2.6 * len(rows) + 0.4), layout="constrained")
    grid = figure.subplots(len(rows), len(branches), squeeze=False)
    for line, (maps, scale, unit) in zip(grid, rows, strict=True):
        for axes, one, branch in zip(line, maps, branches, strict=True):
            drawn = image(axes, one, scale)
            axes.set(title=branch, xticks=[], yticks=[])
        figure.colorbar(drawn, ax=list(line), label=unit)
    figure.suptitle(title)
    return figure


def table(values: np.ndarray, rows: list[str], columns: tuple[str, ...], *, title: str, unit: str) -> Figure:
    """Signed numbers `[rows, columns]` as coloured cells with the numbers written in."""
    scale = scale_of(values, signed=True)
    figure = Figure(figsize=(1.8 + 1.3 * len(columns), 1.2 + 0.34 * len(rows)), layout="constrained")
    axes = figure.subplots()
    drawn = image(axes, values, scale, aspect="auto")
    figure.colorbar(drawn, ax=axes, label=unit)
    pixels = painted(values, scale)
    for (row, column), value in np.ndenumerate(values):
        written: dict[str, Any] = {"ha": "center", "va": "center", "color": ink(pixels[row, column])}
        axes.text(column, row, f"{value:.2g}", **written)
    axes.set(title=title, xticks=range(len(columns)), yticks=range(len(rows)))
    axes.set_xticklabels(columns)
    axes.set_yticklabels(rows)
    return figure


def image(axes, values: np.ndarray, scale: Scale, aspect: str = "equal"):
    return axes.imshow(
        values, cmap=scale.cmap, vmin=scale.low, vmax=scale.high, interpolation="none", aspect=aspect
    )
