"""What passed a probe is kept as it is while a pass runs; its axes are named when somebody reads it."""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from models.probe import Later, Probe

Parts = Tensor | list[Tensor]
Read = Callable[[Parts], Tensor]  # what was kept -> the same in the axes of its kind


@dataclass(frozen=True, eq=False)
class Unread:
    """A tensor that nobody has read yet, as the model made it, or what it is computed from."""

    held: Parts
    read: Read
    more: int = 0  # bytes that reading it takes beside those held

    @cached_property
    def value(self) -> Tensor:
        """In the axes of its kind; a view where the layout allows one."""
        with torch.no_grad():
            return self.read(self.held)

    @property
    def storages(self) -> dict[int, int]:
        """Bytes of the memory that is held, by where it lies."""
        parts = [self.held] if isinstance(self.held, Tensor) else self.held
        return {one.data_ptr(): one.nbytes() for one in (part.untyped_storage() for part in parts)}


def known(value: Tensor) -> Unread:
    """A tensor whose axes are those of its kind already."""
    return Unread(value, lambda held: held if isinstance(held, Tensor) else torch.stack(held))


Heard = tuple[Probe, Parts | Later | Unread]  # a probe and what passed it


def made_when_read(later: Later, read: Read) -> Unread:
    return Unread(later.parts, lambda held: read(later.make(list(held))), later.size)


def kept(heard: Heard) -> Unread:
    """What passed a probe, as it stood there, on the CPU."""
    probe, passed = heard
    if isinstance(passed, Later):
        passed = made_when_read(passed, probe.canonical)
    if isinstance(passed, Unread):
        return Unread(apart(passed.held), passed.read, passed.more)
    copied = 0 if isinstance(passed, Tensor) else sum(one.nbytes for one in passed)
    return Unread(apart(passed), probe.canonical, copied)


@contextmanager
def reading(probes: Collection[Probe], hear: Callable[[Heard], object]) -> Iterator[None]:
    """Be told what passes probes for the length of a `with` block.

    `hear` should do little: between layers everything takes a multiple of its time.
    """
    try:
        for probe in probes:
            vars(probe)["reader"] = hear
        yield
    finally:
        for probe in probes:
            vars(probe).pop("reader", None)


@dataclass(frozen=True, eq=False)
class Reading:
    """Hands what is met in a pass to whoever reads a probe, and changes nothing."""

    probe: Probe
    read: Read
    copied: bool = False  # the model writes into it later

    def __call__(self, value: Tensor) -> None:
        if self.probe.reader is not None:
            self.probe.reader((self.probe, Unread(value.clone() if self.copied else value, self.read)))

    def later(self, later: Later) -> None:
        """Hand over what it would be made of."""
        if self.probe.reader is not None:
            self.probe.reader((self.probe, made_when_read(later, self.read)))


def apart(value: Parts) -> Parts:
    """The same numbers on the CPU, without the graph they were made in."""
    if isinstance(value, list):
        return [alone(one) for one in value]
    return alone(value)


def alone(value: Tensor) -> Tensor:
    """The tensor itself where it is on the CPU and has no graph; asking is cheaper than a new view of it."""
    return value.detach().cpu() if value.requires_grad or not value.is_cpu else value
