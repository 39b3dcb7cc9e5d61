"""What every part of the Explorer stands on: the models, the passes, the locks, and what is remembered."""

import hashlib
from collections.abc import Callable, Hashable, Iterator
from pathlib import Path
from threading import Lock
from typing import TypeVar

import torch
from PIL import Image
from torch import Tensor

from explorer.capture import Run, run
from explorer.engine.cache import Remembered
from explorer.engine.device import choose_device, choose_threads
from explorer.engine.model_store import Loaded, Models, labels_of
from explorer.errors import ChoiceError, NoPictureError
from explorer.pictures import Geometry, open_picture, to_image
from explorer.predictions import chosen_class
from explorer.reweighting.branch_weights import blended_probes
from explorer.reweighting.interventions import Intervention, edits

SINGLE = "A single block classifies nothing: there is nothing to predict and nothing to attribute."
T = TypeVar("T")
Picture = Image.Image | str | Path | bytes


class Asking:
    """Loads models and runs them on pictures; answers are computed once, by one thread at a time."""

    def __init__(
        self, device: str = "auto", *, models_bytes: int = 1_000_000_000, runs_bytes: int = 400_000_000
    ) -> None:
        self.device = choose_device(device)
        torch.set_num_threads(choose_threads())
        self.models = Models(self.device, models_bytes)
        self._runs: Remembered[Run] = Remembered(runs_bytes, lambda found: found.bytes)

    def load(self, model: str, weights: str | Path | None = None) -> Loaded:
        """The model, in memory; weights that are not on this computer yet are fetched."""
        return self.models.load(model, weights)

    def labels(self, model: str, weights: str | Path | None = None) -> tuple[str, ...]:
        """Names of the classes, without loading anything."""
        return labels_of(model, weights)

    def image(
        self, model: str, picture: Picture | None, weights: str | Path | None = None
    ) -> tuple[Tensor, Geometry]:
        """The image `[1, 3, h, w]` this model sees of a picture, and where it lies in the picture."""
        if picture is None:
            raise NoPictureError
        return to_image(open_picture(picture), self.load(model, weights).preprocess)

    def digest(self, picture: Picture) -> str:
        """A short name for the content of a picture."""
        return hashlib.blake2b(open_picture(picture).tobytes(), digest_size=12).hexdigest()

    def _seen(
        self, model: str, picture: Picture | None, weights: str | Path | None, *others: Hashable
    ) -> tuple[Loaded, Tensor, tuple]:
        """The model, the image it sees, and the key of what is asked about both, which `others` completes."""
        loaded = self.load(model, weights)
        image, _ = self.image(model, picture, weights)
        return loaded, image, (loaded.card.name, loaded.weights, digest(image), *others)

    def _once(self, kept: Remembered[T], key: Hashable, loaded: Loaded, compute: Callable[[], T]) -> T:
        """The remembered answer, or the one computed now; hooks belong to the model: callers take turns."""
        if (known := kept.get(key)) is not None:
            return known
        with loaded.lock:
            known = kept.get(key)  # another may have asked the same meanwhile
            return kept.keep(key, compute()) if known is None else known

    def _run(
        self,
        loaded: Loaded,
        image: Tensor,
        interventions: tuple[Intervention, ...] = (),
        target: int | None = None,
    ) -> Run:
        def passed() -> Run:
            changes = edits(loaded.model, interventions)
            kept = () if target is None else blended_probes(loaded.model)
            return run(loaded.model, image.to(self.device), edits=changes, target=target, gradients_at=kept)

        key = (loaded.card.name, loaded.weights, digest(image), interventions, target)
        return self._once(self._runs, key, loaded, passed)

    def target(
        self,
        model: str,
        picture: Picture | None,
        weights: str | Path | None = None,
        target: int | None = None,
    ) -> int:
        """The class to explain: the one asked for, or the likeliest."""
        loaded, image, _ = self._seen(model, picture, weights)
        return self._class(loaded, image, target)

    def _class(self, loaded: Loaded, image: Tensor, target: int | None) -> int:
        if not loaded.labels:
            raise ChoiceError(SINGLE)
        return chosen_class(self._run(loaded, image).logits, loaded.labels, target)


def locked(lock: Lock, parts: Iterator[T]) -> Iterator[T]:
    """The parts of a long work, the lock held while one is made, so that others are served in between."""
    while True:
        with lock:
            part = next(parts, None)
        if part is None:
            return
        yield part


def digest(image: Tensor) -> str:
    """A short name for the content of an image."""
    return hashlib.blake2b(image.cpu().numpy().tobytes(), digest_size=12).hexdigest()
