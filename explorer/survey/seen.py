"""A survey as the page looks at it: rows in memory, what they say together, and small copies of pictures."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

import numpy as np

from explorer.engine.cache import bytes_of
from explorer.survey import found, odd
from explorer.survey.found import ByClass, Rows

QUICKLY = {"shuffles": 9, "resampled": 100}  # while pictures are coming
SEED = 0


@dataclass(frozen=True)
class Seen:
    """Rows of a survey, as far as it has gone."""

    rows: Rows
    done: int  # pictures met
    total: int
    small: Mapping[int, bytes] = field(default_factory=lambda: MappingProxyType({}))  # JPEG by index

    @property
    def is_whole(self) -> bool:
        return self.done == self.total

    @property
    def bytes(self) -> int:
        texts = 100 * 2 * len(self.rows)
        return texts + bytes_of(dict(self.rows.columns)) + sum(map(len, self.small.values()))

    @cached_property
    def by_class(self) -> tuple[list[str], tuple[ByClass, ...]]:
        """As in a report; with fewer shuffles while pictures are coming, so that no probability is told."""
        if not len(self.rows):
            return [], ()
        return found.by_class(self.rows, SEED, **({} if self.is_whole else QUICKLY))

    @cached_property
    def unusual(self) -> np.ndarray | None:
        """How odd each picture is `[n]`; None where nothing tells."""
        known = {"foreignness", "embedding"} & self.rows.columns.keys()
        return odd.unusual(self.rows) if known and len(self.rows) > 1 else None

    def pairs(self, most: int) -> list[tuple[int, int, float]]:
        """The pictures nearest to each other; none where features are not there."""
        there = "embedding" in self.rows.columns and len(self.rows) > 1
        return odd.pairs(self.rows, most) if there else []
