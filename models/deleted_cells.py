"""Pictures that lack a cell, for models that are to know such pictures (IDSDS, Hesse et al., 2024, §3.2).

Where a model has never seen a picture with a hole, what it says of one tells as much of the hole's being
strange as of what is missing. Trained on pictures half of which lack one of 4 x 4 cells, it knows both.
"""

import torch
from einops import rearrange
from torch import Tensor

CELLS = 4  # along a side


def numbers(height: int, width: int) -> Tensor:
    """The number `[h, w]` of the cell that each place lies in, row by row."""
    rows, columns = (torch.arange(side) * CELLS // side for side in (height, width))
    return rearrange(rows, "h -> h 1") * CELLS + columns


def without_cells(images: Tensor, cells: Tensor, nothing: Tensor | float) -> Tensor:
    """Images `[b, c, h, w]`, each without the cell whose number `[b]` is given; -1 leaves it whole.

    nothing: what is there instead, alike in shape or one number.
    """
    there = numbers(*images.shape[-2:]).to(images.device)
    gone = there == rearrange(cells.to(images.device), "b -> b 1 1")
    return torch.where(rearrange(gone, "b h w -> b 1 h w"), nothing, images)


def some_deleted(images: Tensor, dice: torch.Generator) -> Tensor:
    """Images in [-1, 1]: in half of them, drawn by lot, a cell is black."""
    cells = torch.randint(CELLS**2, (len(images),), generator=dice)
    whole = torch.rand(len(images), generator=dice) < 0.5
    return without_cells(images, torch.where(whole, -1, cells), -1.0)
