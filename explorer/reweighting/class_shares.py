"""Do the shares of the branches differ by what a picture shows? Block by block, with a permutation test.

The statistic of a block is how much of the variance of its mean shares lies between the classes. How often it
is as large when the labels are shuffled is the probability that it is so by chance (Good, Permutation Tests,
2000); of the shuffles and the labels as they are, the latter counts as one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
from PIL import Image
from torch import nn

from explorer.capture import run
from explorer.pictures import to_image
from explorer.reweighting.interventions import Intervention, edits
from models.preprocess import Preprocess

SHUFFLES = 999
AT_ONCE = 50


@dataclass(frozen=True)
class ClassShares:
    """The mean shares of one block by class, and whether they differ."""

    block: str
    branches: tuple[str, ...]
    means: np.ndarray  # [classes, branches]
    errors: np.ndarray  # [classes, branches], standard errors of these means
    explained: float  # part of the variance that lies between the classes, in [0, 1]
    probability: float  # that so much or more does where classes say nothing


def by_class(
    runs: Sequence[tuple], labels: np.ndarray, shuffles: int = SHUFFLES, seed: int = 0
) -> tuple[ClassShares, ...]:
    """Of the branch weights of many pictures, block by block, and what each shows `[n]`."""
    shares = np.array([[block.mean for block in blocks] for blocks in runs])  # [n, blocks, branches]
    named = [(block.block, block.branches) for block in runs[0]]
    return compared(shares, named, labels, shuffles, seed)


def compared(
    shares: np.ndarray,
    named: Sequence[tuple[str, tuple[str, ...]]],
    labels: np.ndarray,
    shuffles: int = SHUFFLES,
    seed: int = 0,
) -> tuple[ClassShares, ...]:
    """Of mean shares `[n, blocks, branches]`, each block named with its branches; of a class at least two."""
    kinds, index = np.unique(labels, return_inverse=True)
    members = (index == np.arange(len(kinds))[:, None]).astype(float)  # [classes, n]
    centred = shares - shares.mean(axis=0)
    total = (centred**2).sum(axis=(0, 2))
    random = np.random.default_rng(seed)
    found = between(centred, members)
    shuffled = np.stack([between(centred[random.permutation(len(labels))], members) for _ in range(shuffles)])
    chance = (1 + (shuffled >= found - 1e-12).sum(axis=0)) / (1 + shuffles)
    counts = members.sum(axis=1)
    means = np.stack([shares[index == kind].mean(axis=0) for kind in range(len(kinds))])
    errors = np.stack([shares[index == kind].std(axis=0, ddof=1) for kind in range(len(kinds))])
    return tuple(
        ClassShares(
            block,
            branches,
            means[:, number],
            errors[:, number] / np.sqrt(counts)[:, None],
            float(found[number] / total[number]) if total[number] else 0.0,
            float(chance[number]),
        )
        for number, (block, branches) in enumerate(named)
    )


def between(centred: np.ndarray, members: np.ndarray) -> np.ndarray:
    """Sum of squares between classes of values `[n, blocks, branches]`, `[blocks]`."""
    sums = np.einsum("k n, n b s -> k b s", members, centred, optimize=True)
    return (sums**2 / members.sum(axis=1)[:, None, None]).sum(axis=(0, 2))


def told_right(
    model: nn.Module,
    preprocess: Preprocess,
    pictures: Iterable[Image.Image],
    labels: np.ndarray,
    interventions: Sequence[Intervention] = (),
) -> np.ndarray:
    """Which pictures are told right while blocks blend otherwise, bool `[n]`."""
    waiting, told = iter(pictures), []
    while batch := [to_image(picture, preprocess)[0] for picture in islice(waiting, AT_ONCE)]:
        told.append(run(model, torch.cat(batch), edits=edits(model, interventions)).logits.argmax(dim=1))
    return torch.cat(told).numpy() == labels


def change(before: np.ndarray, after: np.ndarray) -> tuple[float, float]:
    """The change of the accuracy on the same pictures, and its standard error."""
    apart = after.astype(float) - before
    return float(apart.mean()), float(apart.std(ddof=1) / np.sqrt(len(apart)))


def holm(probabilities: Sequence[float]) -> np.ndarray:
    """Probabilities of several tests, each raised so that one in twenty surveys errs anywhere at 0.05.

    Holm, A Simple Sequentially Rejective Multiple Test Procedure, 1979.
    """
    order = np.argsort(probabilities, kind="stable")
    raised = np.asarray(probabilities, float)[order] * np.arange(len(order), 0, -1)
    return np.minimum(1, np.maximum.accumulate(raised))[np.argsort(order, kind="stable")]
