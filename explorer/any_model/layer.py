"""A layer: what a run of a module puts out, or a sum inside it that one of its parts is given."""

from collections.abc import Iterator
from dataclasses import dataclass

from explorer.any_model.places import Place
from explorer.any_model.watch import Ran
from models.probe import Role


@dataclass(frozen=True)
class Layer:
    """A module whose output is a layer, or that holds one."""

    module: str
    role: Role
    made: int  # after how many calls of the pass
    shape: tuple[int, ...]  # of the layer, the batch first
    given: int | None = None  # the origin of that
    part: int | None = None  # which of the maps it is, where several are put out
    taken: Place | None = None  # of a sum: where a part is given it
    summed: Place | None = None  # and where it is added up, which is where it can be changed

    @property
    def place(self) -> Place:
        return self.taken or Place(self.module, part=self.part)

    @property
    def name(self) -> str:
        """Of its probe."""
        kind = "mixed" if self.summed else "output"
        return f"{self.module}.{kind}" + ("" if self.part is None else f"_{self.part + 1}")


def put_out(run: Ran, role: Role, known: set[int | None]) -> Iterator[Layer]:
    """The layer a run puts out, and maps of other shapes that it alone puts out beside it."""
    yield Layer(run.name, role, run.ended, run.shape, run.given)
    for one in run.others:
        if one.given not in known:
            known.add(one.given)
            yield Layer(run.name, role, run.ended, one.shape, one.given, one.number)
