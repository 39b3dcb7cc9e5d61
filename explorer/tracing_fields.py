"""The part of the Explorer that traces what moves what: receptive fields, and what feels a pixel."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from explorer.capture import probes
from explorer.explaining import Picture, digest
from explorer.loading import Loaded
from explorer.memory import Remembered
from explorer.pictures import Geometry
from explorer.reachable import theoretical_field
from explorer.receptive_field import EffectiveField, Felt, averaged, effective_field, felt, square_at
from models.probe import Kind


class TracingFields:
    """What `explorer.session.Explorer` answers about receptive fields; it brings models and images."""

    device: torch.device

    def __init__(self) -> None:
        super().__init__()
        self._fields: Remembered[EffectiveField] = Remembered(40_000_000, lambda found: found.energy.nbytes)
        self._reachable: Remembered[np.ndarray] = Remembered(20_000_000, lambda found: found.nbytes)
        self._felt: Remembered[Felt] = Remembered(10_000_000, lambda found: 2 * found.change.nbytes)

    def load(self, model: str, weights: str | Path | None = None) -> Loaded:
        raise NotImplementedError

    def image(
        self, model: str, picture: Picture | None, weights: str | Path | None = None
    ) -> tuple[Tensor, Geometry]:
        raise NotImplementedError

    def effective_field(
        self,
        model: str,
        picture: Picture | None,
        weights: str | Path | None = None,
        *,
        layer: str,
        place: tuple[int, int],
        channel: int | None = None,
    ) -> EffectiveField:
        """Which pixels move a place (row, column) of a layer, measured on this picture."""
        loaded = self.load(model, weights)
        image, _ = self.image(model, picture, weights)
        key = (loaded.card.name, loaded.weights, digest(image), layer, place, channel)
        if remembered := self._fields.get(key):
            return remembered
        with loaded.lock:
            found = effective_field(loaded.model, image.to(self.device), layer, place, channel)
        return self._fields.keep(key, found)

    def average_field(
        self,
        model: str,
        pictures: Sequence[Picture],
        weights: str | Path | None = None,
        *,
        layer: str,
        place: tuple[int, int],
        channel: int | None = None,
    ) -> Iterator[EffectiveField]:
        """The same averaged over pictures: the mean so far after each of them."""
        asked = {"layer": layer, "place": place, "channel": channel}
        return averaged(self.effective_field(model, picture, weights, **asked) for picture in pictures)

    def theoretical_field(
        self,
        model: str,
        weights: str | Path | None = None,
        *,
        layer: str,
        place: tuple[int, int],
        channel: int | None = None,
    ) -> np.ndarray:
        """Which pixels can move a place by the architecture, whatever the weights: bool `[h, w]`."""
        loaded = self.load(model, weights)
        key = (loaded.card.name, layer, place, channel)
        if (remembered := self._reachable.get(key)) is not None:
            return remembered
        with loaded.lock:
            found = theoretical_field(loaded.model, loaded.preprocess.shape, layer, place, channel)
        return self._reachable.keep(key, found.numpy())

    def felt(
        self,
        model: str,
        picture: Picture | None,
        weights: str | Path | None = None,
        *,
        layer: str,
        square: tuple[int, int],
        channel: int | None = None,
    ) -> Felt:
        """Which places of a layer feel a square (row, column) of the image, see `receptive_field.squares`."""
        loaded = self.load(model, weights)
        image, _ = self.image(model, picture, weights)
        key = (loaded.card.name, loaded.weights, digest(image), layer, square, channel)
        if remembered := self._felt.get(key):
            return remembered
        pixels = square_at(loaded.preprocess.shape, *square)
        with loaded.lock:
            found = felt(loaded.model, image.to(self.device), loaded.preprocess, layer, pixels, channel)
        return self._felt.keep(key, found)

    def depth(self, model: str, weights: str | Path | None = None, most: int = 8) -> tuple[str, ...]:
        """Some layers that tell the way of a picture: what the stem and the blocks put out."""
        maps = list(probes(self.load(model, weights).model, Kind.FEATURE_MAP))
        return spread(maps, most)


def spread(maps: Sequence[str], most: int) -> tuple[str, ...]:
    """Up to `most` of the maps that end a block, at even distances; where there are few maps, all."""
    ends = [name for name in maps if name.endswith("output")]
    found = list(maps) if len(maps) <= most else [name for name in ends if not encloses(name, ends)]
    chosen = np.linspace(0, len(found) - 1, min(most, len(found))).round().astype(int)
    return tuple(found[index] for index in chosen.tolist())


def encloses(name: str, ends: Sequence[str]) -> bool:
    """Whether this is the map of the last block again, under the name of the stage around it."""
    around = name.removesuffix("output")
    return any(other != name and other.startswith(around) for other in ends)
