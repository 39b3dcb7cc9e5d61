"""What the blocks of a backbone cost along depth: counted, and, for time, measured."""

import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from explorer.engine.model_store import Loaded
from explorer.in_notebook import InNotebook
from models.costs import block_costs, follow

PASSES = 5  # of which the median counts, after one to warm up


@dataclass(frozen=True)
class Costs(InNotebook):
    """What each block of a backbone costs for one picture, in the order of the pass; arrays are [blocks]."""

    model: str
    blocks: tuple[str, ...]  # modules; "stem" is all before the first of them, "head" all after the last
    parameters: np.ndarray
    multiply_adds: np.ndarray  # of convolutions and matrix products
    seconds: np.ndarray  # measured here: the median of a few passes
    bytes: np.ndarray  # of all tensors its operations make


def measured(loaded: Loaded, image: Tensor, passes: int = PASSES) -> Iterator[Costs | None]:
    """The costs, after `None` for each pass; the model's lock is held for one pass at a time."""
    counted = block_costs(loaded.card.name, loaded.preprocess.shape)
    names = tuple(block.block for block in counted)
    taken = []
    for number in range(passes + 1):
        with loaded.lock:
            seconds = timed(loaded, image)
        if number:
            taken.append([seconds[name] for name in names])
        yield None
    yield Costs(
        loaded.card.name,
        names,
        np.array([block.parameters for block in counted]),
        np.array([block.multiply_adds for block in counted]),
        np.median(taken, axis=0),
        np.array([block.bytes for block in counted]),
    )


@torch.no_grad()
def timed(loaded: Loaded, image: Tensor) -> dict[str, float]:
    """Seconds every block takes in one pass."""
    seconds: defaultdict[str, float] = defaultdict(float)
    last = now(image.device)

    def passed(block: str) -> None:
        nonlocal last
        moment = now(image.device)
        seconds[block] += moment - last
        last = moment

    follow(loaded.model, image, passed)
    return seconds


def now(device: torch.device) -> float:
    """The time, when all that was asked of the device is done."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
    return time.perf_counter()
