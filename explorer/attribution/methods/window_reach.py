"""How far a window of the picture is felt at the maps of a network that looks around places only so far."""

from dataclasses import dataclass
from typing import NamedTuple
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from explorer.capture import probes
from explorer.engine.twins import is_ours
from explorer.mixing.theoretical_field import theoretical_field, up_to
from models.layers import DropPath, LayerScale, PlaceNorm
from models.probe import Kind, Probe, Role

LARGEST = 1 / 4  # of the picture: a crop that is worth its while
# What computes a place from those around it and from nothing else.
LOCAL = (
    *(nn.Conv2d, nn.BatchNorm2d, PlaceNorm, LayerScale),
    *(nn.GELU, nn.SiLU, nn.ReLU, nn.ReLU6, nn.Identity, DropPath),
)


class Axis(NamedTuple):
    """What the places of a map see along one axis of the picture, all lengths in pixels.

    Place p sees from `stride * p - before` to `stride * (p + 1) + after`.
    """

    side: int
    stride: int
    before: int
    after: int

    @property
    def places(self) -> int:
        return self.side // self.stride

    def felt(self, window: slice) -> slice:
        """The places that see any pixel of a window."""
        first = (window.start - self.after) // self.stride
        end = -(-(window.stop + self.before) // self.stride)
        return slice(max(0, first), min(self.places, end))

    def pixels(self, places: slice) -> slice:
        return slice(places.start * self.stride, places.stop * self.stride)

    def crop_for(self, longest: int) -> int:
        """Places of a crop in which windows of that length are felt as in the whole picture."""
        around = -(-self.before // self.stride) - (-self.after // self.stride)
        felt = 1 - (-(longest + self.before + self.after) // self.stride)
        return min(self.places, around + felt)

    def crop(self, felt: slice, places: int) -> slice:
        """Where a crop of so many places lies, for what is felt; at an edge it ends where the map does."""
        first = felt.start - -(-self.before // self.stride)
        start = min(max(0, first), self.places - places)
        return slice(start, start + places)


class Window(NamedTuple):
    """Rows and columns, of pixels or of places."""

    rows: slice
    columns: slice


@dataclass(frozen=True)
class Reach:
    """The deepest map up to which crops are worth their while, and what its places see."""

    layer: str
    rows: Axis
    columns: Axis

    def share_of_crop(self, longest: int) -> float:
        """How much of the picture a crop is for windows of that length."""
        rows, columns = (axis.crop_for(longest) / axis.places for axis in (self.rows, self.columns))
        return rows * columns


reaches: WeakKeyDictionary[nn.Module, dict[tuple, Reach | None]] = WeakKeyDictionary()


def window_reach(network: nn.Module, image: Tensor, longest: int) -> Reach | None:
    """For windows with sides of at most `longest` pixels; None where no crop is worth its while."""
    known, key = reaches.setdefault(network, {}), (image.shape, longest)
    if key not in known:
        known[key] = reach_of(network, image, longest)
    return known[key]


def reach_of(network: nn.Module, image: Tensor, longest: int) -> Reach | None:
    """The deepest map that sees little enough, sought by halves: what is deeper sees no less."""
    found, layers = None, local_layers(network)
    while layers:
        middle = len(layers) // 2
        reach = seen_at(network, image, layers[middle])
        if reach is not None and reach.share_of_crop(longest) <= LARGEST:
            found, layers = reach, layers[middle + 1 :]
        else:
            layers = layers[:middle]
    return found


def local_layers(network: nn.Module) -> list[str]:
    """The outputs of blocks before which nothing looks further than convolutions do."""
    layers: list[str] = []
    for name, part in network.named_modules() if is_ours(network) else ():
        if isinstance(part, Probe) and part.kind is Kind.FEATURE_MAP:
            layers += [name] if part.role is Role.BLOCK else []
        elif not any(part.children()) and (isinstance(part, Probe) or not isinstance(part, LOCAL)):
            break
    return layers


def seen_at(network: nn.Module, image: Tensor, layer: str) -> Reach | None:
    """What each place of a layer sees, by the one in the middle; None where that one sees an edge."""
    shape = image.shape[-2], image.shape[-1]
    with torch.no_grad():
        places = up_to(lambda: network(image), probes(network)[layer], {}).shape[1:3]
    field = theoretical_field(network, shape, layer, (places[0] // 2, places[1] // 2))
    rows, columns = (axis(field.any(dim=1 - at), places[at]) for at in range(2))
    return None if rows is None or columns is None else Reach(layer, rows, columns)


def axis(seen: Tensor, places: int) -> Axis | None:
    """From the pixels that the middle of so many places sees, bool `[side]`."""
    (pixels,), side, middle = seen.nonzero(as_tuple=True), len(seen), places // 2
    first, end, stride = int(pixels[0]), int(pixels[-1]) + 1, side // places
    if side % places or first == 0 or end == side:
        return None
    return Axis(side, stride, stride * middle - first, end - stride * (middle + 1))
