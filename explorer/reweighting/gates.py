"""Gates other than shares of branches: how far each is open for a picture, which of its channels are closed.

A channel gate multiplies every channel of a map by one number, a modulation by one number a place; attention
says how much each place takes from the others. Everything here is a function of a `Run`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from einops import rearrange

from explorer.capture import Run, module_of
from explorer.errors import ChoiceError
from models.probe import Kind

CLOSED = 0.05  # what lets less than this through is called closed
KINDS: Mapping[Kind, str] = MappingProxyType(
    {Kind.CHANNEL_GATE: "channel gates", Kind.MODULATION: "modulations", Kind.ATTENTION: "attention"}
)


@dataclass(frozen=True)
class Gate:
    """One gate for one picture."""

    name: str  # of its probe, as changes name it
    kind: Kind  # one of KINDS
    values: np.ndarray  # [channels], [h, w, channels], or of attention [heads, queries, keys]

    @property
    def module(self) -> str:
        """What decides the gate."""
        return module_of(self.name)

    @property
    def has_places(self) -> bool:
        """Whether it says something else at each place, and not one number a channel."""
        return self.kind is Kind.ATTENTION or self.values[..., 0].size > 1

    @property
    def channels(self) -> int:
        """How many channels it has, or heads."""
        return len(self.values) if self.kind is Kind.ATTENTION else self.values.shape[-1]

    @property
    def size(self) -> np.ndarray:
        """How far each channel is open `[channels]`, the root mean square over its places.

        Of attention how sharply each head looks: the largest share of a query, averaged over the queries.
        """
        if self.kind is Kind.ATTENTION:
            return self.values.max(axis=2).mean(axis=1)
        return np.sqrt((rearrange(self.values, "... c -> c (...)") ** 2).mean(axis=1))

    @property
    def mean(self) -> float:
        return float(self.values.mean())

    @property
    def closed(self) -> tuple[int, ...]:
        """The channels that let less than `CLOSED` through, wherever it is."""
        return tuple(np.flatnonzero(self.size < CLOSED).tolist())

    def histogram(self, bins: int = 20) -> tuple[np.ndarray, float, float]:
        """Parts of the values in equal bins `[bins]`, and their ends: 0 and 1 unless values go beyond."""
        low, high = min(0.0, float(self.values.min())), max(1.0, float(self.values.max()))
        counts, _ = np.histogram(self.values, bins=bins, range=(low, high))
        return counts / self.values.size, low, high

    def order(self, by: str, usual: np.ndarray | None = None) -> np.ndarray:
        """Channels by "openness", or by "deviation" from what is usual, most first; else by number."""
        if by == "openness":
            return np.argsort(-self.size, kind="stable")
        if by == "deviation" and usual is not None:
            return np.argsort(-np.abs(self.size - usual), kind="stable")
        return np.arange(self.channels)


def gates(run: Run, *kinds: Kind) -> tuple[Gate, ...]:
    """The gates of some kinds, or of all, in the order of the pass; none for a model without."""
    return tuple(
        Gate(found.name, found.kind, values_of(found.value, found.kind))
        for found in run.activations.values()
        if found.kind in (kinds or KINDS)
    )


def values_of(value, kind: Kind) -> np.ndarray:
    """Of the only picture; attentions of several parts of a map count as heads of one."""
    if kind is Kind.ATTENTION:
        return rearrange(value, "b heads q k -> (b heads) q k").numpy()
    return value[0].numpy()


def gate_of(found: Sequence[Gate], name: str) -> Gate:
    for gate in found:
        if gate.name == name:
            return gate
    known = ", ".join(gate.name for gate in found)
    raise ChoiceError(f"There is no gate {name!r}; there are {known or 'none'}.")


@dataclass(frozen=True)
class Usual:
    """How far the channels of one gate are open over several pictures."""

    name: str
    low: np.ndarray  # [channels], the least of any picture
    mean: np.ndarray  # [channels]
    high: np.ndarray  # [channels], the most of any picture
    pictures: int

    @property
    def always_closed(self) -> tuple[int, ...]:
        """The channels that are closed for every picture."""
        return tuple(np.flatnonzero(self.high < CLOSED).tolist())


def usual(pictures: Sequence[Sequence[Gate]]) -> tuple[Usual, ...]:
    """Gate by gate, over the gates of several pictures of one model."""
    made = []
    for alike in zip(*pictures, strict=True):
        sizes = np.stack([gate.size for gate in alike])
        made.append(
            Usual(alike[0].name, sizes.min(axis=0), sizes.mean(axis=0), sizes.max(axis=0), len(alike))
        )
    return tuple(made)
