"""What the numbers of a layer are like: how far they reach, how many are nothing, which channels are dead."""

from dataclasses import dataclass

import numpy as np

from explorer.features.feature_maps import FeatureMap

SMALL = 0.01  # of the largest size in the layer
BINS = 41


@dataclass(frozen=True)
class Statistics:
    """Of all places and channels of one map, in the model's own units; without what is no number."""

    layer: str
    low: float
    high: float
    mean: float
    std: float
    zeros: float  # share of values that are exactly zero
    small: float  # share of values smaller than 1 % of the largest, zeros among them
    dead: tuple[int, ...]  # channels with the same value at every place; none where there is one place
    counts: np.ndarray  # [BINS], values in equal steps from low to high


def statistics(features: FeatureMap) -> Statistics:
    values = features.values
    finite = values[np.isfinite(values)].astype(np.float64)
    finite = finite if finite.size else np.zeros(1)
    size = np.abs(finite)
    constant = values.max(axis=(0, 1)) == values.min(axis=(0, 1))
    several = values.shape[0] * values.shape[1] > 1
    return Statistics(
        layer=features.layer,
        low=float(finite.min()),
        high=float(finite.max()),
        mean=float(finite.mean()),
        std=float(finite.std()),
        zeros=float((finite == 0).mean()),
        small=float((size < SMALL * size.max()).mean()) if size.max() else 1.0,
        dead=tuple(np.flatnonzero(constant).tolist()) if several else (),
        counts=np.histogram(finite, bins=BINS)[0],
    )
