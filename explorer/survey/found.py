"""What many rows say together: shares by class with intervals, blocks that tell classes apart, odd pictures.

At most `MOST` rows are looked at, spread evenly over the survey: a report takes no longer for a million.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from explorer.reweighting.class_shares import SHUFFLES, ClassShares, compared, holm
from explorer.reweighting.gates import CLOSED
from explorer.survey.intervals import RESAMPLED, intervals
from explorer.survey.parts import arrow, read_about

MOST = 5_000  # rows
CLASSES = 12  # that are drawn: those with the most pictures
FEWEST = 2  # pictures of a class


@dataclass(frozen=True)
class Rows:
    """Some or all rows of a survey, and what it says of itself."""

    about: Mapping[str, Any]
    columns: Mapping[str, Any]  # arrays `[n]` or `[n, k]`, and lists of texts

    @classmethod
    def read(cls, place: Path, most: int = MOST) -> "Rows":
        """Every row, or every second, third, ... of a file."""
        parquet = arrow().parquet
        about, step = read_about(place), max(1, -(-parquet.read_metadata(place).num_rows // most))
        kept = []
        file, start = parquet.ParquetFile(place), 0
        for group in range(file.num_row_groups):
            rows = file.read_row_group(group)
            kept.append(rows.take(np.arange(-start % step, len(rows), step)))
            start += len(rows)
        table = arrow().concat_tables(kept) if kept else file.schema_arrow.empty_table()
        return cls(about, {name: values_of(table[name].combine_chunks()) for name in table.column_names})

    def __len__(self) -> int:
        return len(self.columns["name"])

    @property
    def gates(self) -> list[str]:
        """The columns that tell how a block reweights, in the order of the pass."""
        return [name for name in self.columns if name.startswith(("shares:", "open:"))]

    @property
    def predicted(self) -> list[str]:
        """The name of the likeliest class of each; empty for what classifies nothing."""
        tops = self.columns.get("top_class")
        return [] if tops is None else [self.about["labels"][index] for index in tops[:, 0]]

    @property
    def shown(self) -> list[str | None]:
        """What each picture shows: its label, or, where no picture has one, what the model says."""
        labels = self.columns["label"]
        return list(labels) if any(labels) else list(self.predicted) or list(labels)


def values_of(column: Any) -> Any:
    if str(column.type) == "string":
        return column.to_pylist()
    if str(column.type).startswith("fixed_size_list"):
        return column.flatten().to_numpy(zero_copy_only=False).reshape(len(column), column.type.list_size)
    return column.to_numpy(zero_copy_only=False)


@dataclass(frozen=True)
class ByClass:
    """One column of shares, or of one gate, class by class."""

    column: str
    branches: tuple[str, ...]
    compared: ClassShares
    low: np.ndarray  # [classes, branches], of a 95 % interval of the mean
    high: np.ndarray
    probability: float  # corrected for all columns together


def by_class(
    rows: Rows, seed: int = 0, *, shuffles: int = SHUFFLES, resampled: int = RESAMPLED
) -> tuple[list[str], tuple[ByClass, ...]]:
    """The classes with the most pictures, and each column; nothing where there are not two classes."""
    shown = np.array([label or "" for label in rows.shown])
    names, counts = np.unique(shown, return_counts=True)
    enough = [(-count, name) for name, count in zip(names, counts, strict=True) if name and count >= FEWEST]
    classes = sorted(str(name) for _, name in sorted(enough)[:CLASSES])
    if len(classes) < 2:
        return classes, ()
    chosen = np.isin(shown, classes)
    labels = shown[chosen]
    columns = {name: blended(rows, name)[chosen] for name in rows.gates}
    named = {name: tuple(rows.about["branches"].get(name, ("open",))) for name in columns}
    found: dict[str, ClassShares] = {}
    for count in {values.shape[1] for values in columns.values()}:
        alike = [name for name, values in columns.items() if values.shape[1] == count]
        asked = [(name.partition(":")[2], named[name]) for name in alike]
        together = np.stack([columns[name] for name in alike], axis=1)
        made = compared(together, asked, labels, shuffles, seed)
        found |= dict(zip(alike, made, strict=True))
    bands = intervals(list(columns.values()), labels, seed, resampled)
    corrected = holm([found[name].probability for name in columns])
    return classes, tuple(
        ByClass(name, named[name], found[name], *band, float(probability))
        for name, band, probability in zip(columns, bands, corrected, strict=True)
    )


def blended(rows: Rows, column: str) -> np.ndarray:
    """A column of shares, or of how far a gate is open, `[n, branches]`."""
    values = np.asarray(rows.columns[column], float)
    return values if values.ndim == 2 else values[:, None]


def mean_shares(rows: Rows) -> dict[str, dict[str, float]]:
    """The mean share of every branch, and how far every gate is open, over all rows looked at, by block."""
    made = {}
    for column in rows.gates:
        branches = rows.about["branches"].get(column, ["open"])
        means = np.atleast_1d(np.asarray(rows.columns[column], float).mean(axis=0))
        made[column.partition(":")[2]] = dict(zip(branches, means.tolist(), strict=True))
    return made


@dataclass(frozen=True)
class Channels:
    """How many channels of one column no picture, or every picture, opens; of shares branch by branch."""

    name: str
    branch: str
    channels: int
    never: int  # less than `CLOSED` for every picture
    always: int  # more than 1 - `CLOSED` for every picture


def channels(rows: Rows) -> list[Channels]:
    """Over all pictures of the survey, not only the rows looked at."""
    made = []
    for column, (least, most) in rows.about["openness"].items():
        branches = rows.about["branches"].get(column, ["open"])
        parts = zip(branches, np.split(least, len(branches)), np.split(most, len(branches)), strict=True)
        for branch, low, high in parts:
            counts = int((high < CLOSED).sum()), int((low > 1 - CLOSED).sum())
            made.append(Channels(column.partition(":")[2], branch, len(low), *counts))
    return made


@dataclass(frozen=True)
class Accuracy:
    """How often the likeliest class is the label, over pictures whose label is a class of the model."""

    right: int
    of: int
    confidence: float  # the mean probability of the likeliest class
    error: float  # expected calibration error over ten bins of that probability

    @property
    def interval(self) -> tuple[float, float]:
        """95 % for the part that is right (Wilson, 1927)."""
        z, part = 1.96, self.right / self.of
        middle = (part + z**2 / (2 * self.of)) / (1 + z**2 / self.of)
        half = z * np.sqrt(part * (1 - part) / self.of + z**2 / (4 * self.of**2)) / (1 + z**2 / self.of)
        return float(middle - half), float(middle + half)


def accuracy(rows: Rows) -> Accuracy | None:
    """None where no label is one of the model's classes."""
    known = set(rows.about["labels"])
    told: Sequence[tuple[str, str]] = list(zip(rows.columns["label"], rows.predicted, strict=False))
    chosen = np.array([label in known for label, _ in told], bool)
    if not chosen.any():
        return None
    right = np.array([label == said for label, said in told])[chosen]
    sure = np.asarray(rows.columns["top_probability"][:, 0], float)[chosen]
    bins = np.minimum((sure * 10).astype(int), 9)
    gaps = [
        abs(right[bins == one].mean() - sure[bins == one].mean()) * (bins == one).mean() for one in set(bins)
    ]
    return Accuracy(int(right.sum()), len(right), float(sure.mean()), float(sum(gaps)))
