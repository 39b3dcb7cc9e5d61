"""The weights a model has learned between places: between rows or columns, or one map a hidden unit."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from einops import rearrange
from torch import nn

from explorer.errors import ChoiceError
from explorer.mixing.mixers import mixer_by_matrices
from models.mixing import Between

ORDERS = ("frequency", "number")


@dataclass(frozen=True)
class Lines:
    """Weights between rows, or between columns; every one of them is cut into segments of channels."""

    block: str
    name: str
    values: np.ndarray  # [to, source, s, t], from channel t of a source to channel s

    @cached_property
    def strength(self) -> np.ndarray:
        """How much goes from one line to another `[to, source]`: the length of the weights between them."""
        return np.sqrt((self.values.astype(np.float64) ** 2).sum(axis=(2, 3)))

    @property
    def whole(self) -> np.ndarray:
        """All weights `[to * s, source * t]`, line after line."""
        return rearrange(self.values, "to source s t -> (to s) (source t)")

    @property
    def near(self) -> float:
        """Share of the squared weights that stays in a line or goes to one of its neighbours."""
        squared = self.strength**2
        number = np.arange(len(squared))
        return float(squared[np.abs(number[:, None] - number) <= 1].sum() / squared.sum())


@dataclass(frozen=True)
class Units:
    """One map of weights over the places for every hidden unit."""

    block: str
    name: str
    values: np.ndarray  # [units, h, w]

    @cached_property
    def frequency(self) -> np.ndarray:
        """How fine each map is `[units]`, in waves across it; see `frequencies`."""
        return frequencies(self.values)

    def order(self, by: str) -> np.ndarray:
        """Numbers of the units, the smoothest first, or as they are."""
        if by not in ORDERS:
            raise ChoiceError(f"Units are sorted by {' or by '.join(ORDERS)}; not by {by!r}.")
        return np.argsort(self.frequency, kind="stable") if by == "frequency" else np.arange(len(self.values))


def frequencies(maps: np.ndarray) -> np.ndarray:
    """Mean frequency of each map `[n, h, w]`, weighed by its power, in waves across the map `[n]`.

    0 is a constant; a cosine of k waves has k; the finest are the checkerboards. An empty map has 0.
    """
    _, height, width = maps.shape
    power = np.abs(np.fft.fft2(maps.astype(np.float64))) ** 2
    waves = np.hypot(np.fft.fftfreq(height, 1 / height)[:, None], np.fft.fftfreq(width, 1 / width))
    total = power.sum(axis=(1, 2))
    return (power * waves).sum(axis=(1, 2)) / np.where(total > 0, total, 1)


def matrices(model: nn.Module, block: str) -> dict[str, Lines | Units]:
    """The matrices of one block, by name."""
    kinds: dict[Between, type[Lines] | type[Units]] = {Between.LINES: Lines, Between.UNITS: Units}
    return {
        found.name: kinds[found.between](block, found.name, found.canonical.numpy())
        for found in mixer_by_matrices(model, block).mixing_matrices()
    }
