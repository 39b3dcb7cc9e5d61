"""The part of the Explorer that explains: attributions, whether they mean anything, how far to trust them."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from torch import Tensor

from explorer.attribution.applicability import Verdict, preflight
from explorer.attribution.faithfulness import ScoreCard, Subject, score_card
from explorer.attribution.ground_truth import cause_of
from explorer.attribution.methods.case import Options
from explorer.attribution.registry import Attribution, attributions
from explorer.capture import probes, run
from explorer.engine.cache import Remembered
from explorer.engine.engine import Asking, Picture, locked
from explorer.engine.model_store import Loaded
from explorer.errors import ChoiceError
from explorer.features.ranking import relevance
from explorer.pictures import open_picture

UNTRAINED = "The weights are random: this shows an untrained model, not what it could learn."


class Explaining(Asking):
    """What `explorer.explorer.Explorer` answers about attributions."""

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self._maps: Remembered[Attribution] = Remembered(50_000_000, lambda found: found.values.nbytes)
        self._cards: Remembered[ScoreCard] = Remembered(200, lambda _: 1)
        self._relevance: Remembered[Mapping[str, np.ndarray]] = Remembered(
            10_000_000, lambda found: sum(one.nbytes for one in found.values())
        )
        self._verdicts: Remembered[Verdict] = Remembered(1_000, lambda _: 1)

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
        loaded, image, key, index = self._question(model, picture, weights, method, target, options)
        verdict = self.refuse_meaningless(model, weights, method)
        if remembered := self._maps.get(key):
            yield remembered
            return
        parts = locked(
            loaded.lock,
            attributions(
                loaded.model,
                image.to(self.device),
                loaded.preprocess,
                method=method,
                target=index,
                label=loaded.labels[index],
                options=options,
            ),
        )
        for part in parts:
            untrained = "" if loaded.is_trained else UNTRAINED
            part = replace(part, warning=part.warning or verdict.reason or untrained or None)
            if part.done == part.total:
                self._maps.keep(key, part)
            yield part

    def score_card(
        self,
        model: str,
        picture: Picture | None,
        weights: str | Path | None = None,
        *,
        method: str,
        target: int | None = None,
        options: Options = Options(),  # noqa: B008 - frozen
    ) -> Iterator[ScoreCard]:
        """How far a map can be trusted, part by part; the finished card is remembered."""
        loaded, image, key, index = self._question(model, picture, weights, method, target, options)
        self.refuse_meaningless(model, weights, method)
        if remembered := self._cards.get(key):
            yield remembered
            return
        _, geometry = self.image(model, picture, weights)
        subject = Subject(loaded.model, image.to(self.device), loaded.preprocess, method, index, options)
        cause = cause_of(open_picture(picture), geometry)
        for card in locked(loaded.lock, score_card(subject, cause)):
            if card.done == card.total:
                self._cards.keep(key, card)
            yield card

    def relevance(
        self,
        model: str,
        picture: Picture | None,
        weights: str | Path | None = None,
        *,
        target: int | None = None,
    ) -> Mapping[str, np.ndarray]:
        """What each channel `[c]` of each map does for a class, see `explorer.features.ranking.relevance`."""
        loaded, image, key, index = self._question(model, picture, weights, "relevance", target, Options())

        def measured() -> Mapping[str, np.ndarray]:
            names = tuple(probes(loaded.model))
            return relevance(run(loaded.model, image.to(self.device), target=index, gradients_at=names))

        return self._once(self._relevance, key, loaded, measured)

    def refuse_meaningless(self, model: str, weights: str | Path | None, method: str) -> Verdict:
        """What to think of a method on a model; raises ChoiceError where it means nothing."""
        verdict = self.preflight(model, weights, method)
        if verdict.level == "meaningless":
            raise ChoiceError(verdict.reason)
        return verdict

    def preflight(self, model: str, weights: str | Path | None, method: str) -> Verdict:
        """Whether a method means anything on a model; tried once and remembered."""
        loaded = self.load(model, weights)
        key = (loaded.card.name.partition("@")[0], loaded.weights, method)

        def tried() -> Verdict:
            return preflight(loaded.model, loaded.preprocess, method, self.device)

        return self._once(self._verdicts, key, loaded, tried)

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
        _, _, key, _ = self._question(model, picture, weights, method, target, options)
        return self._maps.get(key) is not None

    def _question(
        self,
        model: str,
        picture: Picture | None,
        weights: str | Path | None,
        method: str,
        target: int | None,
        options: Options,
    ) -> tuple[Loaded, Tensor, tuple, int]:
        """What is asked about: the model, the image, the name its answer is kept under, and the class."""
        loaded, image, key = self._seen(model, picture, weights, method, options)
        index = self._class(loaded, image, target)
        return loaded, image, (*key, index), index
