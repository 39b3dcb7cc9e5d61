"""What a comparison of backbones saves: maps beside each other, layers against layers, costs along depth."""

import numpy as np
from matplotlib.figure import Figure

from explorer.figures.colour import Scale, painted
from explorer.figures.maps import image


def side_by_side(pixels: list[np.ndarray], titles: list[str]) -> Figure:
    """Pictures uint8 `[h, w, 3]` of any sizes, drawn equally large, each with its title."""
    figure = Figure(figsize=(2.6 * len(pixels), 3.1), layout="constrained")
    for axes, one, title in zip(
        figure.subplots(1, len(pixels), squeeze=False)[0], pixels, titles, strict=True
    ):
        axes.imshow(one, interpolation="none")
        axes.set(xticks=[], yticks=[])
        axes.set_title(title, fontsize=10)
    return figure


def likeness_map(
    values: np.ndarray, rows: list[str], columns: list[str], *, models: tuple[str, str], unit: str
) -> Figure:
    """Values `[rows, columns]` in [0, 1], layers of the first model downwards, of the second to the right."""
    size = 2.4 + 0.28 * len(columns), 1.8 + 0.28 * len(rows)
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots()
    figure.colorbar(image(axes, values, Scale(0.0, 1.0, signed=False)), ax=axes, label=unit)
    axes.set(ylabel=models[0], xlabel=models[1], xticks=range(len(columns)), yticks=range(len(rows)))
    axes.set_xticklabels(columns, rotation=90)
    axes.set_yticklabels(rows)
    return figure


def cost_bars(costs: dict[str, dict[str, np.ndarray]]) -> Figure:
    """A panel a quantity, a bar a model, its blocks as segments from dark (first) to bright (last).

    costs: quantity with its unit -> model -> what each block costs.
    """
    bars = max(len(models) for models in costs.values())
    figure = Figure(figsize=(8, len(costs) * (0.9 + 0.3 * bars)), layout="constrained")
    for axes, (quantity, models) in zip(
        figure.subplots(len(costs), 1, squeeze=False)[:, 0], costs.items(), strict=True
    ):
        for row, values in enumerate(models.values()):
            colours = along_depth(len(values)) / 255
            left = np.cumsum(values) - values
            axes.barh(row, values, left=left, color=colours, edgecolor="white", linewidth=0.5)
        axes.set(xlabel=quantity, yticks=range(len(models)))
        axes.set_yticklabels(models)
        axes.invert_yaxis()
    return figure


def along_depth(blocks: int) -> np.ndarray:
    """A colour for every block, uint8 `[blocks, 3]`: dark for the first, bright for the last."""
    return painted(np.linspace(0, 1, blocks), Scale(0.0, 1.0, signed=False))
