"""How a model usually blends: the spread of its branch weights over many pictures.

For bundled weights this is computed once, over the first 1,000 held-out pictures of what they were trained
on, and shipped in `assets/typical`; `python -m explorer.after_training` makes the files.
"""

import logging
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import torch
from PIL import Image
from torch import nn

from explorer.capture import run
from explorer.pictures import to_image
from explorer.reweighting.branch_weights import BlockWeights, branch_weights
from models import card
from models.preprocess import Preprocess
from models.registry import ASSETS
from models.sources import sha256
from models.whole_files import written_whole

log = logging.getLogger("mixscope")

FOLDER = ASSETS / "typical"
DAMAGED = (OSError, ValueError, KeyError, EOFError, BadZipFile, zlib.error)  # what reading an npz may raise
PICTURES = 1_000
AT_ONCE = 50
BAND = (10, 90)  # percentiles
RARE = (1, 99)  # beyond these a share is unusual
ROUNDING = 0.005  # of a share; what is closer cannot be seen


BANDS = ("mean", "low", "high", "lowest", "highest")


@dataclass(frozen=True)
class Typical:
    """The usual shares of one block."""

    block: str
    branches: tuple[str, ...]
    mean: np.ndarray  # [branches], of the mean shares of all pictures
    low: np.ndarray  # [branches], their 10th percentile
    high: np.ndarray  # [branches], their 90th percentile
    lowest: np.ndarray  # [branches], their 1st percentile
    highest: np.ndarray  # [branches], their 99th percentile
    channels: np.ndarray | None  # [branches, channels], mean share of every channel; None where not told
    pictures: int
    source: str  # the weights it ships with, or "pictures" where computed over a few at hand

    def unusual(self, means: np.ndarray) -> np.ndarray:
        """Which mean shares `[branches]` of a picture lie beyond their 1st or 99th percentile."""
        return (means < self.lowest - ROUNDING) | (means > self.highest + ROUNDING)


@dataclass(frozen=True)
class SharesSoFar:
    """How a model usually blends, over the pictures seen so far."""

    shares: tuple[Typical, ...]  # empty for a model without split attention
    done: int
    total: int

    @property
    def bytes(self) -> int:
        arrays = [one.mean for one in self.shares] * len(BANDS)
        arrays += [one.channels for one in self.shares if one.channels is not None]
        return sum(one.nbytes for one in arrays)


def unusual(blocks: Sequence[BlockWeights], usual: Sequence[Typical]) -> tuple[int, int, float]:
    """How many mean shares lie beyond their 1st or 99th percentile, of how many; how many would by chance."""
    outside = [known.unusual(block.mean) for block, known in zip(blocks, usual, strict=True)]
    dots = sum(map(len, outside))
    return int(sum(map(np.sum, outside))), dots, dots * (1 - (RARE[1] - RARE[0]) / 100)


def typical(runs: Sequence[tuple[BlockWeights, ...]], source: str) -> tuple[Typical, ...]:
    """The usual shares, block by block, over the branch weights of several pictures."""
    made = []
    for blocks in zip(*runs, strict=True):
        means = np.stack([block.mean for block in blocks])
        low, high, lowest, highest = np.percentile(means, BAND + RARE, axis=0)
        channels = np.mean([block.values for block in blocks], axis=0)
        made.append(
            Typical(
                blocks[0].block,
                blocks[0].branches,
                means.mean(axis=0),
                low,
                high,
                lowest,
                highest,
                channels,
                len(runs),
                source,
            )
        )
    return tuple(made)


def so_far(model: nn.Module, images: Sequence[torch.Tensor]) -> Iterator[SharesSoFar]:
    """After each picture `[1, 3, h, w]`, the usual shares over those so far."""
    seen = []
    for number, image in enumerate(images, 1):
        seen.append(branch_weights(run(model, image)))
        yield SharesSoFar(typical(seen, source="pictures"), number, len(images))


def over(model: nn.Module, preprocess: Preprocess, pictures: Iterable[Image.Image]) -> list[tuple]:
    """The branch weights of each picture, block by block; empty for a model without split attention."""
    waiting, runs = iter(pictures), []
    while batch := [to_image(picture, preprocess)[0] for picture in islice(waiting, AT_ONCE)]:
        seen = run(model, torch.cat(batch))
        runs += [blocks for index in range(len(batch)) if (blocks := branch_weights(seen, index))]
    return runs


def checksum(name: str, weights: str = "scenes") -> str:
    """Of the bundled file that what is shipped belongs to."""
    return sha256(card(name).weights[weights].source.fetch())


def path_of(name: str, weights: str) -> Path:
    return FOLDER / f"{name}.{weights}.npz"


def keep(name: str, weights: str, found: Sequence[Typical]) -> None:
    """Write what ships with bundled weights."""
    arrays = {f"{one.block}/{part}": getattr(one, part) for one in found for part in BANDS}
    arrays |= {
        f"{one.block}/channels": one.channels.astype(np.float16) for one in found if one.channels is not None
    }
    FOLDER.mkdir(parents=True, exist_ok=True)
    told: dict[str, Any] = {"blocks": [one.block for one in found], "branches": found[0].branches}
    told |= {"pictures": found[0].pictures, "checkpoint": checksum(name, weights)}
    with written_whole(path_of(name, weights)) as partly:
        np.savez_compressed(partly, **told, **arrays)


@lru_cache(maxsize=32)
def shipped(name: str, weights: str = "scenes") -> tuple[Typical, ...] | None:
    """What comes with bundled weights; None where nothing does, of another file, or damaged."""
    path = path_of(name, weights)
    if not path.is_file():
        return None
    try:
        return read(path, weights, checksum(name, weights))
    except DAMAGED as error:
        log.warning("%s is damaged: %s", path.name, error)
        return None


def read(path: Path, weights: str, expected: str) -> tuple[Typical, ...] | None:
    with np.load(path) as file:
        if str(file["checkpoint"]) != expected:
            return None
        return tuple(
            Typical(
                str(block),
                tuple(map(str, file["branches"])),
                **{part: file[f"{block}/{part}"] for part in (*BANDS, "channels")},
                pictures=int(file["pictures"]),
                source=weights,
            )
            for block in file["blocks"]
        )
