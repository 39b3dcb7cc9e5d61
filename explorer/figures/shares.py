"""How branches are blended, to be saved: across depth, and channel by channel inside a block."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from explorer.figures.colour import branch_colours


def across_depth(blocks: list[str], branches: tuple[str, ...], means: np.ndarray, *, title: str) -> Figure:
    """One bar a block, top to bottom in the order of the pass; `means` `[blocks, branches]` are shares."""
    figure = Figure(figsize=(7, 1.2 + 0.3 * len(blocks)), layout="constrained")
    axes = figure.subplots()
    left = np.zeros(len(blocks))
    for branch, colour, share in zip(branches, branch_colours(branches), means.T, strict=True):
        axes.barh(range(len(blocks)), share, left=left, color=colour, label=branch, height=0.8)
        left = left + share
    axes.set(title=title, xlim=(0, 1), xlabel="mean share over the channels", yticks=range(len(blocks)))
    axes.set_yticklabels(blocks)
    axes.invert_yaxis()
    figure.legend(ncols=len(branches), loc="outside lower center")
    return figure


def over_training(checkpoints: list[str], each: Sequence[Mapping[str, Mapping[str, float]]]) -> Figure:
    """A panel a block, a line a branch over the checkpoints; `each` has shares by block, by branch."""
    blocks = list(each[0])
    columns = min(3, len(blocks))
    rows = -(-len(blocks) // columns)
    figure = Figure(figsize=(3.6 * columns, 1 + 2.2 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    for panel, block in zip(panels, blocks, strict=False):
        branches = tuple(each[0][block])
        for branch, colour in zip(branches, branch_colours(branches), strict=True):
            panel.plot([one[block][branch] for one in each], "o-", ms=3, color=colour, label=branch)
        panel.set(xticks=range(len(checkpoints)))
        panel.set_title(block, fontsize=9)
        panel.set_xticklabels(checkpoints, rotation=90, fontsize=8)
        panel.grid(axis="y", alpha=0.3)
    for panel in panels[len(blocks) :]:
        panel.set_axis_off()
    panels[0].set_ylabel("mean")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure


def inside_block(values: np.ndarray, branches: tuple[str, ...], *, title: str) -> Figure:
    """Shares `[branches, channels]` as an image, one row a branch, channels in the order given."""
    figure = Figure(figsize=(9, 2.4), layout="constrained")
    axes = figure.subplots()
    drawn = axes.imshow(values, cmap="viridis", vmin=0, vmax=1, aspect="auto", interpolation="none")
    figure.colorbar(drawn, ax=axes, label="share")
    axes.set(title=title, xlabel="channels", yticks=range(len(branches)))
    axes.set_yticklabels(branches)
    return figure
