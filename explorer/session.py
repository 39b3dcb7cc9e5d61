"""Loaded models, each with its lock, and the runs worth remembering."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock
from typing import Generic, TypeVar

import torch
from PIL import Image
from torch import Tensor, nn

from explorer.attribution import Attribution, attributions
from explorer.capture import Run, probes, run
from explorer.errors import ChoiceError, ExplorerError, NoPictureError
from explorer.machine import choose_device, choose_threads
from explorer.methods import Options
from explorer.pictures import Geometry, open_picture, to_image
from explorer.predictions import Prediction, chosen_class, predictions
from models import card, create
from models.probe import Kind
from models.registry import ASSETS, ModelCard, Preprocess

T = TypeVar("T")
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


class Remembered(Generic[T]):
    """The values used last, up to a number of bytes; the newest is always kept."""

    def __init__(self, most_bytes: int, size: Callable[[T], int]) -> None:
        self.most_bytes = most_bytes
        self.size = size
        self.lock = Lock()
        self.values: OrderedDict[Hashable, T] = OrderedDict()

    def get(self, key: Hashable) -> T | None:
        with self.lock:
            if key in self.values:
                self.values.move_to_end(key)
            return self.values.get(key)

    def keep(self, key: Hashable, value: T) -> T:
        with self.lock:
            self.values[key] = value
            self.values.move_to_end(key)
            while len(self.values) > 1 and sum(map(self.size, self.values.values())) > self.most_bytes:
                self.values.popitem(last=False)
        return value


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
        try:
            found = card(model)
            chosen = str(weights) if weights is not None else default_weights(found)
            with self._loading:
                return self._models.get((model, chosen)) or self._models.keep((model, chosen), self._loaded(found, chosen))
        except (LookupError, ValueError) as error:  # models says in a sentence what does not fit
            if isinstance(error, ExplorerError):
                raise
            raise ChoiceError(str(error)) from error

    def _loaded(self, found: ModelCard, weights: str) -> Loaded:
        model = create(found.name, None if weights == RANDOM else weights).to(self.device)
        listed = found.weights.get(weights)
        preprocess = listed.preprocess if listed else found.preprocess
        labels = (ASSETS / "labels" / f"{listed.labels if listed else found.labels}.txt").read_text("utf-8")
        return Loaded(found, weights, model.requires_grad_(False), preprocess, tuple(labels.splitlines()))

    def image(self, model: str, picture: Picture | None, weights: str | Path | None = None) -> tuple[Tensor, Geometry]:
        """The image `[1, 3, h, w]` this model sees of a picture, and where it lies in the picture."""
        if picture is None:
            raise NoPictureError
        return to_image(open_picture(picture), self.load(model, weights).preprocess)

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
        with loaded.lock:
            return self._runs.get(key) or self._runs.keep(key, run(loaded.model, image.to(self.device)))

    def predict(self, model: str, picture: Picture | None, weights: str | Path | None = None, most: int = 5) -> tuple[Prediction, ...]:
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
        loaded = self.load(model, weights)
        image, _ = self.image(model, picture, weights)
        found = self._run(loaded, image)
        index = chosen_class(found.logits, loaded.labels, target)
        key = (model, loaded.weights, digest(image), method, index, options)
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
