"""How a tensor of any number of axes can be looked at: as maps, matrices, rows of numbers or one number."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from einops import rearrange

MOST = 4  # pictures of one tensor


@dataclass(frozen=True)
class Look:
    """One picture's worth of a tensor, in its own units."""

    kind: Literal["map", "matrix", "vector", "number"]
    values: np.ndarray  # [h, w, c], [rows, columns], [n] or []
    axes: tuple[str, ...]  # names of the axes of `values`, "" where nobody named them
    label: str = ""  # which part of the tensor this is, e.g. "heads 1"

    @property
    def has_places(self) -> bool:
        """Whether rows and columns are those of the picture."""
        return self.kind == "map" and self.axes[:2] == ("h", "w")


def looks(values: np.ndarray, axes: tuple[str, ...], most: int = MOST) -> tuple[Look, ...]:
    """What to draw of a tensor with these axes: at most a few pictures, the first of each axis in front.

    Axes of length one are left out. Maps have their channels last, whatever the layout of the tensor.
    """
    kept = [axis for axis, length in enumerate(values.shape) if length > 1]
    return tuple(parts(values.squeeze(), tuple(axes[axis] for axis in kept), "", most))[:most]


def parts(values: np.ndarray, axes: tuple[str, ...], label: str, most: int) -> list[Look]:
    if values.ndim < 3:
        return [Look(("number", "vector", "matrix")[values.ndim], values, axes, label)]
    if values.ndim == 3 and {"h", "w"} <= set(axes):
        return [as_map(values, axes, label)]
    if values.ndim == 3 and axes[0] not in ("", "b", "heads", "branches", "three"):
        return [Look("map", values, axes, label)]
    found = []
    for index in range(min(most, len(values))):
        words = f"{label} {axes[0] or 'part'} {index}".strip()
        found += parts(values[index], axes[1:], words, most)
    return found


def as_map(values: np.ndarray, axes: tuple[str, ...], label: str) -> Look:
    """Rows, columns, channels."""
    channel = next(axis for axis in range(3) if axes[axis] not in ("h", "w"))
    order = {0: "c h w -> h w c", 1: "h c w -> h w c", 2: "h w c -> h w c"}[channel]
    return Look("map", rearrange(values, order), ("h", "w", axes[channel]), label)
