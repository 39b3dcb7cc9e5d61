"""Branch weights and gates on request: what each is worth, and how a model usually blends."""

from collections.abc import Hashable, Iterator, Sequence
from functools import partial
from typing import cast

from explorer.attribution.baselines import baseline_of
from explorer.engine.engine import Engine
from explorer.engine.model_input import ModelInput
from explorer.engine.model_store import Loaded
from explorer.reweighting.ablation import KnockOut, knock_out
from explorer.reweighting.branch_weights import branch_weights
from explorer.reweighting.gate_attribution import EXPLAINED, GateAttribution, gate_attribution
from explorer.reweighting.gate_effects import GateEffects, UsualGates, gate_effects, usual_gates
from explorer.reweighting.gates import KINDS
from explorer.reweighting.reference_shares import SharesSoFar, Typical, shipped, so_far, typical
from models.probe import Kind


class ReweightingService:
    """Takes shares and gates away, and knows what is usual."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def ablation(
        self, subject: ModelInput, target: int | None = None, mode: str = "removed"
    ) -> Iterator[KnockOut]:
        """The knock-out table, one row more each time."""
        index = self.engine.class_of(subject, target)
        loaded = subject.loaded.apart

        def rows() -> Iterator[KnockOut]:
            baseline = baseline_of(subject.placed, loaded.preprocess, "black")
            return knock_out(loaded.model, subject.placed, target=index, mode=mode, baseline=baseline)

        yield from self.engine.stream(subject.apart, ("ablation", mode, index), rows)

    def gate_effects(
        self, subject: ModelInput, target: int | None = None, kinds: tuple[Kind, ...] = tuple(KINDS)
    ) -> Iterator[GateEffects]:
        """What gates of some kinds, or of all, are worth to a class: one row more each time."""
        index, model = self.engine.class_of(subject, target), subject.loaded.apart.model

        def rows() -> Iterator[GateEffects]:
            return gate_effects(model, subject.placed, target=index, kinds=kinds)

        yield from self.engine.stream(subject.apart, ("gate effects", index, kinds), rows)

    def gate_attribution(
        self,
        subject: ModelInput,
        target: int | None = None,
        path: str = "integrated",
        kinds: tuple[Kind, ...] = EXPLAINED,
    ) -> Iterator[GateAttribution]:
        """What gates and branches of some kinds account for in a logit: one gate more each time."""
        index, model = self.engine.class_of(subject, target), subject.loaded.apart.model

        def rows() -> Iterator[GateAttribution]:
            return gate_attribution(model, subject.placed, target=index, path=path, kinds=kinds)

        yield from self.engine.stream(subject.apart, ("gate attribution", index, path, kinds), rows)

    def usual_gates(self, subjects: Sequence[ModelInput]) -> Iterator[UsualGates]:
        """How far channel gates are open over pictures, those so far after each of them."""
        first, images = subjects[0].apart, [subject.placed for subject in subjects]
        parts = partial(usual_gates, first.loaded.model, images)
        yield from self.engine.stream(first, self.usual_question(subjects), parts)

    def knows_usual_gates(self, subjects: Sequence[ModelInput]) -> bool:
        """Whether that is remembered of these pictures."""
        return self.engine.knows(subjects[0].apart, self.usual_question(subjects))

    def usual_question(self, subjects: Sequence[ModelInput]) -> Hashable:
        return "usual gates", tuple(subject.digest for subject in subjects)

    def typical_so_far(self, subjects: Sequence[ModelInput]) -> Iterator[SharesSoFar]:
        """How the model usually blends, over the pictures so far after each of them."""
        first, images = subjects[0].apart, [subject.placed for subject in subjects]
        parts = partial(so_far, first.loaded.model, images)
        yield from self.engine.stream(first, self.typical_question(subjects), parts)

    def known_typical(self, subjects: Sequence[ModelInput]) -> tuple[Typical, ...] | None:
        """The same where it is remembered of just these pictures."""
        if not self.engine.knows(subjects[0].apart, self.typical_question(subjects)):
            return None
        return next(self.typical_so_far(subjects)).shares

    def typical_question(self, subjects: Sequence[ModelInput]) -> Hashable:
        return "typical", tuple(subject.digest for subject in subjects)

    def reference_shares(
        self, loaded: Loaded, subjects: Sequence[ModelInput] = ()
    ) -> tuple[Typical, ...] | None:
        """How the model usually blends: over pictures given now, else over those given last, else as shipped.

        None where nothing is shipped and no pictures were given; empty for a model without split attention.
        """
        key = "reference shares", loaded.card.name, loaded.weights
        if not subjects:
            known = cast(tuple[Typical, ...] | None, self.engine.cache.get(key))
            return shipped(loaded.card.name, loaded.weights) if known is None else known
        found = [branch_weights(self.engine.run(subject)) for subject in subjects]
        return self.engine.cache.keep(key, typical(found, source="pictures"))
