"""Grids of pictures a model is sure of: what belongs to the class of one lies in its cell, and nowhere else.

Rao, Boehle and Schiele (2022), Towards Better Understanding Attribution Methods, §3: `gridpg` shows the
model the whole grid; `difull` shows it every cell by itself, so that no other cell can have a say.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from einops import rearrange
from torch import Tensor, nn

from explorer.attribution.benchmark.pictures import Known
from explorer.attribution.benchmark.trials import Maps, Question, Trial
from explorer.attribution.localization import localised
from explorer.capture import hooked, probes
from models.probe import Kind, Probe

SIDE = 2  # cells along a side; by chance a cell gets a quarter


@dataclass(frozen=True, eq=False)
class Grid:
    """Pictures of different classes side by side `[1, 3, h, w]`, and the cell that is asked about."""

    image: Tensor
    targets: tuple[int, ...]  # of all cells, row by row
    cell: int

    @property
    def inside(self) -> np.ndarray:
        """True `[h, w]` in the cell that is asked about."""
        height, width = self.image.shape[-2:]
        rows, columns = np.arange(height) * SIDE // height, np.arange(width) * SIDE // width
        return rows[:, None] * SIDE + columns == self.cell


def grids(pictures: Iterator[Known], count: int) -> list[Grid]:
    """As many grids as there are pictures for, `count` at most; each asks about the cell after the last's."""
    waiting: list[Known] = []
    found: list[Grid] = []
    while len(found) < count:
        chosen: dict[int, Known] = {}
        for known in waiting:
            chosen.setdefault(known.target, known)
        if len(chosen) < SIDE**2:
            if (more := next(pictures, None)) is None:
                break
            waiting.append(more)
            continue
        cells = list(chosen.values())[: SIDE**2]
        waiting = [known for known in waiting if known not in cells]
        found.append(grid_of(cells, len(found) % SIDE**2))
    return found


def grid_of(cells: list[Known], cell: int) -> Grid:
    images = torch.cat([known.image for known in cells])
    joined = rearrange(images, "(row column) c h w -> 1 c (row h) (column w)", row=SIDE)
    return Grid(joined, tuple(known.target for known in cells), cell)


class Disconnected(nn.Module):
    """A network that sees the cells of a grid apart: `[b, 3, h, w]` to logits `[b, cells * classes]`.

    The last feature map passes `whole` for all cells side by side, so that methods which weigh a map see the
    map of the grid; then each cell's part goes on alone.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.whole = Probe(Kind.FEATURE_MAP, "b h w c -> b h w c")

    def forward(self, grid: Tensor) -> Tensor:
        cells = rearrange(grid, "b c (row h) (column w) -> (b row column) c h w", row=SIDE, column=SIDE)
        last = list(probes(self.network, Kind.FEATURE_MAP).values())[-1:]
        with hooked(dict.fromkeys(last, self.joined)):
            logits = self.network(cells)
        return rearrange(logits, "(b cells) classes -> b (cells classes)", cells=SIDE**2)

    def joined(self, probe: Probe, _args: tuple, value: Tensor) -> Tensor:
        cut, joined = "(b row column) h w c", "b (row h) (column w) c"
        side = {"row": SIDE, "column": SIDE}
        whole = self.whole(rearrange(probe.canonical(value), f"{cut} -> {joined}", **side))
        return probe.native(rearrange(whole, f"{joined} -> {cut}", **side))


def share_inside(maps: Maps, inside: np.ndarray) -> float:
    """The share of the positive values that lies in the right cell."""
    return localised(maps[0], inside).mass


def grid_pointing(model: nn.Module, pictures: Iterator[Known], count: int) -> Iterator[Trial]:
    """The grid pointing game: the model sees the whole grid."""
    for grid in grids(pictures, count):
        asked = Question(model, grid.image, grid.targets[grid.cell])
        yield Trial((asked,), partial(share_inside, inside=grid.inside), (grid.inside,))


def disconnected(model: nn.Module, pictures: Iterator[Known], count: int) -> Iterator[Trial]:
    """DiFull: the logit of the cell that is asked about depends on that cell alone."""
    apart = Disconnected(model).eval()
    for grid in grids(pictures, count):
        with torch.no_grad():
            classes = apart(grid.image).shape[1] // SIDE**2
        target = grid.cell * classes + grid.targets[grid.cell]
        asked = Question(apart, grid.image, target)
        yield Trial((asked,), partial(share_inside, inside=grid.inside), (grid.inside,))
