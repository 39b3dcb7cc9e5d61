"""Planted causes: staged scenes whose class one object alone tells, and whether a map lies on it."""

from collections.abc import Iterator
from functools import partial
from itertools import islice

import numpy as np
from torch import nn

from explorer.attribution.benchmark.pictures import Known, of_stages, probability
from explorer.attribution.benchmark.staged import Stage
from explorer.attribution.benchmark.trials import Maps, Question, Trial
from explorer.attribution.localization import localised
from models.registry import Preprocess

RATHER_SURE = 0.9  # least probability of the class: the bars are new to the model


def sure_stages(model: nn.Module, preprocess: Preprocess, count: int) -> Iterator[tuple[Stage, Known]]:
    """The first staged scenes whose class the model sees."""
    seen = of_stages(preprocess)
    return islice((one for one in seen if probability(model, one[1]) >= RATHER_SURE), count)


def on_the_cause(maps: Maps, cause: np.ndarray) -> float:
    """Of as many places as the object has, the share of the largest values that lies on it."""
    return localised(maps[0], cause).rank_accuracy


def planted(model: nn.Module, preprocess: Preprocess, count: int) -> Iterator[Trial]:
    for _, known in sure_stages(model, preprocess, count):
        assert known.mask is not None
        asked = Question(model, known.image, known.target)
        yield Trial((asked,), partial(on_the_cause, cause=known.mask), (known.mask,))
