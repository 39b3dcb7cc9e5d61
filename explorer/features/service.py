"""Comparisons on request: how alike the layers of two backbones are, and what each block costs."""

from collections.abc import Iterator
from typing import cast

import torch

from explorer.engine.engine import Engine
from explorer.engine.model_input import ModelInput
from explorer.engine.model_store import Loaded
from explorer.engine.others_errors import each_in_a_sentence
from explorer.features.block_costs import Costs, measured
from explorer.features.comparison import Likeness, likeness


class ComparisonService:
    """Compares backbones."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def likeness(self, first: ModelInput, second: ModelInput) -> Likeness:
        """Linear CKA between all layers of two backbones that look at one picture."""
        runs = self.engine.run(first), self.engine.run(second)
        names = first.loaded.card.name, second.loaded.card.name
        return self.engine.cache.once(("likeness", first.key, second.key), lambda: likeness(*runs, names))

    def knows_costs(self, model: str, weights: str | None = None) -> bool:
        """Whether the costs of a backbone are remembered, at the size its weights see."""
        shape = self.engine.models.preprocess(model, weights).shape
        return self.engine.cache.get(("costs", model, shape)) is not None

    def costs(self, loaded: Loaded, *, anew: bool = False) -> Iterator[Costs | None]:
        """What every block costs; `None` after each measured pass until the last, which is remembered.

        anew: measure once more, as the computer may have been busy.
        """
        key = "costs", loaded.card.name, loaded.preprocess.shape
        known = None if anew else self.engine.cache.get(key)
        if known is not None:
            yield cast(Costs, known)
            return
        image = torch.zeros(1, 3, *loaded.preprocess.shape, device=self.engine.device)
        for found in each_in_a_sentence(loaded, measured(loaded.apart, image)):
            if found is not None:
                self.engine.cache.keep(key, found)
            yield found
