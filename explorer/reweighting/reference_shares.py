"""How a model usually blends: the spread of its branch weights over many pictures.

For the bundled checkpoints this is computed once, over the first 1,000 held-out scenes, and shipped:
`python -m explorer.reweighting.reference_shares` makes the files in `assets/typical` again.
"""

import logging
import sys
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import torch

from explorer.capture import run
from explorer.reweighting.branch_weights import BlockWeights, branch_weights
from models import card, create, list_models, scenes
from models.registry import ASSETS
from models.sources import sha256
from models.whole_files import written_whole

log = logging.getLogger("mixscope")

FOLDER = ASSETS / "typical"
DAMAGED = (OSError, ValueError, KeyError, EOFError, BadZipFile, zlib.error)  # what reading an npz may raise
PICTURES = 1_000
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
    channels: np.ndarray  # [branches, channels], mean share of every channel
    pictures: int
    source: str  # "scenes", or "pictures" where computed over a few at hand

    def unusual(self, means: np.ndarray) -> np.ndarray:
        """Which mean shares `[branches]` of a picture lie beyond their 1st or 99th percentile."""
        return (means < self.lowest - ROUNDING) | (means > self.highest + ROUNDING)


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


def over_scenes(name: str, pictures: int = PICTURES, batch: int = 50) -> tuple[Typical, ...]:
    """Of a bundled checkpoint, over the first held-out scenes."""
    model, preprocess = create(name, "scenes"), card(name).weights["scenes"].preprocess
    mean, std = (torch.tensor(value)[:, None, None] for value in (preprocess.mean, preprocess.std))
    runs: list[tuple[BlockWeights, ...]] = []
    for start in range(0, pictures, batch):
        drawn, _ = scenes.batch(range(start, min(start + batch, pictures)), preprocess.size)
        found = run(model, (torch.from_numpy(drawn).float() / 255 - mean) / std)
        runs += [branch_weights(found, picture) for picture in range(len(drawn))]
    return typical(runs, source="scenes")


def checksum(name: str, weights: str = "scenes") -> str:
    """Of the bundled file that what is shipped belongs to."""
    return sha256(card(name).weights[weights].source.fetch())


def write(name: str, folder: Path = FOLDER) -> None:
    found = over_scenes(name)
    arrays = {f"{one.block}/{part}": getattr(one, part) for one in found for part in BANDS}
    arrays |= {f"{one.block}/channels": one.channels.astype(np.float16) for one in found}
    folder.mkdir(parents=True, exist_ok=True)
    told: dict[str, Any] = {"blocks": [one.block for one in found], "branches": found[0].branches}
    with written_whole(folder / f"{name}.npz") as partly:
        np.savez_compressed(partly, **told, pictures=found[0].pictures, checkpoint=checksum(name), **arrays)


@lru_cache(maxsize=16)
def shipped(name: str) -> tuple[Typical, ...] | None:
    """What comes with a bundled checkpoint; None where nothing does, of another file, or damaged."""
    path = FOLDER / f"{name}.npz"
    if not name or not path.is_file():
        return None
    try:
        return read(name, path)
    except DAMAGED as error:
        log.warning("%s is damaged: %s", path.name, error)
        return None


def read(name: str, path: Path) -> tuple[Typical, ...] | None:
    with np.load(path) as file:
        if str(file["checkpoint"]) != checksum(name):
            return None
        return tuple(
            Typical(
                str(block),
                tuple(map(str, file["branches"])),
                **{part: file[f"{block}/{part}"] for part in (*BANDS, "channels")},
                pictures=int(file["pictures"]),
                source="scenes",
            )
            for block in file["blocks"]
        )


def main() -> None:
    for name in list_models():
        nano = "scenes" in card(name).weights
        if nano and branch_weights(run(create(name), torch.zeros(1, 3, *card(name).preprocess.shape))):
            write(name)
            sys.stdout.write(f"{FOLDER / name}.npz\n")


if __name__ == "__main__":
    main()
