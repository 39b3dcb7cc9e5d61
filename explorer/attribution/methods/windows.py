"""Occlusion: windows covered one by one, coarse grids first."""

from collections.abc import Iterator

import torch
from captum.attr import FeatureAblation
from einops import rearrange, repeat
from torch import Tensor

from explorer.attribution.methods.case import Case, Part, logits_of


def occlusion(case: Case) -> Iterator[Part]:
    """How far the logit falls when a window is covered by the baseline (Zeiler & Fergus, 2014).

    Coarse windows first; each finer grid takes over where it is done. A coarse window's fall is shared
    out evenly until then, so that all values are falls per window of the finest grid.
    """
    finest = case.options.cells
    total = sum(cells**2 for cells in levels(finest))
    done, so_far = 0, case.image.new_zeros(finest, finest)
    logit = logits_of(case, case.image)
    for cells in levels(finest):
        scale = finest // cells
        for start in range(0, cells**2, case.at_once):
            windows = torch.arange(start, min(start + case.at_once, cells**2), device=case.image.device)
            falls = covered(case, windows, cells, logit) / scale**2
            so_far = with_windows(so_far, windows, falls, scale)
            done += len(windows)
            yield Part(done, total, rearrange(so_far, "h w -> 1 1 h w"))


def levels(finest: int) -> tuple[int, ...]:
    """Grids from 4 cells a side to the finest, each a divisor of the next."""
    coarser = tuple(finest // step for step in (4, 2) if finest % step == 0 and finest // step >= 4)
    return (*coarser, finest)


def covered(case: Case, windows: Tensor, cells: int, logit: Tensor) -> Tensor:
    """Falls of the logit `[n]` when each of `windows` `[n]` (numbers in a grid of cells) is covered.

    Captum ablates one switch per window; a switch at zero covers its window.
    """
    _, _, height, width = case.image.shape
    rows = torch.arange(height, device=case.image.device) * cells // height
    columns = torch.arange(width, device=case.image.device) * cells // width
    numbers = rearrange(rows * cells, "h -> h 1") + rearrange(columns, "w -> 1 w")
    inside = rearrange(windows, "n -> n 1 1") == numbers

    def logits(switches: Tensor) -> Tensor:
        if bool(switches.all()):  # nothing covered: known already
            return logit.expand(len(switches))
        off = torch.einsum("bn,nhw->bhw", 1 - switches, inside.to(switches.dtype)) > 0
        return logits_of(case, torch.where(rearrange(off, "b h w -> b 1 h w"), case.baseline, case.image))

    switches = torch.ones(1, len(windows), device=case.image.device)
    return FeatureAblation(logits).attribute(switches, perturbations_per_eval=len(windows))[0]


def with_windows(so_far: Tensor, windows: Tensor, values: Tensor, scale: int) -> Tensor:
    """The map `[h, w]` with some windows of a grid `scale` times coarser set to new values."""
    coarse = so_far[::scale, ::scale].flatten().index_put((windows,), values)
    known = torch.zeros_like(coarse, dtype=torch.bool).index_put((windows,), torch.tensor(True))
    side = so_far.shape[0] // scale
    enlarge = "(h w) -> (h s1) (w s2)"
    fresh = repeat(coarse, enlarge, h=side, s1=scale, s2=scale)
    return torch.where(repeat(known, enlarge, h=side, s1=scale, s2=scale), fresh, so_far)
