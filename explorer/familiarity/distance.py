"""How far a picture's features lie from those of the pictures a model was trained on.

The Mahalanobis distance of Lee et al., A Simple Unified Framework for Detecting Out-of-Distribution Samples,
2018, https://arxiv.org/abs/1807.03888, in the last features alone: the mean over places of the last map.
"""

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from explorer.capture import Run

RIDGE = 1e-3  # of the mean variance, so that features that never vary do not decide alone


@dataclass(frozen=True)
class Familiar:
    """The features of pictures a model knows: one centre for each class, one spread for all."""

    centres: np.ndarray  # [classes, channels]
    precision: np.ndarray  # [channels, channels], the inverse of the covariance within classes

    def distances(self, features: np.ndarray) -> np.ndarray:
        """Squared distance of each row of `[n, channels]` to the centre that is nearest, `[n]`."""
        apart = features[:, None] - self.centres
        return np.einsum("n k d, n k d -> n k", apart @ self.precision, apart).min(axis=1)


def features(run: Run) -> np.ndarray:
    """The last features of a pass, `[b, channels]`."""
    return last_features(run.outputs()[-1].value)


def last_features(value: Tensor) -> np.ndarray:
    """Of the last map of a pass `[b, h, w, c]`."""
    return value.double().mean(dim=(1, 2)).numpy()


def familiar(known: np.ndarray, labels: np.ndarray) -> Familiar:
    """Centres and spread of features `[n, channels]` whose classes are `labels` `[n]`."""
    centres = np.stack([known[labels == label].mean(axis=0) for label in np.unique(labels)])
    within = known - centres[np.searchsorted(np.unique(labels), labels)]
    covariance = within.T @ within / len(within)
    ridge = RIDGE * np.trace(covariance) / len(covariance)
    return Familiar(centres, np.linalg.inv(covariance + ridge * np.eye(len(covariance))))


def separated(known: np.ndarray, foreign: np.ndarray) -> float:
    """The area under the curve: how often a foreign picture lies farther than a known one."""
    order = np.sort(known)
    below, up_to = np.searchsorted(order, foreign, "left"), np.searchsorted(order, foreign, "right")
    return float((below + up_to).mean() / (2 * len(known)))
