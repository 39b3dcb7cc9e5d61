"""Three ways to tell that a picture is nothing a model knows; each is larger the more foreign it is.

distance: of the last features to those of known pictures, see `explorer.familiarity.distance`.
energy: of the logits; Liu et al., Energy-based Out-of-distribution Detection, 2020,
    https://arxiv.org/abs/2010.03759, with the temperature 1.
probability: the highest one, negated; Hendrycks and Gimpel, A Baseline for Detecting Misclassified and
    Out-of-Distribution Examples, 2017, https://arxiv.org/abs/1610.02136.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
from PIL import Image
from torch import nn

from explorer.capture import Run, run
from explorer.familiarity.distance import Familiar, features
from explorer.pictures import to_image
from models.preprocess import Preprocess

SCORES = ("distance", "energy", "probability")
AT_ONCE = 50


@dataclass(frozen=True)
class Evidence:
    """What the scores are computed from: last features `[n, channels]` and logits `[n, classes]`."""

    features: np.ndarray
    logits: np.ndarray

    @classmethod
    def of(cls, seen: Run) -> "Evidence":
        return cls(features(seen), seen.logits.double().numpy())

    @classmethod
    def gathered(
        cls, model: nn.Module, preprocess: Preprocess, pictures: Iterable[Image.Image]
    ) -> "Evidence":
        """Of any number of pictures, a batch at a time."""
        waiting, found = iter(pictures), []
        while batch := [to_image(picture, preprocess)[0] for picture in islice(waiting, AT_ONCE)]:
            found.append(cls.of(run(model, torch.cat(batch))))
        parts = [one.features for one in found], [one.logits for one in found]
        return cls(*(np.concatenate(part) for part in parts))


def foreignness(evidence: Evidence, score: str, known: Familiar) -> np.ndarray:
    """One of `SCORES` of every picture, `[n]`."""
    if score == "distance":
        return known.distances(evidence.features)
    energy = -torch.from_numpy(evidence.logits).logsumexp(dim=1).numpy()
    return energy if score == "energy" else -np.exp(evidence.logits.max(axis=1) + energy)
