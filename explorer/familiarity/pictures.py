"""Pictures to measure weights with: drawn scenes, CIFAR-10, and photographs of ImageNet's classes."""

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from einops import rearrange
from PIL import Image

from models import scenes
from models.photographs import NONE, Photographs, files
from models.ten_of_imagenet import label_of


@dataclass(frozen=True)
class Labelled:
    """Pictures, each decoded whenever it is gone through, and what they show `[n]`."""

    each: Sequence[Any] | np.ndarray
    made: Callable[[Any], Image.Image]
    labels: np.ndarray

    def __iter__(self) -> Iterator[Image.Image]:
        return (self.made(one) for one in self.each)


def drawn(seeds: range, side: int) -> Labelled:
    """Scenes, `side` pixels a side, drawn once."""
    found = [scenes.draw(seed, side) for seed in seeds]
    labels = np.array([scene.label for scene in found])
    return Labelled([scene.picture for scene in found], Image.fromarray, labels)


def photographed(found: Photographs) -> Labelled:
    """Pictures of 32 x 32 pixels, as pictures."""
    pixels = rearrange(found.pictures, "n c h w -> n h w c")
    return Labelled(pixels, Image.fromarray, found.labels)


@dataclass(frozen=True)
class OfImageNet:
    """Photographs of ImageNet's classes, sorted by what CIFAR-10 knows of them."""

    all: Labelled
    ten: Labelled  # labelled as in `CIFAR10`
    none: Labelled  # what is neither one of the ten nor none of them is in `all` alone

    @classmethod
    def read(cls, data: Path) -> "OfImageNet":
        """From a folder or zip whose files are called after the number of their class, `281_tabby.jpg`.

        Raises ValueError where no file is.
        """
        numbered = [
            (label_of(int(number)), raw)
            for name, raw in files(data)
            if (number := Path(name).stem.partition("_")[0]).isdigit()
        ]
        if not numbered:
            raise ValueError(f"{data} holds no photographs called after the number of their ImageNet class.")

        def those(chosen: Callable[[int | None], bool]) -> Labelled:
            some = [(label, raw) for label, raw in numbered if chosen(label)]
            return Labelled([raw for _, raw in some], opened, np.array([label for label, _ in some]))

        return cls(
            those(lambda _: True),
            those(lambda label: label not in (None, NONE)),
            those(lambda label: label == NONE),
        )


def opened(raw: bytes) -> Image.Image:
    return Image.open(io.BytesIO(raw)).convert("RGB")
