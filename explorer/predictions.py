"""What a model says a picture is."""

from dataclasses import dataclass

from torch import Tensor

from explorer.errors import ChoiceError


@dataclass(frozen=True)
class Prediction:
    """One class: its place in the logits, its name, its softmax probability and its logit."""

    index: int
    label: str
    probability: float
    logit: float


def predictions(logits: Tensor, labels: tuple[str, ...], most: int = 5) -> tuple[Prediction, ...]:
    """The likeliest classes of `logits` `[1, classes]`, likeliest first."""
    probabilities = logits[0].softmax(dim=0)
    order = probabilities.argsort(descending=True, stable=True)[:most].tolist()
    return tuple(Prediction(i, labels[i], float(probabilities[i]), float(logits[0, i])) for i in order)


def chosen_class(logits: Tensor, labels: tuple[str, ...], target: int | None) -> int:
    """The class to explain: the one asked for, or the likeliest."""
    if target is None:
        return int(logits[0].argmax())
    if not 0 <= target < len(labels):
        raise ChoiceError(f"The classes are numbered 0 to {len(labels) - 1}; there is no class {target}.")
    return int(target)
