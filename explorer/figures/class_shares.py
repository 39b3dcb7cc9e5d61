"""How branches are blended for pictures of different classes, to be saved."""

from collections.abc import Sequence

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from explorer.figures.colour import branch_colours


def by_class(
    classes: Sequence[str],
    branches: tuple[str, ...],
    blocks: list[str],
    means: np.ndarray,
    errors: np.ndarray,
    *,
    title: str,
) -> Figure:
    """A panel a block; shares `means` and `errors` `[blocks, classes, branches]`, bars of two errors."""
    columns = 3
    rows = -(-len(blocks) // columns)
    figure = Figure(figsize=(11, 1 + 2.4 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, sharex=True, squeeze=False).ravel()
    for number, (panel, block) in enumerate(zip(panels, blocks, strict=False)):
        for branch, (name, colour) in enumerate(zip(branches, branch_colours(branches), strict=True)):
            where = np.arange(len(classes)) + 0.12 * (branch - (len(branches) - 1) / 2)
            panel.errorbar(
                where,
                means[number, :, branch],
                2 * errors[number, :, branch],
                fmt="o",
                ms=4,
                c=colour,
                label=name,
            )
        panel.set(title=block, xticks=range(len(classes)))
        panel.set_xticklabels(classes, rotation=90)
        panel.grid(axis="y", alpha=0.3)
    for panel in panels[len(blocks) :]:
        panel.set_axis_off()
    panels[0].set_ylabel("mean share")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=len(branches))
    figure.suptitle(title)
    return figure


def through_depth(
    classes: Sequence[str],
    branches: tuple[str, ...],
    blocks: list[str],
    means: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
) -> Figure:
    """A panel a branch, a line a class over the blocks; all values `[blocks, classes, branches]`.

    low, high: the ends of an interval about each mean.
    """
    count = len(branches)
    figure = Figure(figsize=(max(4.5, 0.42 * len(blocks)) * count, 4.6), layout="constrained")
    panels = figure.subplots(1, count, sharey=True, squeeze=False)[0]
    colours = matplotlib.colormaps["tab20"](range(20))
    where = np.arange(len(blocks))
    for branch, (panel, name) in enumerate(zip(panels, branches, strict=True)):
        for kind, label in enumerate(classes):
            colour = colours[(2 * kind + kind // 10) % 20]
            panel.fill_between(
                where, low[:, kind, branch], high[:, kind, branch], color=colour, alpha=0.2, lw=0
            )
            panel.plot(where, means[:, kind, branch], "o-", ms=3, lw=1.2, color=colour, label=label)
        panel.set(title=name, xticks=where)
        panel.set_xticklabels(blocks, rotation=90, fontsize=8)
        panel.grid(axis="y", alpha=0.3)
    panels[0].set_ylabel("mean share" if count > 1 else "open")
    figure.legend(
        *panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=min(6, len(classes))
    )
    return figure


def separability(blocks: list[str], explained: np.ndarray, certain: np.ndarray) -> Figure:
    """A bar a block `[blocks]`: the part of the variance between classes; pale where it may be chance."""
    figure = Figure(figsize=(7, 1 + 0.26 * len(blocks)), layout="constrained")
    axes = figure.subplots()
    colours = ["#4f46e5" if sure else "#c7d2fe" for sure in certain]
    axes.barh(range(len(blocks)), explained, color=colours, height=0.75)
    axes.set(xlabel="part of the variance that lies between the classes", yticks=range(len(blocks)))
    axes.set_xlim(0, max(0.05, 1.05 * float(explained.max())))
    axes.set_yticklabels(blocks, fontsize=8)
    axes.invert_yaxis()
    return figure
