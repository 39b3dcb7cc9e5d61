"""How well it is told that a picture is nothing the weights know: three scores compared, the best one kept.

Known pictures are those of the held-out test set, and one in twenty of them may lie beyond the threshold.
Foreign are photographs to weights trained on scenes, and to weights trained on CIFAR-10 photographs of none
of the ten, and drawn scenes. The best score is that with the largest area over the photographs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import nn

from explorer.familiarity.distance import Familiar, familiar, separated
from explorer.familiarity.pictures import Labelled
from explorer.familiarity.reference import Reference
from explorer.familiarity.scores import SCORES, Evidence, foreignness
from models.photographs import CIFAR10
from models.preprocess import Preprocess

FALSE_ALARMS = 0.05
CURVE = (0.01, 0.02, 0.05, 0.1, 0.2)  # false alarms at which the curve is told


@dataclass(frozen=True)
class Pictures:
    """Which pictures a set of weights knows, and which it does not, by what they are called in tables."""

    learned: Labelled
    held_out: Labelled
    foreign: Mapping[str, Labelled]  # photographs first: they choose the score


def measured(
    model: nn.Module, preprocess: Preprocess, pictures: Pictures
) -> tuple[Reference, dict[str, Any]]:
    """What ships, and what stands in the table: areas and curves by kind of foreign pictures."""
    learned = Evidence.gathered(model, preprocess, pictures.learned)
    exact = familiar(learned.features, pictures.learned.labels)
    known = Familiar(exact.centres.astype(np.float32), exact.precision.astype(np.float32))  # as they are kept
    near = Evidence.gathered(model, preprocess, pictures.held_out)
    far = {kind: Evidence.gathered(model, preprocess, some) for kind, some in pictures.foreign.items()}
    of_near = {score: foreignness(near, score, known) for score in SCORES}
    of_far = {kind: {score: foreignness(one, score, known) for score in SCORES} for kind, one in far.items()}
    areas = {
        kind: {score: separated(of_near[score], values[score]) for score in SCORES}
        for kind, values in of_far.items()
    }
    first = next(iter(areas))
    best = max(SCORES, key=areas[first].__getitem__)
    curves = {kind: curve(of_near[best], values[best]) for kind, values in of_far.items()}
    reference = Reference(
        by=best,
        known=known,
        threshold=float(np.quantile(of_near[best], 1 - FALSE_ALARMS)),
        detected=curves[first][CURVE.index(FALSE_ALARMS)],
    )
    table = {
        "score": best,
        "areas": areas,
        "false_alarms": CURVE,
        "curves": curves,
        "pictures": {kind: len(one.logits) for kind, one in far.items()},
        "held_out": len(near.logits),
    }
    return reference, table


def curve(near: np.ndarray, far: np.ndarray) -> list[float]:
    """The share of foreign pictures beyond the threshold, at each of `CURVE`."""
    return [float((far > np.quantile(near, 1 - alarms)).mean()) for alarms in CURVE]


def told_right(model: nn.Module, preprocess: Preprocess, ten: Labelled) -> dict[str, list[int]]:
    """Of photographs of the ten, how many of each class are told right, and how many there are."""
    told = Evidence.gathered(model, preprocess, ten).logits.argmax(axis=1)
    classes = range(len(CIFAR10))
    return {
        "right": [int(((told == one) & (ten.labels == one)).sum()) for one in classes],
        "of": [int((ten.labels == one).sum()) for one in classes],
    }
