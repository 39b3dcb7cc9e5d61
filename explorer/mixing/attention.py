"""Where every place of the picture looks, by layer, head and offset of the unfolding.

In MobileViT the map is cut into patches of p x p places, and places with the same offset in a patch look at
each other only. So there are p * p separate attentions in a layer, and each has one place in every patch.
Elsewhere a patch is one place. Tokens beside the places, such as a class token, come first and are left out.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from einops import rearrange
from torch import Tensor

from explorer.capture import Run
from explorer.errors import ChoiceError, NoMapError
from explorer.mixing.mixers import map_near
from models.probe import Kind

MOST_TOKENS = 16  # beside the places
OTHERWISE = (
    "Here {} queries look at {} keys, which are not the {} × {} places of the map: windows, channels or "
    "pooled places. The tab Maps shows the shares as a matrix."
)


@dataclass(frozen=True)
class AttentionFrom:
    """Where the patch of one place looks, from each of its offsets.

    Every map sums to one, or to less where a part goes to tokens beside the places.
    """

    layer: str
    place: tuple[int, int]  # row, column on the grid
    grid: tuple[int, int]  # places of the unfolded map, rows and columns
    patch: int  # p, places along a side of a patch
    maps: np.ndarray  # [offsets, heads, patches down, patches across], shares of attention
    reach: np.ndarray  # [heads], mean distance of what is looked at, over all places, in places
    even: float  # the same distance, if every place looked everywhere alike

    @property
    def heads(self) -> int:
        return self.maps.shape[1]

    @property
    def offset(self) -> int:
        """The offset of the place itself, counted row by row."""
        return self.place[0] % self.patch * self.patch + self.place[1] % self.patch

    @property
    def here(self) -> tuple[int, int]:
        """The patch of the place."""
        return self.place[0] // self.patch, self.place[1] // self.patch


def attention_layers(run: Run) -> tuple[str, ...]:
    """Names of the probes of attention, in the order of the pass."""
    return tuple(found.name for found in run.of(Kind.ATTENTION))


def unfolding(run: Run, layer: str) -> tuple[Tensor, int, tuple[int, int]]:
    """Attention `[offsets, heads, q, k]` of a layer, the side of a patch, and the grid it unfolds.

    A map that cannot be cut into whole patches has been resized to the next that can.

    Raises NoMapError where queries and keys are not the places of the map: in windows, among channels, or
    where keys were pooled.
    """
    found = run.activations.get(layer)
    if found is None or found.kind is not Kind.ATTENTION:
        known = ", ".join(attention_layers(run)) or "none"
        raise ChoiceError(f"There is no layer of attention {layer!r} in this model; there are {known}.")
    patch = math.isqrt(len(found.value))
    rows, columns = (-(-length // patch) * patch for length in map_near(run, layer).value.shape[1:3])
    queries, keys = found.value.shape[2:]
    tokens = keys - rows * columns // patch**2
    if queries != keys or not 0 <= tokens <= MOST_TOKENS:
        raise NoMapError(OTHERWISE.format(queries, keys, rows, columns))
    return found.value[:, :, tokens:, tokens:], patch, (rows, columns)


def attention_from(run: Run, layer: str, row: float, column: float) -> AttentionFrom:
    """Where the place at (row, column) of the picture looks; both in [0, 1), from the upper left corner."""
    value, patch, grid = unfolding(run, layer)
    place = cell(row, grid[0]), cell(column, grid[1])
    across = grid[1] // patch
    query = place[0] // patch * across + place[1] // patch
    maps = rearrange(value[:, :, query].numpy(), "offsets heads (h w) -> offsets heads h w", w=across)
    distance = patch * distances(grid[0] // patch, across)
    reach = torch.einsum("ohqk,qk->h", value, distance) / value.sum(dim=(0, 2, 3)).clamp_min(1e-12)
    return AttentionFrom(layer, place, grid, patch, maps, reach.numpy(), float(distance.mean()))


def cell(part: float, cells: int) -> int:
    """Which of `cells` a part of a side in [0, 1) is in."""
    return min(max(int(part * cells), 0), cells - 1)


def distances(rows: int, columns: int) -> Tensor:
    """How far apart the patches of a grid are `[q, k]`, in patches."""
    where = torch.cartesian_prod(torch.arange(float(rows)), torch.arange(float(columns)))
    return torch.cdist(where, where, compute_mode="donot_use_mm_for_euclid_dist")
