"""The photographs the nanos are trained on: CIFAR-10 and Tiny ImageNet, 32 x 32, as arrays of bytes.

CIFAR-10: Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009,
https://www.cs.toronto.edu/~kriz/cifar.html. Tiny ImageNet: http://cs231n.stanford.edu/tiny-imagenet-200.zip,
its training pictures reduced to 32 x 32. None of the pictures are part of the project; both are read from
where they lie, and none is ever fetched.
"""

import io
import pickle
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from einops import rearrange
from PIL import Image

CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
NONE = -1  # the label of a photograph that shows none of the ten
SIDE = 32  # pixels

# Classes of Tiny ImageNet that are one of the ten. Lions and cougars are left out: neither a cat of
# CIFAR-10 nor clearly none of the ten.
SYNSETS = {
    "automobile": ("n02814533", "n03100240", "n03670208", "n04285008"),
    "bird": ("n01855672", "n02002724", "n02056570", "n02058221"),
    "cat": ("n02123045", "n02123394", "n02124075"),
    "deer": ("n02423022",),
    "dog": ("n02085620", "n02094433", "n02099601", "n02099712", "n02106662", "n02113799"),
    "frog": ("n01641577", "n01644900"),
    "ship": ("n03662601",),
    "truck": ("n03796401",),
}
# Too near to one of the ten to serve as none of them.
AMBIGUOUS = {
    *("n02125311", "n02129165", "n03977966", "n04146614", "n04487081", "n03447447", "n02403003"),
    *("n02410509", "n02415577", "n02437312", "n04008634", "n03393912", "n04465501", "n02917067"),
}

Array = np.ndarray


@dataclass(frozen=True)
class Photographs:
    """`pictures` uint8 `[n, 3, 32, 32]` and `labels` `[n]`: an index of `CIFAR10`, or `NONE`."""

    pictures: Array
    labels: Array

    def __len__(self) -> int:
        return len(self.labels)

    def only(self, chosen: Array) -> "Photographs":
        return Photographs(self.pictures[chosen], self.labels[chosen])


def cifar10(data: Path, split: str) -> Photographs:
    """The `train` or `test` pictures, from a zip or folder of class folders, or the published batches.

    Raises ValueError where the place holds none of the three.
    """
    batches = (
        sorted(data.rglob("data_batch_*" if split == "train" else "test_batch")) if data.is_dir() else []
    )
    if batches:
        return published_batches(batches)
    named = [
        (picture, CIFAR10.index(Path(name).parts[1]))
        for name, picture in files(data)
        if Path(name).parts[0] == split and Path(name).parts[1] in CIFAR10
    ]
    if not named:
        raise ValueError(f"{data} holds no {split} pictures of CIFAR-10 as class folders or python batches.")
    return Photographs(np.stack([decoded(raw) for raw, _ in named]), np.array([label for _, label in named]))


def tiny_imagenet(data: Path) -> Photographs:
    """Tiny ImageNet under the ten names, the rest as `NONE`; ambiguous classes are left out."""
    label_of = {synset: CIFAR10.index(name) for name, synsets in SYNSETS.items() for synset in synsets}
    named = [
        (picture, label_of.get(Path(name).parts[1], NONE))
        for name, picture in files(data)
        if name.endswith(".JPEG") and Path(name).parts[1] not in AMBIGUOUS
    ]
    return Photographs(np.stack([decoded(raw) for raw, _ in named]), np.array([label for _, label in named]))


class OnlyArrays(pickle.Unpickler):
    """Opens pickles of numpy arrays and nothing else, so that no code of a file is run."""

    ALLOWED = frozenset(
        {
            ("numpy.core.multiarray", "_reconstruct"),
            ("numpy._core.multiarray", "_reconstruct"),
            ("numpy", "ndarray"),
            ("numpy", "dtype"),
            ("_codecs", "encode"),
        }
    )

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in self.ALLOWED:
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"this file holds {module}.{name}, which is no array")


def published_batches(batches: list[Path]) -> Photographs:
    """The python version of CIFAR-10: rows of 3,072 bytes, red, green and blue, each row by row."""
    tables = [OnlyArrays(io.BytesIO(path.read_bytes()), encoding="bytes").load() for path in batches]
    pictures = np.concatenate([table[b"data"] for table in tables])
    labels = np.concatenate([table[b"labels"] for table in tables])
    return Photographs(rearrange(pictures, "n (c h w) -> n c h w", c=3, h=SIDE), labels)


def files(data: Path) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of every file of a zip or a folder, in the order of the names."""
    if data.is_dir():
        for path in sorted(path for path in data.rglob("*") if path.is_file()):
            yield path.relative_to(data).as_posix(), path.read_bytes()
        return
    with zipfile.ZipFile(data) as archive:
        for name in sorted(archive.namelist()):
            yield name, archive.read(name)


def decoded(raw: bytes) -> Array:
    """uint8 `[3, 32, 32]` of a file."""
    with Image.open(io.BytesIO(raw)) as picture:
        small = picture.convert("RGB")
        if small.size != (SIDE, SIDE):
            small = small.resize((SIDE, SIDE), Image.Resampling.BICUBIC)
        return rearrange(np.asarray(small), "h w c -> c h w")
