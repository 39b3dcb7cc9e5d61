"""Occlusion: windows covered one by one, first all over the picture, then between."""

from collections.abc import Iterator, Sequence

import torch
from einops import rearrange
from torch import Tensor

from explorer.attribution.methods.case import Case, Part, logits_of
from explorer.attribution.methods.window_passes import WindowPasses, window_passes
from explorer.attribution.methods.window_reach import Window
from explorer.engine.late_imports import captum
from explorer.engine.twins import folded

STRIDES = (4, 2, 1)  # of the windows that are covered first, next and last


def occlusion(case: Case) -> Iterator[Part]:
    """How far the logit falls when a window is covered by the baseline (Zeiler & Fergus, 2014).

    Windows all over the picture come first, those between them later; until its turn a window shows the
    fall of one near it.
    """
    cells = case.options.cells
    order = spread_out(cells).to(case.image.device)
    logit = logits_of(case, case.image)
    places = [window(number, cells, case.image.shape[-2:]) for number in range(cells**2)]
    near = window_passes(folded(case.network), case.image, places)
    falls, known = case.image.new_zeros(cells**2), torch.zeros_like(order, dtype=torch.bool)
    at_once = case.at_once if near is None else case.as_memory_allows(near.at_once)
    for windows in order.split(at_once):
        asked = [places[number] for number in windows.tolist()]
        falls = falls.index_put((windows,), covered(case, asked, logit, near))
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


def covered(case: Case, windows: Sequence[Window], logit: Tensor, near: WindowPasses | None) -> Tensor:
    """Falls of the logit `[n]` when each of `windows` is covered.

    Captum ablates one switch per window; a switch at zero covers its window.

    near: computes anew what a window reaches, and no more; None for whole passes.
    """

    def logits(switches: Tensor) -> Tensor:
        off = [windows[int(number)] for number in (1 - switches).argmax(dim=1)]
        if near is not None:
            return case.told(near.logits(case.baseline, off))
        images = case.image.repeat(len(off), 1, 1, 1)
        for image, (rows, columns) in zip(images, off, strict=True):
            image[:, rows, columns] = case.baseline[0, :, rows, columns]
        return logits_of(case, images)

    def known(switches: Tensor) -> Tensor:
        return logit.expand(len(switches)) if bool(switches.all()) else logits(switches)

    switches = torch.ones(1, len(windows), device=case.image.device)
    return captum.FeatureAblation(known).attribute(switches, perturbations_per_eval=len(windows))[0]


def window(number: int, cells: int, shape: Sequence[int]) -> Window:
    """Where a window of a grid of cells lies."""
    height, width = shape
    row, column = divmod(number, cells)
    return Window(slice(*bounds(row, cells, height)), slice(*bounds(column, cells, width)))


def bounds(cell: int, cells: int, side: int) -> tuple[int, int]:
    """The first pixel of a cell and the first after it; pixel p is in cell `p * cells // side`."""
    return -(-cell * side // cells), -(-(cell + 1) * side // cells)
