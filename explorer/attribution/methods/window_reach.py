"""How far a window of the picture is felt at the maps of a network that looks around places only so far.

From map to map: what changed in one of them is felt in some places of the next.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from explorer.engine.twins import is_ours
from explorer.mixing.fields_between import fields_between
from models.layers import DropPath, LayerScale, PlaceNorm
from models.probe import Kind, Probe, Role

LARGEST = 1 / 2  # of a map: a crop that is worth its while
# What computes a place from those around it and from nothing else.
LOCAL = (
    *(nn.Conv2d, nn.BatchNorm2d, PlaceNorm, LayerScale),
    *(nn.GELU, nn.SiLU, nn.ReLU, nn.ReLU6, nn.Identity, DropPath),
)


class Axis(NamedTuple):
    """What the places of a map see along one axis of the map before it, all lengths in places of that one.

    Place p sees from `stride * p - before` to `stride * (p + 1) + after`.
    """

    side: int  # of the map before
    stride: int
    before: int
    after: int

    @property
    def places(self) -> int:
        return self.side // self.stride

    def felt(self, window: slice) -> slice:
        """The places that see any of a window."""
        first = (window.start - self.after) // self.stride
        end = -(-(window.stop + self.before) // self.stride)
        return slice(max(0, first), min(self.places, end))

    def under(self, places: slice) -> slice:
        """What lies under places, and not what they see around it."""
        return slice(places.start * self.stride, places.stop * self.stride)

    def crop_for(self, longest: int) -> int:
        """Places of a crop in which so many that feel something are as in the whole map."""
        around = -(-self.before // self.stride) - (-self.after // self.stride)
        return min(self.places, around + longest)

    def crop(self, felt: slice, places: int) -> slice:
        """Where a crop of so many places lies, for what is felt; at an edge it ends where the map does."""
        first = felt.start - -(-self.before // self.stride)
        start = min(max(0, first), self.places - places)
        return slice(start, start + places)


class Window(NamedTuple):
    """Rows and columns, of a picture or of a map."""

    rows: slice
    columns: slice

    def within(self, other: "Window") -> "Window":
        """What of it lies in another; perhaps nothing."""
        return Window(*(shared(*both) for both in zip(self, other, strict=True)))

    def counted_from(self, other: "Window") -> tuple[slice, slice]:
        """The same rows and columns, counted from where another begins."""
        rows, columns = (
            slice(own.start - its.start, own.stop - its.start) for own, its in zip(self, other, strict=True)
        )
        return rows, columns


def shared(one: slice, other: slice) -> slice:
    """What two slices have in common; an empty one where that is nothing."""
    start = max(one.start, other.start)
    return slice(start, max(start, min(one.stop, other.stop)))


@dataclass(frozen=True)
class Step:
    """A map that is made anew around windows, of the map before it or at first of the picture."""

    layer: str
    rows: Axis  # what its places see of the map before it
    columns: Axis
    crop: tuple[int, int]  # places, down and across; at first all of them

    @property
    def share(self) -> float:
        """How much of the map a crop is."""
        return self.crop[0] * self.crop[1] / (self.rows.places * self.columns.places)

    def for_windows(self, felt: Sequence[Window]) -> "Step":
        """The same with crops just as large as any of these needs, which are what feels a window."""
        rows, columns = (max(one.stop - one.start for one in slices) for slices in zip(*felt, strict=True))
        return replace(self, crop=(self.rows.crop_for(rows), self.columns.crop_for(columns)))

    def felt(self, window: Window) -> Window:
        """What of the map feels a window of the map before it."""
        return Window(self.rows.felt(window.rows), self.columns.felt(window.columns))

    def crop_around(self, felt: Window) -> Window:
        """The crop of this map in which what is felt is as in the whole."""
        rows, columns = self.crop
        return Window(self.rows.crop(felt.rows, rows), self.columns.crop(felt.columns, columns))

    def under(self, crop: Window) -> Window:
        """What of the map before it a crop is made of."""
        return Window(self.rows.under(crop.rows), self.columns.under(crop.columns))


all_steps: WeakKeyDictionary[nn.Module, dict[torch.Size, list[Step]]] = WeakKeyDictionary()


def window_steps(network: nn.Module, image: Tensor, windows: Sequence[Window]) -> Iterator[Step]:
    """From block to block, as long as crops around what feels a window are much smaller than the map."""
    known = all_steps.setdefault(network, {})
    if image.shape not in known:
        known[image.shape] = list(steps_of(network, image))
    for step in known[image.shape]:
        windows = [step.felt(window) for window in windows]
        cropped = step.for_windows(windows)
        if cropped.share > LARGEST:
            return
        yield cropped


def steps_of(network: nn.Module, image: Tensor) -> Iterator[Step]:
    """From each block's output to the next, until the middle place of one sees an edge."""
    layers = local_layers(network)
    fields = fields_between(network, image.shape[-2:], layers) if layers else ()
    for layer, (seen, places) in zip(layers, fields, strict=True):
        rows, columns = (axis(seen.any(dim=1 - at), places[at]) for at in range(2))
        if rows is None or columns is None:
            return
        yield Step(layer, rows, columns, places)


def local_layers(network: nn.Module) -> list[str]:
    """The outputs of blocks before which nothing looks further than convolutions do."""
    layers: list[str] = []
    for name, part in network.named_modules() if is_ours(network) else ():
        if isinstance(part, Probe) and part.kind is Kind.FEATURE_MAP:
            layers += [name] if part.role is Role.BLOCK else []
        elif not any(part.children()) and (isinstance(part, Probe) or not isinstance(part, LOCAL)):
            break
    return layers


def axis(seen: Tensor, places: int) -> Axis | None:
    """From the places before that the middle one of so many sees, bool `[side]`; None if it sees an edge."""
    (before,), side, middle = seen.nonzero(as_tuple=True), len(seen), places // 2
    first, end, stride = int(before[0]), int(before[-1]) + 1, side // places
    if side % places or first == 0 or end == side:
        return None
    return Axis(side, stride, stride * middle - first, end - stride * (middle + 1))
