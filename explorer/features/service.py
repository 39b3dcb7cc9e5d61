"""The part of the Explorer that compares backbones."""

from collections.abc import Iterator
from pathlib import Path

import torch

from explorer.engine.cache import Remembered
from explorer.engine.engine import Asking, Picture
from explorer.features.block_costs import Costs, measured
from explorer.features.comparison import Likeness, likeness


class Comparing(Asking):
    """What `explorer.explorer.Explorer` answers about several backbones."""

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self._likeness: Remembered[Likeness] = Remembered(5_000_000, lambda found: 2 * found.values.nbytes)
        self._costs: Remembered[Costs] = Remembered(200, lambda _: 1)

    def likeness(
        self, picture: Picture | None, first: tuple[str, str | None], second: tuple[str, str | None]
    ) -> Likeness:
        """Linear CKA between all layers of two backbones, each given as (model, weights)."""
        pair = [self._seen(model, picture, weights) for model, weights in (first, second)]
        key = tuple(name for _, _, name in pair)
        runs = [self._run(loaded, image) for loaded, image, _ in pair]
        return self._likeness.get(key) or self._likeness.keep(key, likeness(*runs, (first[0], second[0])))

    def knows_costs(self, model: str) -> bool:
        """Whether the costs of a backbone are remembered."""
        return self._costs.get(model) is not None

    def costs(
        self, model: str, weights: str | Path | None = None, *, anew: bool = False
    ) -> Iterator[Costs | None]:
        """What every block costs; `None` after each measured pass until the last, which is remembered.

        anew: measure once more, as the computer may have been busy.
        """
        loaded = self.load(model, weights)
        found = self._costs.get(loaded.card.name)
        if found is not None and not anew:
            yield found
            return
        image = torch.zeros(1, 3, *loaded.preprocess.shape, device=self.device)
        for found in measured(loaded, image):
            if found is not None:
                self._costs.keep(loaded.card.name, found)
            yield found
