"""How far apart methods are, beside how far apart trainings of the same network are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from explorer.attribution.benchmark.belief import beliefs
from explorer.attribution.benchmark.intervals import Interval
from explorer.attribution.benchmark.shipped import Shipped

WIDTH = 2 * 1.96  # of a 95 % interval, in standard errors
FEWEST = 2  # methods, or trainings


@dataclass(frozen=True)
class Spread:
    """Three standard deviations of one protocol's scores on one model, in the unit of the protocol."""

    methods: float  # of the methods' means over the trainings
    trainings: float  # of the trainings of one method, root mean square over the methods
    pictures: float  # what a score may be off by as so few pictures were measured, root mean square

    @property
    def is_told(self) -> bool:
        """Whether methods are further apart than trainings are."""
        return self.methods > self.trainings


def spread(trainings: Mapping[str, Sequence[Shipped]], protocol: str, model: str) -> Spread | None:
    """Over the methods that have a score in every training; None for fewer than two of either."""
    scores = [scored(rows, protocol, model) for rows in trainings.values()]
    common = sorted(set.intersection(*map(set, scores))) if len(scores) >= FEWEST else []
    if len(common) < FEWEST:
        return None
    found = [[one[method] for method in common] for one in scores]
    values = np.array([[one.value for one in row] for row in found])  # [trainings, methods]
    errors = np.array([[(one.high - one.low) / WIDTH for one in row] for row in found])
    return Spread(
        float(values.mean(axis=0).std(ddof=1)),
        float(np.sqrt(values.var(axis=0, ddof=1).mean())),
        float(np.sqrt(np.square(errors).mean())),
    )


def scored(rows: Sequence[Shipped], protocol: str, model: str) -> dict[str, Interval]:
    asked = (protocol, model, "scenes")
    return {
        row.method: row.found for row in rows if (row.protocol, row.model, row.source) == asked and row.found
    }


def believed_in(trainings: Mapping[str, Sequence[Shipped]], model: str) -> dict[str, int]:
    """Methods by the number of trainings in which they clear the controls more often than not."""
    counts: dict[str, int] = {}
    for rows in trainings.values():
        for one in beliefs(rows, model):
            if one.is_believed:
                counts[one.method] = counts.get(one.method, 0) + 1
    return dict(sorted(counts.items(), key=lambda one: (-one[1], one[0])))
