"""How branches are blended for pictures of different classes, to be saved."""

import numpy as np
from matplotlib.figure import Figure

from explorer.figures.colour import branch_colours


def by_class(
    classes: list[str],
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
