"""HSIC: how far what the class gets depends on whether each place is seen."""

from collections.abc import Iterator

import torch
from einops import rearrange
from torch import Tensor
from torch.nn.functional import interpolate

from explorer.attribution.methods.case import Case, Part, logits_of
from explorer.attribution.methods.rise import GRID, KEPT


def hsic(case: Case) -> Iterator[Part]:
    """Dependence of the logit on the cells of a grid of 7 x 7, each seen by lot (Novello et al., 2022).

    Where a cell is not seen the baseline is. Any dependence counts, for the class or against it.
    """
    dice = torch.Generator().manual_seed(case.options.seed)
    total = case.options.draws
    seen = (torch.rand(total, GRID, GRID, generator=dice) < KEPT).to(case.image)
    logits: list[Tensor] = []
    for start in range(0, total, case.at_once):
        masks = rearrange(seen[start : start + case.at_once], "n h w -> n 1 h w")
        masks = interpolate(masks, size=case.image.shape[-2:], mode="nearest")
        logits.append(logits_of(case, case.baseline + masks * (case.image - case.baseline)))
        known = torch.cat(logits)
        values = dependence(seen[: len(known)], known)
        yield Part(len(known), total, rearrange(values, "h w -> 1 1 h w"))


def dependence(seen: Tensor, logits: Tensor) -> Tensor:
    """The Hilbert-Schmidt independence criterion `[h, w]` of each cell, seen `[n, h, w]`, with logits `[n]`.

    tr(K H L H) / (n - 1)^2. K says whether a cell was the same in two draws, H takes means away, and L is a
    Gaussian of the distance of two logits, as wide as the median of all distances. K holds 0 and 1, and
    H L H adds up to nothing along rows: the trace is twice what the draws that see the cell add up to.
    """
    apart = (logits[:, None] - logits).double().abs()
    width = apart.median().clamp_min(1e-12)
    close = torch.exp(-0.5 * (apart / width).square())
    centred = close - close.mean(dim=0) - close.mean(dim=1, keepdim=True) + close.mean()
    chosen = seen.double()
    along = torch.einsum("n m, m h w -> n h w", centred, chosen)
    return (2 * (chosen * along).sum(dim=0) / max(len(logits) - 1, 1) ** 2).to(seen)
