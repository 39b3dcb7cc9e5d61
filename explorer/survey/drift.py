"""How far two surveys differ: other weights over the same pictures, or the same weights over others.

Which survey a row is of takes the place of the class: the difference of the means has an interval from their
standard errors, and is tested by shuffling which survey a picture is of, as `explorer.survey.found` tests
classes. Pictures that are in both are not paired, so an interval is rather too wide than too narrow.
"""

from dataclasses import dataclass

import numpy as np

from explorer.errors import ChoiceError
from explorer.survey.found import Accuracy, ByClass, Rows, accuracy, by_class

OTHER, THIS = SURVEYS = "the other survey", "this survey"  # in the order of the alphabet, as classes are
Z = 1.96  # standard errors of a 95 % interval


@dataclass(frozen=True)
class Moved:
    """The branch of a block, or the gate, that differs most between two surveys."""

    block: str
    branch: str
    other: float  # its mean in the other survey
    here: float
    half: float  # of the 95 % interval of the difference
    probability: float  # that so much differs by chance, corrected for all columns together

    @property
    def difference(self) -> float:
        return self.here - self.other


@dataclass(frozen=True)
class Drift:
    """What two surveys say beside each other."""

    compared: tuple[ByClass, ...]  # of `SURVEYS`, column by column
    moved: tuple[Moved, ...]  # the surest first
    accuracy: tuple[Accuracy | None, Accuracy | None]  # of the other survey, and of this
    both: int  # pictures that are in both, of the rows looked at
    changed: int  # of these, those of which another class is likeliest now


def drift(here: Rows, other: Rows) -> Drift:
    """This survey beside another. Raises ChoiceError where they have no column of shares or gates alike."""
    branches = here.about["branches"]
    alike = [
        name
        for name in here.gates
        if name in other.columns and branches.get(name) == other.about["branches"].get(name)
    ]
    if not alike or min(len(here), len(other)) < 2:
        raise ChoiceError("The two surveys have no blocks alike; compare surveys of the same model.")
    columns = {
        name: np.concatenate([np.asarray(rows.columns[name]) for rows in (other, here)]) for name in alike
    }
    named = {"label": [OTHER] * len(other) + [THIS] * len(here)}
    _, compared = by_class(Rows({"branches": branches}, {**named, **columns}))
    moved = sorted(map(most_moved, compared), key=lambda one: (one.probability, -abs(one.difference)))
    return Drift(compared, tuple(moved), (accuracy(other), accuracy(here)), *agreed(here, other))


def most_moved(one: ByClass) -> Moved:
    means, errors = one.compared.means, one.compared.errors
    branch = int(np.argmax(abs(means[1] - means[0])))
    half = Z * float(np.sqrt((errors[:, branch] ** 2).sum()))
    before, now = (float(values[branch]) for values in means)
    return Moved(one.compared.block, one.branches[branch], before, now, half, one.probability)


def agreed(here: Rows, other: Rows) -> tuple[int, int]:
    """How many pictures are in both, by their digests, and of how many another class is likeliest.

    None counts where the two know other classes, or where one tells no digests, as those that come along.
    """
    told = [dict(zip(rows.columns.get("digest", ()), rows.predicted, strict=False)) for rows in (other, here)]
    before, now = told if here.about["labels"] == other.about["labels"] else ({}, {})
    both = before.keys() & now.keys()
    return len(both), sum(before[one] != now[one] for one in both)
