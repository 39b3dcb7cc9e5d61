"""One map with its colour bar, to be saved."""

import numpy as np
from matplotlib.figure import Figure

from explorer.figures.colour import scale_of


def heatmap(values: np.ndarray, *, title: str, unit: str, signed: bool) -> Figure:
    """Draw `values` `[h, w]` as they are, each a square, with a colour bar in their own units."""
    scale = scale_of(values, signed=signed)
    figure = Figure(figsize=(5, 4.2), layout="constrained")
    axes = figure.subplots()
    drawn = axes.imshow(values, cmap=scale.cmap, vmin=scale.low, vmax=scale.high, interpolation="none")
    figure.colorbar(drawn, ax=axes, label=unit)
    axes.set(title=title, xticks=[], yticks=[])
    return figure
