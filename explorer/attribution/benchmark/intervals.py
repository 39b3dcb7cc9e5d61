"""Means with what they may be off by, because only so many pictures were measured."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

DRAWS = 2_000
SHARE = 95  # percent of the draws


@dataclass(frozen=True)
class Interval:
    """A mean, and the ends of its 95 % interval."""

    value: float
    low: float
    high: float


def bootstrap(values: Sequence[float], seed: int = 0) -> Interval:
    """The mean over pictures, and the middle 95 % of the means of as many pictures drawn with replacement.

    Efron (1979), percentiles. The same values give the same interval. Raises ValueError for no values.
    """
    if not len(values):
        raise ValueError("no values have no mean")
    known = np.asarray(values, float)
    chosen = np.random.default_rng(seed).integers(len(known), size=(DRAWS, len(known)))
    edge = (100 - SHARE) / 2
    low, high = np.percentile(known[chosen].mean(axis=1), [edge, 100 - edge])
    mean = float(known.mean())
    return Interval(mean, min(float(low), mean), max(float(high), mean))
