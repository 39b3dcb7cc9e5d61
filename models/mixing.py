"""How modules that mix places say so themselves: by learned weights between places, or by moving channels.

A module that mixes by weights has a method `mixing_matrices()`, one that moves or convolves channels a
method `mixing_steps()`; attention is seen by its probe, see `models.probe.Kind`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol, runtime_checkable

from einops import rearrange
from torch import Tensor, nn


class Between(Enum):
    """What a matrix has weights between. The value names its axes, in the order readers receive them."""

    LINES = "to source s t"  # from channel t of one row or column to channel s of another
    UNITS = "unit h w"  # between every place and a hidden unit


@dataclass(frozen=True)
class MixingMatrix:
    """Learned weights over places, the same for every picture."""

    name: str
    between: Between
    weight: Tensor  # `[out, in]`, the parameter itself
    pattern: str  # einops pattern of its own axes
    sizes: Mapping[str, int] = field(default_factory=dict)  # lengths of axes the pattern cannot infer

    @property
    def canonical(self) -> Tensor:
        """The weights in the axes of `between`, on the CPU."""
        return rearrange(self.weight.detach().cpu(), f"{self.pattern} -> {self.between.value}", **self.sizes)


@dataclass(frozen=True)
class MixingStep:
    """Something done to a map, whose effect on places can be measured by impulses."""

    name: str
    run: Callable[[Tensor], Tensor]
    axes: str  # of what it takes and gives, "b h w c" or "b c h w"
    channels: int
    # Where it stands in its block, for those that want to see or replace what it does; steps that stand side
    # by side take a part each of what one module puts out, and give an item each of a list.
    takes_from: nn.Module | None = None
    gives_to: nn.Module | None = None


@runtime_checkable
class HasMatrices(Protocol):
    def mixing_matrices(self) -> tuple[MixingMatrix, ...]: ...


@runtime_checkable
class HasSteps(Protocol):
    def mixing_steps(self) -> tuple[MixingStep, ...]: ...
