"""How well a map finds a cause that is known."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate


@dataclass(frozen=True)
class Cause:
    """Where on the image the true cause of a picture is, and the class it is the cause of."""

    places: np.ndarray  # True [h, w] on it
    label: str


@dataclass(frozen=True)
class Localisation:
    """How well a map finds a cause that is known."""

    pointing: float  # chance that a place of the largest value lies on the cause
    mass: float  # share of the positive values that lies on it
    rank_accuracy: float  # of as many places as the cause has, the share of the largest that lie on it


def enlarged(values: np.ndarray, image: Tensor) -> Tensor:
    """The map at the size of the image `[h, w]`, each value as large as its place."""
    shown = torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32)).to(image.device)
    return interpolate(shown[None, None], size=image.shape[-2:], mode="nearest")[0, 0]


def localised(values: np.ndarray, cause: np.ndarray) -> Localisation:
    """How much of a map lies on a cause `[h, w]`, at the resolution of the cause.

    Where many places share a value, as the pixels of one cell of a coarse map do, none of them is preferred:
    what is told is the expected share.
    """
    shown = enlarged(values, torch.zeros(1, 1, *cause.shape)).numpy()
    inside = cause.astype(bool)
    positive = np.clip(shown, 0, None)
    return Localisation(
        pointing=share_of_largest(shown, inside, 1),
        mass=float(positive[inside].sum() / max(positive.sum(), 1e-12)),
        rank_accuracy=share_of_largest(shown, inside, int(inside.sum())),
    )


def share_of_largest(shown: np.ndarray, inside: np.ndarray, count: int) -> float:
    """Of the `count` largest values, the expected share that lies inside; equal values are drawn by lot."""
    if count == 0:
        return 0.0
    last = np.partition(shown.ravel(), -count)[-count]  # the smallest of the largest
    above, equal = shown > last, shown == last
    found = inside[above].sum() + inside[equal].mean() * (count - above.sum())
    return float(found / count)
