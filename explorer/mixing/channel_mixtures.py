"""The energy of all channels from a few mixtures of them, and how far that may be from the truth."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from explorer.engine.late_imports import late


class Estimate(NamedTuple):
    """What mixtures say of the sum over all channels."""

    energy: np.ndarray  # [h, w]
    errors: np.ndarray  # [h, w], its standard error
    error: float  # standard error of the sum of all energy, as a part of it


def mixtures(channels: int, count: int) -> tuple[Tensor, int]:
    """Signs +1 and -1 `[count, channels]`, always the same, and of how many rows they are drawn.

    They are rows of a Hadamard matrix: over all of them the mean of (v . J)^2 is exactly the sum of J_c^2.
    """
    rows = 1 << (channels - 1).bit_length()
    dice = np.random.default_rng(0)
    chosen = dice.permutation(rows)[:count]
    signs = late("scipy.linalg").hadamard(rows)[chosen, :channels] * dice.choice([-1, 1], channels)
    return torch.from_numpy(signs), rows


def estimated(drawn: Tensor, rows: int) -> Estimate:
    """The mean of the energies `[n, h, w]` of mixtures, and how far it may be from that of all `rows`.

    They are drawn without putting back, which takes the share of those drawn off the variance.
    """
    count, whole = len(drawn), drawn.sum(dim=(1, 2))
    variance = (1 - count / rows) / count
    return Estimate(
        drawn.mean(dim=0).float().cpu().numpy(),
        (drawn.var(dim=0) * variance).sqrt().float().cpu().numpy(),
        float((whole.var() * variance).sqrt() / whole.mean().clamp_min(1e-300)),
    )
