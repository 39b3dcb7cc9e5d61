"""What passed a probe is kept as it is while a pass runs; its axes are named when somebody reads it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor

from models.probe import Probe

Parts = Tensor | list[Tensor]
Read = Callable[[Parts], Tensor]  # what was kept -> the same in the axes of its kind


@dataclass(frozen=True, eq=False)
class Unread:
    """A tensor on the CPU that nobody has read yet, as the model made it, or what it is computed from."""

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


class Heard(NamedTuple):
    """What passed a probe, as it stood there."""

    name: str  # of the probe
    passed: Parts
    read: Read
    more: int  # bytes that reading it takes beside those held

    @property
    def kept(self) -> Unread:
        return Unread(apart(self.passed), self.read, self.more)


class Reader:
    """A forward hook that changes nothing, and does little: between layers everything takes a multiple."""

    def __init__(self, name: str, hear: Callable[[Heard], object]) -> None:
        self.name = name
        self.hear = hear

    def __call__(self, probe: Probe, _args: tuple, value: Parts) -> None:
        copied = 0 if isinstance(value, Tensor) else sum(one.nbytes for one in value)
        self.hear(Heard(self.name, value, probe.canonical, copied))

    def take(self, value: Parts, read: Read, more: int = 0) -> None:
        self.hear(Heard(self.name, value, read, more))


class ReadApart(Probe):
    """A probe past which nothing has to be led where somebody only reads."""

    reader: Reader | None = None


@contextmanager
def reading(readers: Mapping[Probe, Reader]) -> Iterator[None]:
    """Let probes be read for the length of a `with` block."""
    hooks = []
    try:
        for probe, reader in readers.items():
            if isinstance(probe, ReadApart):
                vars(probe)["reader"] = reader
            else:
                hooks.append(probe.register_forward_hook(reader))
        yield
    finally:
        for probe in readers:
            vars(probe).pop("reader", None)
        for hook in hooks:
            hook.remove()


@dataclass(frozen=True, eq=False)
class Reading:
    """Hands what is met in a pass to whoever reads a probe, and changes nothing."""

    probe: ReadApart
    read: Read
    copied: bool = False  # the model writes into it later

    def __call__(self, value: Tensor) -> None:
        if self.probe.reader is not None:
            self.probe.reader.take(value.clone() if self.copied else value, self.read)

    def later(self, parts: list[Tensor], make: Callable[[list[Tensor]], Tensor], size: int) -> None:
        """Hand over what it would be made of; `size` is how many bytes that gives."""
        if self.probe.reader is not None:
            self.probe.reader.take(parts, lambda held: self.read(make(list(held))), size)


def apart(value: Parts) -> Parts:
    """The same numbers on the CPU, without the graph they were made in."""
    return value.detach().cpu() if isinstance(value, Tensor) else [one.detach().cpu() for one in value]
