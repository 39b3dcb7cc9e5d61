"""How well a map finds a cause that is known."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate


@dataclass(frozen=True)
class Localisation:
    """How well a map finds a cause that is known."""

    pointing: bool  # the largest value lies on the cause
    mass: float  # share of the positive values that lies on it
    rank_accuracy: float  # of as many places as the cause has, the share of the largest that lie on it


def enlarged(values: np.ndarray, image: Tensor) -> Tensor:
    """The map at the size of the image `[h, w]`, each value as large as its place."""
    shown = torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32)).to(image.device)
    return interpolate(shown[None, None], size=image.shape[-2:], mode="nearest")[0, 0]


def localised(values: np.ndarray, cause: np.ndarray) -> Localisation:
    """How much of a map lies on a cause `[h, w]`, at the resolution of the cause."""
    shown = enlarged(values, torch.zeros(1, 1, *cause.shape)).numpy()
    inside = cause.astype(bool)
    positive = np.clip(shown, 0, None)
    first = np.argsort(-shown.ravel(), kind="stable")[: int(inside.sum())]
    return Localisation(
        pointing=bool(inside.ravel()[shown.argmax()]),
        mass=float(positive[inside].sum() / max(positive.sum(), 1e-12)),
        rank_accuracy=float(inside.ravel()[first].mean()) if len(first) else 0.0,
    )
