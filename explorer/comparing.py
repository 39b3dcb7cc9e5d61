"""The part of the Explorer that compares backbones."""

from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from explorer.block_costs import Costs, measured
from explorer.capture import Run
from explorer.comparison import Likeness, likeness
from explorer.explaining import Picture, digest
from explorer.loading import Loaded
from explorer.memory import Remembered
from explorer.pictures import Geometry


class Comparing:
    """What `explorer.session.Explorer` answers about several backbones; it brings the models and the runs."""

    device: torch.device

    def __init__(self) -> None:
        super().__init__()
        self._likeness: Remembered[Likeness] = Remembered(5_000_000, lambda found: 2 * found.values.nbytes)
        self._costs: Remembered[Costs] = Remembered(200, lambda _: 1)

    def load(self, model: str, weights: str | Path | None = None) -> Loaded:
        raise NotImplementedError

    def image(
        self, model: str, picture: Picture | None, weights: str | Path | None = None
    ) -> tuple[Tensor, Geometry]:
        raise NotImplementedError

    def _run(self, loaded: Loaded, image: Tensor) -> Run:
        raise NotImplementedError

    def likeness(
        self, picture: Picture | None, first: tuple[str, str | None], second: tuple[str, str | None]
    ) -> Likeness:
        """Linear CKA between all layers of two backbones, each given as (model, weights)."""
        pair = [(self.load(*one), self.image(one[0], picture, one[1])[0]) for one in (first, second)]
        key = tuple((loaded.card.name, loaded.weights, digest(image)) for loaded, image in pair)
        runs = [self._run(loaded, image) for loaded, image in pair]
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
