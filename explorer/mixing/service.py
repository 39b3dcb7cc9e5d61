"""Mixing on request: receptive fields, what a pixel reaches, and where shifted channels come from."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from explorer.capture import probes
from explorer.engine.engine import Engine
from explorer.engine.model_input import ModelInput
from explorer.engine.model_store import Loaded
from explorer.engine.others_errors import told_in_a_sentence
from explorer.mixing.mixers import mixer_by_shifts
from explorer.mixing.receptive_field import (
    EffectiveField,
    SensitivityMap,
    averaged,
    effective_field,
    sensitivity_map,
    square_at,
)
from explorer.mixing.shift_impulses import Impulses, impulses
from explorer.mixing.theoretical_field import theoretical_field
from models.probe import Kind, Probe, Role


class MixingService:
    """Traces what moves what."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def effective_field(
        self,
        subject: ModelInput,
        layer: str,
        place: tuple[int, int],
        channel: int | None = None,
        most: int | None = None,
    ) -> EffectiveField:
        """Which pixels move a place (row, column) of a layer, measured on this picture."""
        apart, question = subject.apart, ("effective field", layer, place, channel, most)
        model, image = apart.loaded.model, apart.placed
        return self.engine.once(
            apart, question, lambda: effective_field(model, image, layer, place, channel, most)
        )

    def average_field(
        self, subjects: Sequence[ModelInput], layer: str, place: tuple[int, int], channel: int | None = None
    ) -> Iterator[EffectiveField]:
        """The same averaged over pictures: the mean so far after each of them."""
        return averaged(self.effective_field(subject, layer, place, channel) for subject in subjects)

    def theoretical_field(
        self, loaded: Loaded, layer: str, place: tuple[int, int], channel: int | None = None
    ) -> np.ndarray:
        """Which pixels can move a place by the architecture, whatever the weights: bool `[h, w]`."""

        apart = loaded.apart

        def reached() -> np.ndarray:
            return theoretical_field(apart.model, apart.preprocess.shape, layer, place, channel).numpy()

        key = "theoretical field", loaded.card.name, layer, place, channel
        with told_in_a_sentence(apart):
            return self.engine.cache.once(key, reached, apart.lock)

    def sensitivity_map(
        self, subject: ModelInput, layer: str, square: tuple[int, int], channel: int | None = None
    ) -> SensitivityMap:
        """Which places of a layer a square (row, column) of the image moves, see `square_at`."""
        loaded = subject.loaded.apart

        def measured() -> SensitivityMap:
            pixels = square_at(loaded.preprocess.shape, *square)
            return sensitivity_map(loaded.model, subject.placed, loaded.preprocess, layer, pixels, channel)

        return self.engine.once(subject.apart, ("sensitivity map", layer, square, channel), measured)

    def shifts(self, loaded: Loaded, block: str) -> tuple[Impulses, ...]:
        """From where every channel gets its values in the steps of a block, measured once with impulses."""
        apart = loaded.apart
        steps = mixer_by_shifts(apart.model, block).mixing_steps()
        return self.engine.once_for_model(apart, ("shifts", block), lambda: tuple(map(impulses, steps)))

    def depth(self, loaded: Loaded, most: int = 8) -> tuple[str, ...]:
        """Some layers that tell the way of a picture: what the stem and the blocks put out."""
        return spread(probes(loaded.model, Kind.FEATURE_MAP), most)


def spread(maps: Mapping[str, Probe], most: int) -> tuple[str, ...]:
    """Up to `most` of what patches and blocks put out, at even distances; where there are few maps, all."""
    outputs = [name for name, probe in maps.items() if probe.role in (Role.PATCHES, Role.BLOCK)]
    found = list(maps) if len(maps) <= most else outputs
    chosen = np.linspace(0, len(found) - 1, min(most, len(found))).round().astype(int)
    return tuple(found[index] for index in chosen.tolist())
