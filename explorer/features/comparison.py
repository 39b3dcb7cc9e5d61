"""Several backbones on one picture: maps at a relative depth, places alike, layers alike."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from einops import rearrange
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from explorer.capture import Activation, Run
from explorer.errors import ChoiceError
from explorer.features.feature_maps import FeatureMap
from explorer.in_notebook import InNotebook
from models.probe import Role

FEWEST, MOST = 2, 7  # backbones side by side
FINEST = 32  # places a side up to which layers are compared; finer maps are averaged first


def chosen(models: list[str]) -> list[str]:
    """The backbones to compare, refused where they are too few or too many."""
    if not FEWEST <= len(models) <= MOST:
        raise ChoiceError(f"Choose {FEWEST} to {MOST} backbones to compare; {len(models)} are chosen.")
    return models


def levels(run: Run) -> list[Activation]:
    """The output of every block in the order of the pass; what a stage only hands on is left out."""
    return run.outputs((Role.PATCHES, Role.BLOCK))


def at_depth(run: Run, share: float) -> FeatureMap:
    """The map at a relative depth: 0 is the first block output of the pass, 1 the last."""
    if not 0 <= share <= 1:
        raise ChoiceError(f"The relative depth goes from 0 to 1; there is no {share:g}.")
    found = levels(run)
    layer = found[int(share * (len(found) - 1) + 0.5)]
    return FeatureMap(layer.name, layer.value[0].numpy())


def cell_at(place: tuple[float, float], rows: int, columns: int) -> tuple[int, int]:
    """The cell of a grid at a relative place (down, right), both in [0, 1]."""
    down, right = place
    return min(int(down * rows), rows - 1), min(int(right * columns), columns - 1)


def similar_to(features: FeatureMap, place: tuple[float, float]) -> np.ndarray:
    """Cosine between the features at a relative place (down, right) and those at every place `[h, w]`."""
    rows, columns, _ = features.values.shape
    lengths = np.linalg.norm(features.values, axis=-1, keepdims=True)
    directions = features.values / np.maximum(lengths, 1e-12)
    return directions @ directions[cell_at(place, rows, columns)]


@dataclass(frozen=True)
class Likeness(InNotebook):
    """Which layers of two backbones see one picture alike."""

    models: tuple[str, str]
    rows: tuple[str, ...]  # layers of the first
    columns: tuple[str, ...]  # layers of the second
    values: np.ndarray  # [rows, columns], linear CKA in [0, 1]; NaN where a map is the same everywhere
    chance: np.ndarray  # [rows, columns], what shuffled places would give on average
    places: np.ndarray  # [rows, columns], over how many places

    @property
    def best(self) -> float:
        """Mean over the layers of both of the likeness to the most like layer of the other."""
        known = np.nan_to_num(self.values, nan=-1.0)
        best = np.concatenate([known.max(axis=1), known.max(axis=0)])
        return float(best[best >= 0].mean()) if (best >= 0).any() else float("nan")


def cka(one: Tensor, other: Tensor) -> float:
    """Linear CKA of two sets of features `[n, c1]`, `[n, c2]` of the same n places.

    ||Y'X||^2 / (||X'X|| ||Y'Y||) for centred X and Y (Kornblith et al. 2019, arXiv:1905.00414, section 3),
    here as the cosine between their Gram matrices XX' and YY', which is the same.
    """
    return float(unit_gram(one) @ unit_gram(other))


def unit_gram(features: Tensor) -> Tensor:
    """How alike each two places are `[n * n]`, for centred features `[n, c]`, of length one."""
    exact = features.double()
    centred = exact - exact.mean(dim=0)
    gram = centred @ centred.T
    length = torch.linalg.vector_norm(gram)
    # A map that is the same everywhere leaves nothing but rounding: it is like nothing.
    nothing = length <= 1e-12 * torch.linalg.vector_norm(exact) ** 2
    return rearrange(gram / torch.where(nothing, torch.nan, length), "n m -> (n m)")


def cka_by_chance(one: Tensor, other: Tensor) -> float:
    """Mean linear CKA of two sets of features of n places over all ways to shuffle the places of one.

    one, other: unit Gram matrices `[n * n]` of centred features, see `unit_gram`. A shuffled centred matrix K
    is on average tr(K) / (n - 1) times the centring matrix, so the mean is tr(K) tr(L) / (n - 1).
    """
    places = math.isqrt(len(one))
    if places < 2:
        return math.nan
    traces = (rearrange(gram, "(n m) -> n m", n=places).trace() for gram in (one, other))
    return float(math.prod(map(float, traces))) / (places - 1)


def likeness(first: Run, second: Run, models: tuple[str, str]) -> Likeness:
    """Linear CKA between all layers of two runs on one picture; the places of the maps are the samples.

    Maps of different grids meet on the coarser one, where each place is the mean of what falls into it.
    """
    rows, columns = levels(first), levels(second)
    grids = [[common(grid_of(a), grid_of(b)) for b in columns] for a in rows]
    values = np.full((len(rows), len(columns)), np.nan)
    chance = values.copy()
    for grid in sorted({grid for line in grids for grid in line}):
        here = [(r, c) for r, line in enumerate(grids) for c, one in enumerate(line) if one == grid]
        ours = {r: unit_gram(pooled(rows[r].value[0], grid)) for r in sorted({r for r, _ in here})}
        theirs = {c: unit_gram(pooled(columns[c].value[0], grid)) for c in sorted({c for _, c in here})}
        for r, c in here:
            values[r, c] = float(ours[r] @ theirs[c])
            chance[r, c] = cka_by_chance(ours[r], theirs[c])
    return Likeness(
        models,
        tuple(found.name for found in rows),
        tuple(found.name for found in columns),
        values.clip(0, 1),
        chance.clip(0, 1),
        np.array([[height * width for height, width in line] for line in grids]),
    )


def grid_of(layer: Activation) -> tuple[int, int]:
    """Height and width, halved until no side has more than FINEST places."""
    _, height, width, _ = layer.value.shape
    while max(height, width) > FINEST:
        height, width = -(-height // 2), -(-width // 2)
    return height, width


def common(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
    """The coarser of two grids."""
    return min(one[0], other[0]), min(one[1], other[1])


def pooled(values: Tensor, grid: tuple[int, int]) -> Tensor:
    """A map `[h, w, c]` on a coarser grid, as `[places, c]`."""
    if values.shape[:2] != grid:
        values = rearrange(adaptive_avg_pool2d(rearrange(values, "h w c -> c h w"), grid), "c h w -> h w c")
    return rearrange(values, "h w c -> (h w) c")
