"""Gates across depth, to be saved: a row a gate, a cell a channel."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from explorer.figures.colour import Scale


def gate_rows(rows: Mapping[str, np.ndarray], scale: Scale, *, title: str) -> Figure:
    """Every gate `[channels]` over the same width, however many channels it has, first gate on top."""
    figure = Figure(figsize=(9, 1.2 + 0.26 * len(rows)), layout="constrained")
    grid = figure.subplots(len(rows), 1, squeeze=False)[:, 0]
    limits = {"cmap": scale.cmap, "vmin": scale.low, "vmax": scale.high}
    for axes, (name, values) in zip(grid, rows.items(), strict=True):
        drawn = axes.imshow(values[None], aspect="auto", interpolation="none", **limits)
        axes.set(xticks=[], yticks=[0] if name else [])
        axes.set_yticklabels([name] if name else [], fontsize=8)
    figure.colorbar(drawn, ax=list(grid), label="open")
    figure.suptitle(title)
    return figure
