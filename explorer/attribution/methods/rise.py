"""RISE: what the class gets when the picture is seen through random masks."""

from collections.abc import Iterator

import torch
from einops import rearrange
from torch import Tensor
from torch.nn.functional import interpolate

from explorer.attribution.methods.case import Case, Part, logits_of

GRID = 7  # cells of a mask along a side
KEPT = 0.5  # chance that a cell lets the picture through


def rise(case: Case) -> Iterator[Part]:
    """The mean logit over masks that let a place through (Petsiuk et al., 2018, eq. 6).

    A mask is a random grid of 7 x 7 cells, enlarged smoothly and shifted by less than a cell; where it is
    closed the baseline is seen. Weighted is the logit, where the paper takes the probability.
    """
    dice = torch.Generator().manual_seed(case.options.seed)
    total, done = case.options.draws, 0
    summed = case.image.new_zeros(1, 1, *case.image.shape[-2:])
    while done < total:
        count = min(case.at_once, total - done)
        masks = torch.cat([mask(dice, case.image) for _ in range(count)])
        logits = logits_of(case, case.baseline + masks * (case.image - case.baseline))
        summed = summed + (rearrange(logits, "n -> n 1 1 1") * masks).sum(dim=0, keepdim=True)
        done += count
        yield Part(done, total, summed / (KEPT * done))


def mask(dice: torch.Generator, image: Tensor) -> Tensor:
    """One mask in [0, 1] `[1, 1, h, w]`."""
    height, width = image.shape[-2:]
    cell_h, cell_w = -(-height // GRID), -(-width // GRID)
    grid = (torch.rand(1, 1, GRID, GRID, generator=dice) < KEPT).to(image)
    size = ((GRID + 1) * cell_h, (GRID + 1) * cell_w)
    large = interpolate(grid, size=size, mode="bilinear", align_corners=False)
    top, left = (int(torch.randint(cell, (1,), generator=dice)) for cell in (cell_h, cell_w))
    return large[..., top : top + height, left : left + width]
