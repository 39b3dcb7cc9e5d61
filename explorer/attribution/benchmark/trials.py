"""What a protocol asks of a method: maps of some pictures, and a number for them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor, nn

from explorer.attribution.options import Options
from explorer.attribution.running import attributions
from models.registry import Preprocess

Maps = Sequence[np.ndarray]  # [h, w] each, at the method's own resolution
Explain = Callable[[nn.Module, Tensor, int], np.ndarray]  # model, image [1, 3, h, w], class -> map [h, w]


@dataclass(frozen=True, eq=False)
class Question:
    """One map that is asked for: of a class `target` of an `image` `[1, 3, h, w]` by a model."""

    model: nn.Module
    image: Tensor
    target: int


@dataclass(frozen=True, eq=False)
class Trial:
    """Some maps, most often one, and what they score; None where they say nothing."""

    questions: tuple[Question, ...]
    score: Callable[[Maps], float | None]
    truth: tuple[np.ndarray, ...] = ()  # True [h, w] on what tells each question's class, where that is known

    def scored(self, maps: Maps) -> float | None:
        """The score; what is no number in a map counts as nothing."""
        return self.score([np.nan_to_num(one, posinf=0.0, neginf=0.0) for one in maps])


def explaining(method: str, preprocess: Preprocess, options: Options) -> Explain:
    """A method of the registry as a function of model, image and class."""

    def explain(model: nn.Module, image: Tensor, target: int) -> np.ndarray:
        *_, whole = attributions(model, image, preprocess, method=method, target=target, options=options)
        return whole.values

    return explain
