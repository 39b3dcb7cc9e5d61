"""Branch weights on request: what each share is worth, and how a model usually blends."""

from collections.abc import Iterator, Sequence
from typing import cast

from explorer.attribution.baselines import baseline_of
from explorer.engine.engine import Engine
from explorer.engine.model_input import ModelInput
from explorer.engine.model_store import Loaded
from explorer.reweighting.ablation import KnockOut, knock_out
from explorer.reweighting.branch_weights import branch_weights
from explorer.reweighting.reference_shares import Typical, shipped, typical


class ReweightingService:
    """Takes shares away, and knows what is usual."""

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

    def reference_shares(
        self, loaded: Loaded, subjects: Sequence[ModelInput] = ()
    ) -> tuple[Typical, ...] | None:
        """How the model usually blends: as shipped with its weights, or over pictures given now or before.

        None where nothing is shipped and no pictures were given; empty for a model without split attention.
        """
        key = "reference shares", loaded.card.name, loaded.weights
        known = cast(tuple[Typical, ...] | None, self.engine.cache.get(key))
        if known is None and not subjects:
            known = shipped(loaded.card.name, loaded.weights)
        if known is not None or not subjects:
            return known
        found = [branch_weights(self.engine.run(subject)) for subject in subjects]
        return self.engine.cache.keep(key, typical(found, source="pictures"))
