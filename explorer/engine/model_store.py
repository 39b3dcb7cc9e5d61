"""Loaded models: each in memory once, with what its weights want to see and a lock of its own."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock

import torch
from torch import nn

from explorer.any_model.adding import is_added
from explorer.any_model.elsewhere import fetched, is_elsewhere
from explorer.engine.cache import Cache
from explorer.engine.limits import Limits
from explorer.errors import ChoiceError
from models import card, create
from models.blocks import BlockError
from models.registry import ASSETS, ModelCard, Preprocess, UnknownModelError, preprocess_of
from models.sizes import SizeError
from models.sources import Progress, silent
from models.weights import WeightsError

RANDOM = "random"
HERE = Limits()


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


class ModelStore:
    """The models used last, as long as the cache keeps them. Safe to share between threads."""

    def __init__(self, device: torch.device, cache: Cache, limits: Limits = HERE) -> None:
        self.device = device
        self.cache = cache
        self.limits = limits
        self._loading = Lock()  # one model at a time, so that memory is short only once

    def load(self, model: str, weights: str | Path | None = None) -> Loaded:
        """The model, in memory; the same one whatever the size of its image.

        Weights that are not on this computer yet are fetched; `fetch` does so with progress.
        """
        self.join(model)
        found = named(model)
        chosen = default_weights(found) if weights is None else str(weights)
        self.limits.refuse_path(found, chosen, (RANDOM, *found.weights))
        if found.own is None:  # else it is in memory already
            self.cache.once(("affordable", found.name), lambda: self.limits.refuse_costly(found))
        base = found.name.partition("@")[0]
        if chosen in found.weights and not found.weights[chosen].source.here():
            self.fetch(model, chosen)  # before the lock, so that nobody waits for the network
        key = "model", base, chosen
        loaded = self.cache.once(key, lambda: self._loaded(named(base), chosen), self._loading)
        if found.name == loaded.card.name:
            return loaded
        return replace(loaded, card=found, preprocess=self.preprocess(found.name, chosen))

    def join(self, model: str) -> None:
        """Let `module:function`, or a model of the Hub, be known by that name.

        Raises ChoiceError where strangers are served: a name must not run code of its choice.
        """
        if is_elsewhere(model) and not is_added(model):
            self.limits.refuse_elsewhere(model)
            with self._loading:
                fetched(model)

    def preprocess(self, model: str, weights: str | Path | None = None) -> Preprocess:
        """What the weights want to see, without loading the model; a file is read for it once."""
        found = named(model)
        chosen = default_weights(found) if weights is None else str(weights)
        self.limits.refuse_path(found, chosen, (RANDOM, *found.weights))
        return self.cache.once(("preprocess", found.name, chosen), lambda: prepared(found, chosen))

    def holds(self, model: str, weights: str) -> bool:
        """Whether the model is in memory."""
        return self.cache.get(("model", model.partition("@")[0], weights)) is not None

    def _loaded(self, found: ModelCard, weights: str) -> Loaded:
        try:
            model = create(found.name, None if weights == RANDOM else weights).to(self.device)
            preprocess = self.preprocess(found.name, weights)
        except WeightsError as error:
            raise ChoiceError(str(error)) from error
        labels = labels_of(found.name, weights)
        kept = model if found.own else model.requires_grad_(False)
        return Loaded(found, weights, kept, preprocess, labels)

    def fetch(self, model: str, weights: str, progress: Progress = silent) -> None:
        """Bring weights a card lists to this computer; an exception out of `progress` stops it."""
        listed = named(model).weights.get(weights)
        if listed is None:
            raise ChoiceError(f"{model} has no weights called {weights!r} to fetch.")
        try:
            listed.source.fetch(progress)
        except WeightsError as error:
            raise ChoiceError(str(error)) from error


def labels_of(model: str, weights: str | Path | None = None) -> tuple[str, ...]:
    """Names of the classes, without loading anything."""
    found = named(model)
    if found.classes:
        return found.classes
    listed = found.weights.get(str(weights))
    return labels_in(listed.labels if listed else found.labels)


def named(model: str) -> ModelCard:
    """The card of a backbone, at another size if it says so, or of a single block."""
    try:
        return card(model)
    except (UnknownModelError, BlockError, SizeError) as error:
        raise ChoiceError(str(error)) from error


def labels_in(name: str) -> tuple[str, ...]:
    """The class names of a file in assets/labels; none for what does not classify."""
    if not name:
        return ()
    return tuple((ASSETS / "labels" / f"{name}.txt").read_text("utf-8").splitlines())


def default_weights(found: ModelCard) -> str:
    if found.usual:
        return found.usual
    if found.weights:
        return next(iter(found.weights))
    raise ChoiceError(
        f"{found.name} comes without trained weights; choose 'random' to look at it untrained, "
        "or give the path of a checkpoint."
    )


def prepared(found: ModelCard, weights: str) -> Preprocess:
    return preprocess_of(found, weights) if weights != RANDOM else found.preprocess
