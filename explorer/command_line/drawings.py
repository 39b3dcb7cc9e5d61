"""Answers of the command line as pictures, and as arrays that say what they are."""

import io
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from explorer.attribution.registry import METHODS
from explorer.attribution.running import Attribution
from explorer.figures.heatmap import heatmap
from explorer.figures.shares import across_depth
from explorer.report.figure_words import localised_figure


def drawn_map(stem: str, found: Attribution) -> dict[str, bytes]:
    """A map as PNG and as npz, by the names of the files."""
    method = METHODS[found.method]
    title = f"{method.title}, {found.label}"
    figure = heatmap(found.values, title=title, unit=method.unit, signed=found.signed)
    arrays = io.BytesIO()
    np.savez_compressed(
        arrays,
        values=found.values,
        axes=np.array("row column"),
        unit=np.array(method.unit),
        method=np.array(found.method),
        label=np.array(found.label),
    )
    name = f"{stem}.{found.method}"
    return {f"{name}.png": as_png(figure), f"{name}.npz": arrays.getvalue()}


def drawn_shares(stem: str, told: dict[str, Any]) -> dict[str, bytes]:
    """The mean shares of all blocks as PNG, by the name of the file."""
    blocks = told["blocks"]
    means = np.array([block["mean"] for block in blocks])
    names = [block["block"] for block in blocks]
    figure = across_depth(names, tuple(blocks[0]["branches"]), means, title=told["model"])
    return {f"{stem}.shares.png": as_png(figure)}


def as_png(figure: Figure) -> bytes:
    """A figure in the language of this computer."""
    file = io.BytesIO()
    localised_figure(figure).savefig(file, format="png", dpi=150)
    return file.getvalue()
