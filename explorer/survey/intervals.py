"""How sure the mean of a class is: percentile bootstrap over its pictures."""

from collections.abc import Sequence

import numpy as np

RESAMPLED = 500  # times
BAND = (2.5, 97.5)  # percent


def intervals(
    columns: Sequence[np.ndarray], labels: np.ndarray, seed: int, resampled: int = RESAMPLED
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Percentile bootstrap of the means of each `[n, k]` by class: low and high, `[classes, k]`.

    All columns are resampled alike.
    """
    random = np.random.default_rng(seed)
    bands: list[list[np.ndarray]] = [[] for _ in columns]
    for kind in np.unique(labels):
        own = labels == kind
        count = int(own.sum())
        drawn = random.multinomial(count, np.full(count, 1 / count), size=resampled)
        for band, values in zip(bands, columns, strict=True):
            band.append(np.percentile(drawn @ values[own] / count, BAND, axis=0))
    return [(low, high) for low, high in (np.stack(band, axis=1) for band in bands)]
