"""Attributions on request: maps as they refine, score cards, relevance, and whether a method applies."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from torch import Tensor, nn

from explorer.attribution.applicability import Verdict, preflight
from explorer.attribution.faithfulness import Subject
from explorer.attribution.ground_truth import cause_of
from explorer.attribution.options import DEFAULTS, Options
from explorer.attribution.registry import METHODS
from explorer.attribution.running import Attribution, attributions
from explorer.attribution.score_card import ScoreCard, score_card
from explorer.capture import probes, run
from explorer.engine.engine import Engine
from explorer.engine.model_input import ModelInput
from explorer.engine.model_store import Loaded
from explorer.engine.others_errors import told_in_a_sentence
from explorer.engine.zero_gpu import DEVICE, is_lent, lent, seconds_there
from explorer.errors import ChoiceError, NoMapError
from explorer.features.ranking import relevance
from models.registry import Preprocess

Asked = Mapping[str, Any]  # by the names `attributions` has for it
UNTRAINED = "The weights are random: this shows an untrained model, not what it could learn."


@dataclass(frozen=True, kw_only=True)
class Question:
    """Which method explains which class, and how."""

    method: str
    target: int | None = None  # None is the likeliest class
    options: Options = DEFAULTS


class AttributionService:
    """Explains one class of one picture."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def run(self, subject: ModelInput, question: Question) -> Iterator[Attribution]:
        """Partial attributions, each better than the last; the last is whole and is remembered."""
        named, target = self.named(subject, question)
        verdict = self.applicable(subject.loaded, question.method)
        apart, seconds = subject.apart, self.seconds_there(subject, question)
        yield from self.engine.stream(
            apart, ("map", named), lambda: parts(apart, question, target, verdict, seconds)
        )

    def score_card(self, subject: ModelInput, question: Question) -> Iterator[ScoreCard]:
        """How far a map can be trusted, part by part; the finished card is remembered."""
        named, target = self.named(subject, question)
        self.applicable(subject.loaded, question.method)

        def cards() -> Iterator[ScoreCard]:
            loaded = subject.loaded.apart
            explained = Subject(
                loaded.model, subject.placed, loaded.preprocess, question.method, target, question.options
            )
            return score_card(explained, cause_of(subject.digest, subject.geometry))

        yield from self.engine.stream(subject.apart, ("score card", named), cards)

    def relevance(self, subject: ModelInput, target: int | None = None) -> Mapping[str, np.ndarray]:
        """What each channel `[c]` of each map does for a class, see `explorer.features.ranking.relevance`."""
        index = self.engine.class_of(subject, target)
        model = subject.apart.loaded.model

        def measured() -> Mapping[str, np.ndarray]:
            return relevance(run(model, subject.placed, target=index, gradients_at=tuple(probes(model))))

        return self.engine.once(subject.apart, ("relevance", index), measured)

    def named(self, subject: ModelInput, question: Question) -> tuple[Question, int]:
        """The question about classes that are there, and the number of the explained; raises ChoiceError."""
        if question.options.against is not None:
            self.engine.class_of(subject, question.options.against)
        target = self.engine.class_of(subject, question.target)
        return replace(question, target=target), target

    def applicable(self, loaded: Loaded, method: str) -> Verdict:
        """What to think of a method on a model; raises ChoiceError where it means nothing."""
        verdict = self.verdict(loaded, method)
        if verdict.level == "meaningless":
            raise ChoiceError(verdict.reason)
        return verdict

    def verdict(self, loaded: Loaded, method: str) -> Verdict:
        """Whether a method means anything on a model; tried once and remembered."""

        apart = loaded.apart

        def tried() -> Verdict:
            try:
                with told_in_a_sentence(apart):
                    return preflight(apart.model, apart.preprocess, method, self.engine.device)
            except NoMapError as error:
                return Verdict(method, "meaningless", error.reason)

        return self.engine.once_for_model(apart, ("verdict", method), tried)

    def seconds_there(self, subject: ModelInput, question: Question) -> int | None:
        """For how long to ask for a GPU that is lent; None without one, and where the CPU does."""
        if not is_lent() or self.knows(subject, question):
            return None
        evaluations = METHODS[question.method].evaluations(question.options)
        return seconds_there(evaluations * self.engine.pass_seconds(subject))

    def knows(self, subject: ModelInput, question: Question) -> bool:
        """Whether `run` would answer at once."""
        return self.engine.knows(subject, ("map", self.named(subject, question)[0]))


def parts(
    subject: ModelInput, question: Question, target: int, verdict: Verdict, seconds: int | None = None
) -> Iterator[Attribution]:
    """The parts of a map, each with what must be said of it; made on a lent GPU where `seconds` are told."""
    loaded = subject.loaded
    untrained = "" if loaded.is_trained else UNTRAINED
    told = {"method": question.method, "target": target, "label": loaded.labels[target]}
    asked: Asked = {**told, "options": question.options}
    about = loaded.model, subject.placed, loaded.preprocess
    made = attributions(*about, **asked) if seconds is None else made_there(seconds, *about, asked)
    for part in made:
        yield replace(part, warning=part.warning or verdict.reason or untrained or None)


@lent
def made_there(
    seconds: int, model: nn.Module, image: Tensor, preprocess: Preprocess, asked: Asked
) -> Iterator[Attribution]:
    """Attributions within so many seconds, by a process that has a GPU and the model to itself."""
    yield from attributions(model.to(DEVICE), image.to(DEVICE), preprocess, **asked)
