"""The part of the Explorer that traces what moves what: receptive fields, and what feels a pixel."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from explorer.capture import probes
from explorer.engine.cache import Remembered
from explorer.engine.engine import Asking, Picture
from explorer.mixing.receptive_field import EffectiveField, Felt, averaged, effective_field, felt, square_at
from explorer.mixing.theoretical_field import theoretical_field
from models.probe import Kind


class TracingFields(Asking):
    """What `explorer.explorer.Explorer` answers about receptive fields."""

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self._fields: Remembered[EffectiveField] = Remembered(40_000_000, lambda found: found.energy.nbytes)
        self._reachable: Remembered[np.ndarray] = Remembered(20_000_000, lambda found: found.nbytes)
        self._felt: Remembered[Felt] = Remembered(10_000_000, lambda found: 2 * found.change.nbytes)

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
        loaded, image, key = self._seen(model, picture, weights, layer, place, channel)

        def measured() -> EffectiveField:
            return effective_field(loaded.model, image.to(self.device), layer, place, channel)

        return self._once(self._fields, key, loaded, measured)

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

        def reached() -> np.ndarray:
            return theoretical_field(loaded.model, loaded.preprocess.shape, layer, place, channel).numpy()

        return self._once(self._reachable, (loaded.card.name, layer, place, channel), loaded, reached)

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
        loaded, image, key = self._seen(model, picture, weights, layer, square, channel)

        def measured() -> Felt:
            pixels = square_at(loaded.preprocess.shape, *square)
            return felt(loaded.model, image.to(self.device), loaded.preprocess, layer, pixels, channel)

        return self._once(self._felt, key, loaded, measured)

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
