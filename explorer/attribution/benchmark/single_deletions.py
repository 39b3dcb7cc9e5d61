"""Single deletions within what a model knows (IDSDS, Hesse et al., 2024).

A model that was trained on pictures which lack a cell is asked without each of 4 x 4 cells in turn: how far
its logit falls is what each matters, and no picture is strange to it. Weights are made by
`python -m models.train vip_nano --deleted --begin assets/weights/vip_nano.safetensors --out FOLDER`.
"""

from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from explorer.attribution.baselines import baseline_of
from explorer.attribution.benchmark.pictures import Known
from explorer.attribution.benchmark.trials import Maps, Question, Trial
from explorer.attribution.localization import enlarged
from explorer.engine.late_imports import late
from models.checkpoint_facts import facts_of
from models.deleted_cells import CELLS, numbers, without_cells
from models.registry import Preprocess


def single_deletions(
    model: nn.Module, preprocess: Preprocess, pictures: Iterator[Known], count: int
) -> Iterator[Trial]:
    """Do the cells come in the order of what their absence does to the logit?"""
    for known in islice(pictures, count):
        falls = falls_without(model, known.image, known.target, preprocess)
        yield Trial(
            (Question(model, known.image, known.target),), partial(in_order, falls=falls, image=known.image)
        )


@torch.no_grad()
def falls_without(model: nn.Module, image: Tensor, target: int, preprocess: Preprocess) -> np.ndarray:
    """How far the logit falls without each cell `[cells * cells]`; black takes its place."""
    every = image.expand(CELLS**2, -1, -1, -1)
    fewer = without_cells(every, torch.arange(CELLS**2), baseline_of(image, preprocess, "black"))
    return (model(image)[:, target] - model(fewer)[:, target]).double().cpu().numpy()


def in_order(maps: Maps, falls: np.ndarray, image: Tensor) -> float:
    """Spearman's rank correlation of the sums of a map over the cells with what the cells matter."""
    shown = enlarged(maps[0], image).double().cpu()
    cells = numbers(*image.shape[-2:]).flatten()
    told = torch.bincount(cells, shown.flatten(), minlength=CELLS**2).numpy()
    if np.ptp(told) == 0 or np.ptp(falls) == 0:
        return 0.0
    return float(late("scipy.stats").spearmanr(told, falls).statistic)


def schedule_of(weights: str) -> dict:
    """How weights in a file were trained on scenes, as the file says; nothing where it does not."""
    path = Path(weights)
    if path.suffix != ".safetensors" or not path.is_file():
        return {}
    try:
        return facts_of(path).get("schedule", {})
    except (OSError, ValueError, KeyError, TypeError, SafetensorError):
        return {}
