"""A layer, and those that one run of a module puts out."""

from collections.abc import Iterator
from dataclasses import dataclass

from explorer.any_model.places import Place
from explorer.any_model.watch import Ran
from models.probe import Role


@dataclass(frozen=True)
class Layer:
    """A module whose output is a layer."""

    module: str
    role: Role
    shape: tuple[int, ...]  # of what it puts out, the batch first
    given: int | None = None  # the origin of that
    part: int | None = None  # which of the maps it is, where several are put out

    @property
    def place(self) -> Place:
        return Place(self.module, part=self.part)


def put_out(run: Ran, role: Role, known: set[int | None]) -> Iterator[Layer]:
    """The layer a run puts out, and maps of other shapes that it alone puts out beside it."""
    yield Layer(run.name, role, run.shape, run.given)
    for one in run.others:
        if one.given not in known:
            known.add(one.given)
            yield Layer(run.name, role, one.shape, one.given, one.number)
