"""What of a source is still to be done, and its parts: units that anybody can do, in any order.

Pictures number 32 k to 32 k + 31 of the source share a pass, and so do those of a unit, whoever does it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from explorer.errors import ExplorerError
from explorer.survey.parts import About, Names
from explorer.survey.sources import Item

PASS = 32  # pictures that share a pass
PART = 8  # passes that are written together
CHANGED = "The source has changed since this survey began; begin another one."


@dataclass(frozen=True)
class Unit:
    """Pictures that follow each other in the source."""

    start: int  # place of the first in the source
    items: Sequence[Item]
    names: str  # a digest of all names up to the last of these

    @property
    def stop(self) -> int:
        return self.start + len(self.items)

    @property
    def numbered(self) -> Iterator[tuple[int, Item]]:
        return enumerate(self.items, self.start)


class Coming:
    """The pictures of a source that no part on the disk tells of, each with its place; gone over once.

    Raises ExplorerError where those that are done are not what they were.
    """

    def __init__(self, found: Iterator[Item], there: Sequence[About]) -> None:
        self.found = found
        self.there = list(there)
        self.names = Names()
        self.digests: dict[int, str] = {}  # of all names up to the end of a pass that is not written yet

    def __iter__(self) -> Iterator[tuple[int, Item]]:
        there, count = iter(self.there), 0
        part = next(there, None)
        for index, item in enumerate(self.found):
            self.names.add(item.name)
            count = index + 1
            if part is None or index < part.start:
                if count % PASS == 0:
                    self.digests[count] = self.names.digest
                yield index, item
            elif count == part.stop:
                self.compare(part)
                part = next(there, None)
        if part is not None:
            raise ExplorerError(CHANGED)
        self.digests[count] = self.names.digest

    def compare(self, part: About) -> None:
        if part.names != self.names.digest:
            raise ExplorerError(CHANGED)

    def digest(self, stop: int) -> str:
        """Of all names up to a place where a pass ends; those before it are forgotten."""
        found = self.digests[stop]
        self.digests = {place: digest for place, digest in self.digests.items() if place > stop}
        return found


def in_units(coming: Coming, most: int) -> Iterator[Unit]:
    """All that is to be done, `most` passes at a time."""
    held: list[Item] = []
    start = 0
    for index, item in coming:
        if held and (index > start + len(held) or index % (most * PASS) == 0):
            yield Unit(start, held, coming.digest(start + len(held)))
            held = []
        start = start if held else index
        held = [*held, item]
    if held:
        yield Unit(start, held, coming.digest(start + len(held)))
