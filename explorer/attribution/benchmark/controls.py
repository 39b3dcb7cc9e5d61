"""Four maps that know nothing of the model; a method that does not beat them has found nothing."""

from collections.abc import Callable
from types import MappingProxyType

import numpy as np
import torch
from einops import rearrange
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from explorer.attribution.methods.controls import noise_for, slopes

WIDTH = 0.25  # of the blob at the centre: its standard deviation as a share of the sides


def centre(image: Tensor) -> Tensor:
    """A Gaussian in the middle of the picture, blind to it."""
    height, width = image.shape[-2:]
    rows, columns = (torch.linspace(-0.5, 0.5, side) / WIDTH for side in (height, width))
    return torch.exp(-0.5 * (rows[:, None].square() + columns.square()))


def colour_distance(image: Tensor) -> Tensor:
    """How far the colour of each place is from the median colour of the picture."""
    median = rearrange(image[0], "c h w -> c (h w)").median(dim=1).values
    return torch.linalg.vector_norm(image[0] - rearrange(median, "c -> c 1 1"), dim=0)


def edges(image: Tensor) -> Tensor:
    """How steep the picture is, see `methods.controls.slopes`."""
    return slopes(image)[0, 0]


PICTURED: MappingProxyType[str, Callable[[Tensor], Tensor]] = MappingProxyType(
    {"centre": centre, "colour_distance": colour_distance, "edges": edges}
)
CONTROLS = (*PICTURED, "random")


def control(name: str, image: Tensor, shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """A control `[h, w]` of an image at the resolution of the map it stands beside.

    What is drawn finer is averaged over each cell; noise is drawn fresh, cell by cell, for every picture.
    """
    rows, columns = shape
    if name == "random":
        return noise_for(image, seed, (rows, columns))
    drawn = PICTURED[name](image.cpu())[None, None]
    return adaptive_avg_pool2d(drawn, (rows, columns))[0, 0].numpy()
