"""Which channels of a map matter: for a class, by gradients; for a known cause, by where they are active."""

from collections.abc import Mapping

import numpy as np

from explorer.capture import Run
from explorer.errors import NoMapError
from explorer.features.feature_maps import BRANCH, FeatureMap, map_of, probed
from models.probe import PLACELESS


def ranked(scores: np.ndarray) -> np.ndarray:
    """Channel numbers, the largest scores first, whatever their sign."""
    return np.argsort(-np.abs(scores), kind="stable")


def relevance(run: Run) -> Mapping[str, np.ndarray]:
    """How much each channel `[c]` of each map with a gradient speaks for the run's target, in logits.

    Activation times gradient, summed over the places: what a small change of the channel's size would do.
    """
    found = {}
    for layer in probed(run):
        name = layer.partition(BRANCH)[0]
        probe = run.activations[name]
        if name in run.gradients and probe.kind not in PLACELESS:
            values, slopes = (map_of(probe, layer, v) for v in (probe.value, run.gradients[name]))
            found[layer] = (values.astype(np.float64) * slopes).sum(axis=(0, 1))
    return found


def correlation(features: FeatureMap, cause: np.ndarray) -> np.ndarray:
    """Pearson correlation of each channel `[c]` with a cause `[height, width]`, over the places of the map.

    Zero for a channel that is the same at every place.
    """
    if not features.has_places:
        raise NoMapError("Attention has no places of the picture to lay a cause over.")
    share = reduced(cause, features.values.shape[:2])
    values = features.values.astype(np.float64)
    values, share = values - values.mean(axis=(0, 1)), share - share.mean()
    both = (values * share[..., None]).sum(axis=(0, 1))
    lengths = np.sqrt((values**2).sum(axis=(0, 1)) * (share**2).sum())
    return np.divide(both, lengths, out=np.zeros_like(both), where=lengths > 1e-12)


def reduced(cause: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """The share of each place `[h, w]` that lies on a cause `[height, width]`."""
    rows, columns = (overlaps(*pair) for pair in zip(shape, cause.shape, strict=True))
    return rows @ cause.astype(np.float64) @ columns.T


def overlaps(cells: int, length: int) -> np.ndarray:
    """The share of each of some equal cells that lies on each pixel `[cells, length]`."""
    edges, pixels = np.arange(cells + 1) * length / cells, np.arange(length)
    low, high = np.maximum(edges[:-1, None], pixels), np.minimum(edges[1:, None], pixels + 1)
    return np.clip(high - low, 0, None) * cells / length
