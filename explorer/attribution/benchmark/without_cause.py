"""What can be measured where no cause is known: photographs, and weights that mean nothing."""

from collections.abc import Iterator
from functools import partial
from itertools import islice

import numpy as np
import torch
from einops import rearrange
from torch import Tensor, nn

from explorer.attribution.baselines import baseline_of
from explorer.attribution.benchmark.pictures import Known
from explorer.attribution.benchmark.trials import Maps, Question, Trial
from explorer.attribution.faithfulness import STEPS, correlation, losing
from explorer.attribution.localization import enlarged
from models.registry import Preprocess

FEWEST_CELLS = 64  # of a map whose rank order says anything


def randomised(model: nn.Module, pictures: Iterator[Known], count: int) -> Iterator[Trial]:
    """How little is left of a map's rank order as the weights are lost (Adebayo et al., 2018).

    Cascading, the top layers first; the mean over the levels. Maps of fewer than 64 cells are not correlated.
    """
    lost = list(losing(model))
    for known in islice(pictures, count):
        asked = [Question(one, known.image, known.target) for one in (model, *lost)]
        yield Trial(tuple(asked), order_lost)


def order_lost(maps: Maps) -> float | None:
    """One minus the mean of the correlations without sign; a map that became even has lost its order."""
    if maps[0].size < FEWEST_CELLS or np.ptp(maps[0]) == 0:
        return None
    kept = [abs(correlation(maps[0], one) or 0.0) for one in maps[1:]]
    return 1 - float(np.mean(kept))


def relevance_gain(
    model: nn.Module, preprocess: Preprocess, pictures: Iterator[Known], count: int
) -> Iterator[Trial]:
    """Symmetric relevance gain (Blücher et al., 2024): by how much taking the places away that matter most
    lowers the class further than taking those away that matter least; mean colour takes their place."""
    for known in islice(pictures, count):
        score = partial(gained, model=model, image=known.image, target=known.target, preprocess=preprocess)
        yield Trial((Question(model, known.image, known.target),), score)


@torch.no_grad()
def gained(maps: Maps, model: nn.Module, image: Tensor, target: int, preprocess: Preprocess) -> float | None:
    """The mean probability over how many places are gone: the last of the map first, less the first first."""
    values = enlarged(maps[0], image).flatten()
    if float(values.max() - values.min()) == 0:
        return 0.0
    nothing = baseline_of(image, preprocess, "mean")
    means = []
    for descending in (False, True):
        order = values.argsort(descending=descending, stable=True)
        rank = torch.empty_like(order).scatter_(0, order, torch.arange(len(order), device=order.device))
        rank = rearrange(rank, "(h w) -> 1 1 h w", h=image.shape[-2])
        counts = torch.linspace(0, len(order), STEPS + 1, device=image.device)[1:-1]
        gone = rank < rearrange(counts, "n -> n 1 1 1")
        means.append(float(model(torch.where(gone, nothing, image)).softmax(dim=1)[:, target].mean()))
    return means[0] - means[1]
