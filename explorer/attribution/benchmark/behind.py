"""The pictures behind a number: what a method was shown, the maps it made, and what each of them scored."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from explorer.attribution.benchmark.measure import one_by_one
from explorer.attribution.benchmark.protocols import Examined
from explorer.attribution.benchmark.trials import Trial, explaining
from explorer.attribution.benchmark.truth_lab import OPTIONS
from explorer.attribution.options import Options
from explorer.attribution.registry import method_named


@dataclass(frozen=True, eq=False)
class Scored:
    """One trial of a protocol, the maps `[h, w]` a method made for it, one a question, and their score."""

    trial: Trial
    maps: tuple[np.ndarray, ...]
    score: float


def behind(
    examined: Examined, protocol: str, method: str, options: Options = OPTIONS
) -> Iterator[tuple[Scored, ...]]:
    """The trials so far that have a score, the worst first; one trial more each time.

    The mean of the last is the value that `measure.rows` tells. Raises ChoiceError where there is no such
    method, or where the protocol cannot be asked of the model.
    """
    method_named(method)
    explain = explaining(method, examined.loaded.preprocess, options)
    found: tuple[Scored, ...] = ()
    for trial in one_by_one(examined, protocol):
        maps = tuple(explain(one.model, one.image, one.target) for one in trial.questions)
        score = trial.scored(maps)
        if score is not None:
            found = tuple(sorted((*found, Scored(trial, maps, score)), key=lambda one: one.score))
        yield found
