"""Occlusion: windows covered one by one, first all over the picture, then between."""

from collections.abc import Iterator

import torch
from einops import rearrange
from torch import Tensor

from explorer.attribution.methods.case import Case, Part, logits_of
from explorer.engine.late_imports import captum

STRIDES = (4, 2, 1)  # of the windows that are covered first, next and last


def occlusion(case: Case) -> Iterator[Part]:
    """How far the logit falls when a window is covered by the baseline (Zeiler & Fergus, 2014).

    Windows all over the picture come first, those between them later; until its turn a window shows the
    fall of one near it.
    """
    cells = case.options.cells
    order = spread_out(cells).to(case.image.device)
    logit = logits_of(case, case.image)
    falls, known = case.image.new_zeros(cells**2), torch.zeros_like(order, dtype=torch.bool)
    for windows in order.split(case.at_once):
        falls = falls.index_put((windows,), covered(case, windows, cells, logit))
        known = known.index_put((windows,), torch.ones_like(windows, dtype=torch.bool))
        grids = (rearrange(one, "(h w) -> h w", h=cells) for one in (falls, known))
        yield Part(int(known.sum()), cells**2, rearrange(of_the_nearest(*grids), "h w -> 1 1 h w"))


def spread_out(cells: int) -> Tensor:
    """The numbers of a grid's windows, `[cells * cells]`: every fourth of every fourth row comes first."""
    at = torch.arange(cells)
    missed = torch.stack([at % stride > 0 for stride in STRIDES])
    turns = missed.sum(dim=0)  # how many strides leave out a row or a column
    turn = torch.maximum(rearrange(turns, "h -> h 1"), rearrange(turns, "w -> 1 w"))
    return turn.flatten().argsort(stable=True)


def of_the_nearest(values: Tensor, known: Tensor) -> Tensor:
    """A grid `[h, w]` where what is unknown takes a known value near it, above and to the left."""
    seen = torch.zeros_like(values)
    for stride in STRIDES:
        at = torch.arange(len(values), device=values.device) // stride * stride
        seen = torch.where(known[at][:, at], values[at][:, at], seen)
    return seen


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
    return captum.FeatureAblation(logits).attribute(switches, perturbations_per_eval=len(windows))[0]
