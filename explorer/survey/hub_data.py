"""Data sets of Hugging Face by name, as `hf:OWNER/NAME:train`: streamed, and nothing of them is executed.

A picture is handed on as the bytes of its file, so that it is decoded as every other. `datasets` is an
optional requirement, see https://huggingface.co/docs/datasets/stream.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from importlib import import_module
from itertools import count
from pathlib import Path
from typing import Any

from explorer.decoding.files import MOST_BYTES, contents
from explorer.errors import ChoiceError, ExplorerError, PictureError
from explorer.survey.sources import Item, plain, within

PREFIX = "hf:"
MISSING = (
    "A data set by name needs datasets, which is not installed: pip install -r requirements-datasets.txt."
)
ELSEWHERE = "This row names a file outside of its data set, which is not read."


def is_data_set(source: str) -> bool:
    return source.startswith(PREFIX)


def in_data_set(source: str) -> Iterator[Item]:
    """The rows of one split. Raises ChoiceError for what is none, ExplorerError where reading ends early."""
    name, split, rows = opened(source)
    features = rows.features or {}
    kinds = import_module("datasets")
    column = first(features, kinds.Image)
    if column is None:
        raise ChoiceError(f"{name} has no column of pictures; it has {', '.join(features) or 'none told'}.")
    label = first(features, kinds.ClassLabel)
    wanted = rows.select_columns([one for one in (column, label) if one])
    pictures = iter(wanted.cast_column(column, kinds.Image(decode=False)))
    for index in count():
        try:
            row = next(pictures, None)
        except reading_errors() as error:
            raise ExplorerError(f"{name} could not be read on from row {index}: {error}") from error
        if row is None:
            return
        told = row[label] if label else None
        named = None if told is None or told < 0 else plain(features[label].int2str(told))
        yield Item(f"{split}/{index:09}", named, partial(picture_in, row[column], name))


def opened(source: str) -> tuple[str, str, Any]:
    """The name of a data set, that of a split, and its rows. Raises ChoiceError."""
    try:
        load = import_module("datasets").load_dataset
    except ImportError:
        raise ExplorerError(MISSING) from None
    name, _, split = source.removeprefix(PREFIX).partition(":")
    try:
        splits = load(name, streaming=True)
    except reading_errors() as error:
        raise ChoiceError(f"There is no data set {name} that can be read: {error}") from error
    if split not in splits and (split or len(splits) > 1):
        raise ChoiceError(
            f"{name} has the splits {', '.join(splits)}: choose {PREFIX}{name}:{next(iter(splits))}."
        )
    split = split or next(iter(splits))
    return name, split, splits[split]


def told_count(source: str) -> int | None:
    """How many rows the data set says there are; None where it does not."""
    _, split, rows = opened(source)
    told = (rows.info.splits or {}).get(split)
    return (told.num_examples or None) if told else None


def reading_errors() -> tuple[type[Exception], ...]:
    return OSError, ValueError, LookupError, RuntimeError, import_module("datasets.exceptions").DatasetsError


def first(features: Mapping[str, Any], kind: type) -> str | None:
    return next((name for name, feature in features.items() if isinstance(feature, kind)), None)


def picture_in(cell: Mapping[str, Any] | None, name: str) -> bytes:
    """The file of a row. Raises PictureError where there is none, or where it is no file of the data set."""
    cell = cell or {}
    if cell.get("bytes"):
        return within(cell["bytes"])
    path = cell.get("path")
    if not path:
        raise PictureError("This row holds no picture.")
    if Path(name).is_dir():
        if not Path(path).resolve().is_relative_to(Path(name).resolve()):
            raise PictureError(ELSEWHERE)
        return contents(Path(path))
    if not path.rpartition("::")[2].startswith(f"hf://datasets/{name}@") or ".." in path:
        raise PictureError(ELSEWHERE)
    try:
        with import_module("fsspec").open(path, "rb") as file:
            return within(file.read(MOST_BYTES + 1))
    except (OSError, ValueError) as error:
        if isinstance(error, PictureError):
            raise
        raise PictureError("The file of this row could not be fetched.") from None
