"""Receptive fields as pixels for the page, and as one drawing to be saved."""

import numpy as np
from matplotlib.figure import Figure

from explorer.figures.colour import Scale, painted, scale_of
from explorer.figures.maps import image

SHADE = (15, 23, 42, 224)  # red, green, blue, opacity of what is out of reach


def amplitude(energy: np.ndarray) -> np.ndarray:
    """The size of the gradient `[h, w]`: its energy spans too many orders of magnitude to be seen."""
    return np.sqrt(energy)


def shade(mask: np.ndarray) -> np.ndarray:
    """A dark sheet over all that is not in the mask, uint8 `[h, w, 4]`."""
    return np.where(mask[..., None], np.uint8(0), np.array(SHADE, np.uint8))


def levels_painted(levels: np.ndarray) -> np.ndarray:
    """Numbers of nested regions `[h, w]`, 0 outside to 4 in the middle, as uint8 `[h, w, 3]`."""
    return painted(levels, Scale(0.0, 4.0, False))


def three_maps(
    measured: np.ndarray,
    levels: np.ndarray,
    can: np.ndarray,
    names: tuple[str, ...],
    *,
    title: str,
    unit: str,
) -> Figure:
    """Side by side: what was measured, the regions that hold most of it, what is possible, `[h, w]`."""
    figure = Figure(figsize=(11, 3.8), layout="constrained")
    axes = figure.subplots(1, 3)
    first = image(axes[0], measured, scale_of(measured, signed=False)._replace(low=0.0))
    image(axes[1], levels, Scale(0.0, 4.0, False))
    image(axes[2], can.astype(float), Scale(0.0, 1.0, False))
    for one, name in zip(axes, names, strict=True):
        one.set(title=name, xticks=[], yticks=[])
    figure.colorbar(first, ax=axes[0], label=unit)
    figure.suptitle(title)
    return figure
