"""The machinery under every question: inputs made ready, one pass at a time, answers remembered."""

from collections.abc import Callable, Hashable, Iterator
from pathlib import Path
from typing import Protocol, TypeVar, cast

import numpy as np
import torch

from explorer.capture import Run, run
from explorer.engine.cache import Cache, about_to_compute
from explorer.engine.device import choose_device, choose_threads, compute_exactly, keep_freed_memory
from explorer.engine.limits import Limits
from explorer.engine.model_input import ModelInput
from explorer.engine.model_store import Loaded, ModelStore
from explorer.engine.others_errors import told_in_a_sentence
from explorer.engine.picture_store import PictureStore, Source
from explorer.errors import ChoiceError
from explorer.pictures import cropped, geometry_of, to_image
from explorer.predictions import chosen_class
from explorer.reweighting.branch_weights import blended_probes
from explorer.reweighting.interventions import Change, edits
from models.registry import Preprocess

SINGLE = "This gives no classes: there is nothing to predict and nothing to attribute."
# Bytes for everything that is remembered, and how many times the largest of it at least. The more is
# remembered, the longer the memory of a server grows before it stays as it is.
BUDGET, LARGEST = 80_000_000, 4
WARM = 0.5  # seconds that may be spent to learn what a pass takes
T = TypeVar("T")


class Part(Protocol):
    """An answer as far as it is done."""

    @property
    def done(self) -> int: ...
    @property
    def total(self) -> int: ...


P = TypeVar("P", bound=Part)


class Engine:
    """Makes inputs ready and runs models on them; an answer is computed once, by one thread at a time.

    Safe to share between threads.
    """

    def __init__(
        self, device: str = "auto", cache: Cache | None = None, limits: Limits | None = None
    ) -> None:
        self.device = choose_device(device)
        torch.set_num_threads(choose_threads())
        keep_freed_memory()
        compute_exactly()
        self.cache = Cache(BUDGET, LARGEST) if cache is None else cache  # an empty one is false
        self.limits = limits or Limits()
        self.models = ModelStore(self.device, self.cache, self.limits)
        self.pictures = PictureStore(self.cache)

    def input(self, model: str, picture: Source | None, weights: str | Path | None = None) -> ModelInput:
        """A picture made ready for a model, as often as it is asked about."""
        loaded = self.models.load(model, weights)
        digest = self.pictures.digest(picture)

        def prepared() -> ModelInput:
            pixels = self.pictures.open(picture).pixels
            image, geometry = to_image(pixels, loaded.preprocess)
            return ModelInput(loaded, image, image.to(self.device), geometry, digest)

        return self.cache.once(("input", loaded.card.name, loaded.weights, digest), prepared)

    def cropped(self, picture: Source | None, preprocess: Preprocess) -> np.ndarray:
        """The part of a picture a model sees, at the picture's own resolution, uint8 `[h, w, 3]`."""

        def cut() -> np.ndarray:
            pixels = self.pictures.open(picture).pixels
            return cropped(pixels, geometry_of(pixels.size, preprocess).box)

        return self.cache.once(("cropped", self.pictures.digest(picture), preprocess), cut)

    def once(self, subject: ModelInput, question: Hashable, compute: Callable[[], T]) -> T:
        """The remembered answer to a question about an input, or the one computed now, holding the model."""
        with told_in_a_sentence(subject.loaded):
            return self.cache.once((question, subject.key), compute, subject.loaded.lock)

    def once_for_model(self, loaded: Loaded, question: Hashable, compute: Callable[[], T]) -> T:
        """The same for a question about a model alone."""
        key = question, (loaded.card.name, loaded.weights)
        with told_in_a_sentence(loaded):
            return self.cache.once(key, compute, loaded.lock)

    def stream(
        self, subject: ModelInput, question: Hashable, parts: Callable[[], Iterator[P]]
    ) -> Iterator[P]:
        """The remembered answer, or parts of it as they come, of which the whole one is remembered.

        subject: apart, as this is long work. Its lock is held while a part is made, so that others are served
            in between. Whoever stops asking has stopped the work.
        """
        key = question, subject.key
        known = self.cache.get(key)
        if known is not None:
            yield cast(P, known)
            return
        about_to_compute()
        for part in locked(subject.loaded, parts()):
            if part.done == part.total:
                self.cache.keep(key, part)
            yield part

    def knows(self, subject: ModelInput, question: Hashable) -> bool:
        """Whether the answer to a question is remembered."""
        return self.cache.get((question, subject.key)) is not None

    def run(
        self, subject: ModelInput, interventions: tuple[Change, ...] = (), target: int | None = None
    ) -> Run:
        """One pass with every probe; with a target, also the gradient of its logit at what blocks blend."""
        model = subject.loaded.model

        def passed() -> Run:
            kept = () if target is None else blended_probes(model)
            changes = edits(model, interventions)
            return run(model, subject.placed, edits=changes, target=target, gradients_at=kept)

        return self.once(subject, ("run", interventions, target), passed)

    def knows_run(self, model: str, picture: Source | None, weights: str) -> bool:
        """Whether the plain pass of a picture is remembered, so that to ask for it takes no time."""
        if not self.models.holds(model, weights):
            return False
        subject = self.input(model, picture, weights)
        return self.knows(subject, ("run", (), None))

    def pass_seconds(self, subject: ModelInput) -> float:
        """What a pass takes here once the model is warm; to tell what longer work will take."""
        first = self.run(subject)

        def again() -> float:
            taken = [run(subject.loaded.model, subject.placed).seconds]
            while len(taken) < 3 and sum(taken) < WARM:  # the computer may be busy with something else
                taken.append(run(subject.loaded.model, subject.placed).seconds)
            return min(taken)

        return min(first.seconds, self.once_for_model(subject.loaded, "seconds", again))

    def class_of(self, subject: ModelInput, target: int | None) -> int:
        """The class to explain: the one asked for, or the likeliest."""
        if not subject.loaded.labels:
            raise ChoiceError(SINGLE)
        return chosen_class(self.run(subject).logits, subject.loaded.labels, target)


def locked(loaded: Loaded, parts: Iterator[T]) -> Iterator[T]:
    """The parts of a long work, the lock held while one is made, so that others are served in between."""
    while True:
        with loaded.lock, told_in_a_sentence(loaded):
            part = next(parts, None)
        if part is None:
            return
        yield part
