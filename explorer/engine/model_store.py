"""Loaded models: each in memory once, with what its weights want to see and a lock of its own."""

from dataclasses import replace
from pathlib import Path
from threading import Lock

import torch
from torch import nn

from explorer.any_model.elsewhere import fetched, is_elsewhere, is_here
from explorer.engine.cache import Cache, about_to_compute
from explorer.engine.limits import Limits
from explorer.engine.loaded import RANDOM, Loaded
from explorer.engine.turns import Turns
from explorer.engine.twins import quickly_laid_out, twin_of
from explorer.engine.uploads import GONE, is_upload, new_name, read_labels, refuse_file
from explorer.errors import ChoiceError
from models import card, create
from models.blocks import BlockError
from models.counted import parameters
from models.registry import ASSETS, ModelCard, Preprocess, UnknownModelError, known_as, preprocess_of
from models.sizes import SizeError
from models.sources import Progress, silent
from models.weights import WeightsError

HERE = Limits()


class ModelStore:
    """The models used last, as long as the cache keeps them. Safe to share between threads."""

    def __init__(self, device: torch.device, cache: Cache, limits: Limits = HERE) -> None:
        self.device = device
        self.cache = cache
        self.limits = limits
        self._loading = Lock()  # one model at a time, so that memory is short only once
        self._joining = Lock()
        self._long = Turns()  # half of the cores for all long work, the other half for what is quick

    def load(self, model: str, weights: str | Path | None = None) -> Loaded:
        """The model, in memory; the same one whatever the size of its image.

        Weights that are not on this computer yet are fetched; `fetch` does so with progress.
        """
        if not self.holds(model, str(weights)):
            about_to_compute()
        self.join(model)
        found = named(model)
        chosen = default_weights(found) if weights is None else str(weights)
        if is_upload(chosen):
            return self.uploaded(found, chosen)
        self.limits.refuse_path(found, chosen, (RANDOM, *found.weights))
        if found.own is None:  # else it is in memory already
            self.refuse_costly(found.name)
        base = found.name.partition("@")[0]
        if chosen in found.weights and not found.weights[chosen].source.here():
            self.fetch(model, chosen)  # before the lock, so that nobody waits for the network
        key = "model", base, chosen
        loaded = self.cache.once(key, lambda: self._loaded(named(base), chosen), self._loading)
        if found.name == loaded.card.name:
            return loaded
        return replace(loaded, card=found, preprocess=self.preprocess(found.name, chosen))

    def upload(self, model: str, file: Path, labels: Path | None = None) -> str:
        """Read weights that somebody brought along; gives the name to load them by, which nobody can guess.

        labels: a file with a name of a class in every line; None for the usual names. Raises ChoiceError for
        what does not fit. They are kept as long as the cache has room, or until `forget`.
        """
        found = named(named(model).name.partition("@")[0])
        self.refuse_costly(found.name)
        refuse_file(file, parameters(found.name))
        names = labels_in(found.labels) if labels is None else read_labels(labels, found)
        try:
            made = create(found.name, file)
            preprocess = preprocess_of(found, str(file))
        except WeightsError as error:
            raise ChoiceError(str(error)) from error
        loaded = self._in_memory(found, new_name(), made, preprocess, names)
        self.cache.keep(("model", found.name, loaded.weights), loaded)
        return loaded.weights

    def uploaded(self, found: ModelCard, name: str) -> Loaded:
        """Weights that were uploaded for this model, by their name."""
        loaded = self.cache.get(("model", found.name.partition("@")[0], name))
        if not isinstance(loaded, Loaded):
            raise ChoiceError(GONE)
        self.refuse_costly(found.name)
        if found == loaded.card:
            return loaded
        seen = replace(loaded.preprocess, size=found.preprocess.size, width=found.preprocess.width)
        return replace(loaded, card=found, preprocess=seen)

    def forget(self, name: str) -> None:
        """Free uploaded weights, and whatever was computed with them."""
        if is_upload(name):
            self.cache.forget(name)

    def refuse_costly(self, model: str) -> None:
        """Raises ChoiceError for a model that cannot be, or that this machine cannot hold or finish."""
        self.join(model)
        found = named(model)
        self.cache.once(("affordable", found.name), lambda: self.limits.refuse_costly(found))

    def join(self, model: str) -> None:
        """Let `module:function`, or a model of the Hub, be known by that name.

        Raises ChoiceError where strangers are served: a name must not run code of its choice.
        """
        if is_elsewhere(model) and not is_here(model):
            self.limits.refuse_elsewhere(model)
            with self._joining:
                if not is_here(model):
                    fetched(model)

    def preprocess(self, model: str, weights: str | Path | None = None) -> Preprocess:
        """What the weights want to see, without loading the model; a file is read for it once."""
        found = named(model)
        chosen = default_weights(found) if weights is None else str(weights)
        if is_upload(chosen):
            return self.uploaded(found, chosen).preprocess
        self.limits.refuse_path(found, chosen, (RANDOM, *found.weights))
        key, known = ("preprocess", found.name, chosen), chosen == RANDOM
        return self.cache.once(key, lambda: found.preprocess if known else preprocess_of(found, chosen))

    def holds(self, model: str, weights: str) -> bool:
        """Whether the model is in memory."""
        return self.cache.get(("model", model.partition("@")[0], weights)) is not None

    def _loaded(self, found: ModelCard, weights: str) -> Loaded:
        try:
            model = create(found.name, None if weights == RANDOM else weights)
            preprocess = self.preprocess(found.name, weights)
        except WeightsError as error:
            raise ChoiceError(str(error)) from error
        return self._in_memory(found, weights, model, preprocess, self.labels(found.name, weights))

    def _in_memory(
        self,
        found: ModelCard,
        weights: str,
        model: nn.Module,
        preprocess: Preprocess,
        labels: tuple[str, ...],
    ) -> Loaded:
        if found.own:  # somebody else's: not changed, and perhaps nothing that can be copied
            return Loaded(found, weights, model, preprocess, labels, model, self._long)
        model = quickly_laid_out(model.to(self.device).requires_grad_(False))
        return Loaded(found, weights, model, preprocess, labels, twin_of(model), self._long)

    def labels(self, model: str, weights: str | Path | None = None) -> tuple[str, ...]:
        """Names of the classes, without loading anything; a path of a stranger's is not looked at."""
        self.join(model)
        found = named(model)
        if is_upload(str(weights)):
            return self.uploaded(found, str(weights)).labels
        if found.classes:
            return found.classes
        listed = found.weights.get(str(weights)) if self.limits.hosted else known_as(found, str(weights))
        return labels_in(listed.labels if listed else found.labels)

    def fetch(self, model: str, weights: str, progress: Progress = silent) -> None:
        """Bring weights a card lists to this computer; an exception out of `progress` stops it."""
        listed = named(model).weights.get(weights)
        if listed is None:
            raise ChoiceError(f"{model} has no weights called {weights!r} to fetch.")
        try:
            listed.source.fetch(progress)
        except WeightsError as error:
            raise ChoiceError(str(error)) from error


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
    try:
        return tuple((ASSETS / "labels" / f"{name}.txt").read_text("utf-8").splitlines())
    except (OSError, ValueError) as error:
        raise ChoiceError(f"The names of the classes of {name} are missing or damaged.") from error


def default_weights(found: ModelCard) -> str:
    if found.usual:
        return found.usual
    if found.weights:
        return next(iter(found.weights))
    raise ChoiceError(
        f"{found.name} comes without trained weights; choose 'random' to look at it untrained, "
        "or give the path of a checkpoint."
    )
