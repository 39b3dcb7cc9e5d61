"""What passed a probe is kept as it is while a pass runs; its axes are named when somebody reads it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

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


class Reader:
    """A forward hook that changes nothing; what it hears is kept without a copy.

    Where all hooks of a found probe are of this kind, nothing has to pass it: `explorer.any_model.places`
    hands over what is met, with how to read it.
    """

    def __init__(self, keep: Callable[[Unread], None]) -> None:
        self.keep = keep

    def __call__(self, probe, _args: tuple, value: Parts) -> None:
        self.take(value, probe.canonical)

    def take(self, value: Parts, read: Read, more: int = 0) -> None:
        self.keep(Unread(apart(value), read, more))


@dataclass(frozen=True, eq=False)
class Reading:
    """Hands what is met to a reader and changes nothing."""

    reader: Reader
    read: Read
    copied: bool = False  # the model writes into it later

    def __call__(self, value: Tensor) -> None:
        self.reader.take(value.clone() if self.copied else value, self.read)

    def later(self, parts: list[Tensor], make: Callable[[list[Tensor]], Tensor], size: int) -> None:
        """Hand over what it would be made of; `size` is how many bytes that gives."""
        self.reader.take(parts, lambda held: self.read(make(list(held))), size)


def apart(value: Parts) -> Parts:
    """The same numbers on the CPU, without the graph they were made in."""
    return value.detach().cpu() if isinstance(value, Tensor) else [one.detach().cpu() for one in value]
