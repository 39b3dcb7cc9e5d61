"""What a command was asked, picture by picture, and what it answers."""

import argparse
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from tqdm import tqdm

from explorer.errors import ExplorerError, PictureError
from explorer.report.language import localised

T = TypeVar("T")


@dataclass(frozen=True)
class Answered:
    """The answer of a command: for people and for programs."""

    text: str
    data: Any  # what `--json` prints
    files: Mapping[str, bytes] = field(default_factory=dict)  # by name; written to `--out`
    document: bool = False  # whether `--out` names a file: the answer is that, and files beside it
    refused: tuple[str, ...] = ()  # a sentence for each picture that could not be answered about


def each_picture(
    asked: argparse.Namespace, answer: Callable[[str], T]
) -> tuple[list[tuple[str, T]], tuple[str, ...]]:
    """The answers by picture, with a bar on a terminal; and a sentence for each file that is no picture.

    Raises ExplorerError for what is wrong with the question itself, and where no picture could be read.
    """
    found: list[tuple[str, T]] = []
    refused: list[str] = []
    for picture in tqdm(asked.pictures, unit="picture", disable=None if len(asked.pictures) > 1 else True):
        try:
            found.append((picture, answer(picture)))
        except PictureError as error:
            refused.append(f"{picture}: {localised(str(error))}")
    if not found:
        raise ExplorerError("\n".join(refused))
    return found, tuple(refused)


def last(parts: Iterator[T], what: str) -> T:
    """The whole of what comes in parts, with a bar on a terminal."""
    bar = tqdm(desc=what, unit="part", leave=False, disable=None)
    try:
        part = next(parts)
        for part in parts:
            bar.total = getattr(part, "total", None)
            bar.update(getattr(part, "done", bar.n + 1) - bar.n)
        return part
    finally:
        bar.close()
