"""Loaded models, each with its lock, and the runs worth remembering."""

import hashlib
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock

import torch
from PIL import Image
from torch import Tensor, nn

from explorer.attribution import Attribution, attributions
from explorer.capture import Run, probes, run
from explorer.errors import ChoiceError, NoPictureError
from explorer.machine import choose_device, choose_threads
from explorer.memory import Remembered
from explorer.methods import Options
from explorer.pictures import Geometry, open_picture, to_image
from explorer.predictions import Prediction, chosen_class, predictions
from models import card, create
from models.probe import Kind
from models.registry import ASSETS, ModelCard, Preprocess, UnknownModelError
from models.weights import WeightsError

RANDOM = "random"
UNTRAINED = "The weights are random: this shows an untrained model, not what it could learn."
Picture = Image.Image | str | Path | bytes


@dataclass(frozen=True)
class Loaded:
    """A model in memory, what its weights want to see, and what its classes are called."""

    card: ModelCard
    weights: str  # a name of the card, RANDOM, or a path
    model: nn.Module
    preprocess: Preprocess
    labels: tuple[str, ...]
    lock: Lock = field(default_factory=Lock)  # hooks are state of the module: one pass at a time

    @property
    def is_trained(self) -> bool:
        return self.weights != RANDOM

    @property
    def parameters(self) -> int:
        return sum(parameter.numel() for parameter in self.model.parameters())

    @property
    def bytes(self) -> int:
        return 4 * self.parameters


class Explorer:
    """Answers questions about a model and a picture; remembers the last models, runs and attributions.

    Safe to share between threads. `weights` is a name the model's card lists, "random", or the path of a
    checkpoint; None means the first the card lists, and is refused where the card lists none.
    """

    def __init__(
        self, device: str = "auto", *, models_bytes: int = 1_000_000_000, runs_bytes: int = 400_000_000
    ) -> None:
        self.device = choose_device(device)
        torch.set_num_threads(choose_threads())
        self._loading = Lock()
        self._models: Remembered[Loaded] = Remembered(models_bytes, lambda loaded: loaded.bytes)
        self._runs: Remembered[Run] = Remembered(runs_bytes, lambda found: found.bytes)
        self._maps: Remembered[Attribution] = Remembered(50_000_000, lambda found: found.values.nbytes)

    def load(self, model: str, weights: str | Path | None = None) -> Loaded:
        found = named(model)
        chosen = default_weights(found) if weights is None else str(weights)
        with self._loading:
            known = self._models.get((model, chosen))
            return known or self._models.keep((model, chosen), self._loaded(found, chosen))

    def _loaded(self, found: ModelCard, weights: str) -> Loaded:
        try:
            model = create(found.name, None if weights == RANDOM else weights).to(self.device)
        except WeightsError as error:
            raise ChoiceError(str(error)) from error
        listed = found.weights.get(weights)
        preprocess = listed.preprocess if listed else found.preprocess
        labels = self.labels(found.name, weights)
        return Loaded(found, weights, model.requires_grad_(False), preprocess, labels)

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

    def labels(self, model: str, weights: str | Path | None = None) -> tuple[str, ...]:
        """Names of the classes, without loading anything."""
        found = named(model)
        listed = found.weights.get(str(weights))
        return labels_in(listed.labels if listed else found.labels)

    def layers(self, model: str, kind: Kind, weights: str | Path | None = None) -> tuple[str, ...]:
        """Names of the probes of a kind, in the order of the pass."""
        return tuple(probes(self.load(model, weights).model, kind))

    def inspect(self, model: str, picture: Picture | None, weights: str | Path | None = None) -> Run:
        """One forward pass with every probe; a remembered one is returned at once."""
        loaded = self.load(model, weights)
        image, _ = self.image(model, picture, weights)
        return self._run(loaded, image)

    def _run(self, loaded: Loaded, image: Tensor) -> Run:
        key = (loaded.card.name, loaded.weights, digest(image))
        if remembered := self._runs.get(key):
            return remembered
        with loaded.lock:
            return self._runs.get(key) or self._runs.keep(key, run(loaded.model, image.to(self.device)))

    def predict(
        self, model: str, picture: Picture | None, weights: str | Path | None = None, most: int = 5
    ) -> tuple[Prediction, ...]:
        return predictions(
            self.inspect(model, picture, weights).logits, self.load(model, weights).labels, most
        )

    def attribute(
        self,
        model: str,
        picture: Picture | None,
        weights: str | Path | None = None,
        *,
        method: str,
        target: int | None = None,
        options: Options = Options(),  # noqa: B008 - frozen
    ) -> Iterator[Attribution]:
        """Partial attributions, each better than the last; the last is whole and is remembered.

        The model's lock is held for one part at a time, so that others are served in between. Closing the
        iterator stops the work after the part in hand.
        """
        loaded, image, index, key = self._question(model, picture, weights, method, target, options)
        if remembered := self._maps.get(key):
            yield remembered
            return
        parts = attributions(
            loaded.model,
            image.to(self.device),
            loaded.preprocess,
            method=method,
            target=index,
            label=loaded.labels[index],
            options=options,
        )
        while True:
            with loaded.lock:
                part = next(parts, None)
            if part is None:
                return
            if not loaded.is_trained:
                part = replace(part, warning=part.warning or UNTRAINED)
            if part.done == part.total:
                self._maps.keep(key, part)
            yield part

    def remembers(
        self,
        model: str,
        picture: Picture | None,
        weights: str | Path | None = None,
        *,
        method: str,
        target: int | None = None,
        options: Options = Options(),  # noqa: B008 - frozen
    ) -> bool:
        """Whether `attribute` would answer at once."""
        return (
            self._maps.get(self._question(model, picture, weights, method, target, options)[-1]) is not None
        )

    def _question(
        self,
        model: str,
        picture: Picture | None,
        weights: str | Path | None,
        method: str,
        target: int | None,
        options: Options,
    ) -> tuple[Loaded, Tensor, int, Hashable]:
        """What is asked about: the model, the image, the class, and the name its answer is kept under."""
        loaded = self.load(model, weights)
        image, _ = self.image(model, picture, weights)
        index = chosen_class(self._run(loaded, image).logits, loaded.labels, target)
        return loaded, image, index, (model, loaded.weights, digest(image), method, index, options)


def named(model: str) -> ModelCard:
    try:
        return card(model)
    except UnknownModelError as error:
        raise ChoiceError(str(error)) from error


def labels_in(name: str) -> tuple[str, ...]:
    """The class names of a file in assets/labels."""
    return tuple((ASSETS / "labels" / f"{name}.txt").read_text("utf-8").splitlines())


def default_weights(found: ModelCard) -> str:
    if not found.weights:
        raise ChoiceError(
            f"{found.name} comes without trained weights; choose 'random' to look at it untrained, "
            "or give the path of a checkpoint."
        )
    return next(iter(found.weights))


def digest(image: Tensor) -> str:
    """A short name for the content of an image."""
    return hashlib.blake2b(image.cpu().numpy().tobytes(), digest_size=12).hexdigest()
