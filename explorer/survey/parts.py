"""A survey on the disk: parts of rows written whole or not at all, and one Parquet file in the end.

Each part knows which pictures of the source it is about, so that a survey goes on after the last one.
"""

import base64
import hashlib
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from explorer.errors import ExplorerError
from explorer.survey.measures import widest
from models.whole_files import written_whole

MISSING = "A survey is written with pyarrow, which is not installed: pip install -r requirements-survey.txt."
ABOUT = b"mixscope"  # the key of what a file says of itself, as JSON
GROUP = 1024  # rows; many more would be the most of memory a survey takes
COMPRESSION = "zstd"


def arrow() -> Any:
    """pyarrow, with what it calls `parquet`. Raises ExplorerError where it is not installed."""
    try:
        import_module("pyarrow.parquet")
        return import_module("pyarrow")
    except ImportError:
        raise ExplorerError(MISSING) from None


@dataclass(frozen=True, kw_only=True)
class About:
    """What a part says of itself: pictures `start` up to `stop` of the source."""

    start: int
    stop: int
    names: str  # a digest of all names up to `stop`
    unreadable: Sequence[Mapping[str, Any]] = ()  # index, name and reason of each
    openness: Mapping[str, np.ndarray] = field(default_factory=dict)  # [2, channels] by gate

    @property
    def written(self) -> dict[bytes, bytes]:
        told = {**vars(self), "openness": packed(self.openness)}
        return {ABOUT: json.dumps(told).encode()}

    @classmethod
    def read(cls, path: Path) -> "About":
        told = json.loads(arrow().parquet.read_schema(path).metadata[ABOUT])
        return cls(**{**told, "openness": opened(told["openness"])})


def packed(arrays: Mapping[str, np.ndarray]) -> str:
    """Arrays by name as text: an npz."""
    file = io.BytesIO()
    np.savez_compressed(file, allow_pickle=False, **dict(arrays))
    return base64.b64encode(file.getvalue()).decode()


def opened(text: str) -> dict[str, np.ndarray]:
    with np.load(io.BytesIO(base64.b64decode(text))) as file:
        return {name: file[name] for name in file.files}


class Names:
    """A digest of the names a survey has met, in their order."""

    def __init__(self) -> None:
        self.summed = hashlib.blake2b(digest_size=16)

    def add(self, name: str) -> None:
        self.summed.update(f"{len(name)} {name}\n".encode())

    @property
    def digest(self) -> str:
        return self.summed.hexdigest()


def table(columns: Mapping[str, Any]) -> Any:
    """Columns as a table: texts, numbers `[n]`, and rows of numbers `[n, k]` as lists of one length."""
    pa = arrow()
    made = {}
    for name, values in columns.items():
        if isinstance(values, np.ndarray) and values.ndim == 2:
            flat = pa.array(np.ascontiguousarray(values).ravel())
            made[name] = pa.FixedSizeListArray.from_arrays(flat, values.shape[1])
        else:
            made[name] = pa.array(values) if isinstance(values, np.ndarray) else pa.array(values, pa.string())
    return pa.table(made)


def folder_of(out: Path) -> Path:
    return out / "parts"


def part_bytes(rows: Any, about: About) -> bytes:
    """The file of a part."""
    pa = arrow()
    file = pa.BufferOutputStream()
    pa.parquet.write_table(rows.replace_schema_metadata(about.written), file, compression=COMPRESSION)
    return file.getvalue().to_pybytes()


def write_part(out: Path, start: int, content: bytes) -> None:
    with written_whole(folder_of(out) / f"part-{start:012}.parquet") as partly:
        partly.write_bytes(content)


def parts(out: Path) -> list[tuple[Path, About]]:
    """What is there, in order; between two parts there may be a gap."""
    found, stop = [], 0
    for path in sorted(folder_of(out).glob("part-*.parquet")):
        about = About.read(path)
        if about.start >= stop:
            found.append((path, replace(about, openness={})))  # which may be large, and parts many
            stop = about.stop
    return found


def merge(out: Path, place: Path, told: Mapping[str, Any]) -> dict[str, Any]:
    """All parts as one file, with what it says of itself; a part at a time is in memory.

    Row groups are of one length whatever the parts were, so that the same rows make the same file.
    """
    parquet = arrow().parquet
    found = parts(out)
    if not found:
        raise ExplorerError("There was not a single picture.")
    stops = [0, *(about.stop for _, about in found)]
    if [about.start for _, about in found] != stops[:-1]:
        raise ExplorerError(f"Parts of {folder_of(out)} have gone while it ran; --resume makes them again.")
    unreadable = [one for _, about in found for one in about.unreadable]
    openness: dict[str, np.ndarray] = {}
    for path, _ in found:
        openness = widest([one for one in (openness, About.read(path).openness) if one])
    whole = {**told, "pictures": found[-1][1].stop, "unreadable": unreadable, "openness": packed(openness)}
    whole = {**whole, "rows": whole["pictures"] - len(unreadable)}
    schema = parquet.read_schema(found[0][0]).with_metadata({ABOUT: json.dumps(whole).encode()})
    with (
        written_whole(place) as partly,
        parquet.ParquetWriter(partly, schema, compression=COMPRESSION) as writer,
    ):
        for group in regrouped(path for path, _ in found):
            writer.write_table(group.replace_schema_metadata(schema.metadata), row_group_size=GROUP)
    return whole


def regrouped(paths: Iterator[Path]) -> Iterator[Any]:
    """The rows of several files in tables of `GROUP` rows, the last one shorter."""
    pa = arrow()
    held: list[Any] = []
    count = 0
    for path in paths:
        rows = pa.parquet.read_table(path, use_threads=False).replace_schema_metadata(None)
        held, count = [*held, rows], count + len(rows)
        while count >= GROUP:
            whole = pa.concat_tables(held)
            yield whole.slice(0, GROUP).combine_chunks()
            held, count = [whole.slice(GROUP)], count - GROUP
    if count:
        yield pa.concat_tables(held).combine_chunks()


def read_about(place: Path) -> dict[str, Any]:
    """What a whole survey says of itself; `openness` as arrays. Raises ExplorerError for what is none."""
    pa = arrow()
    try:
        told = json.loads(pa.parquet.read_schema(place).metadata[ABOUT])
        return {**told, "openness": opened(told["openness"])}
    except (OSError, pa.ArrowException, KeyError, TypeError, ValueError):
        raise ExplorerError(f"{place} is no survey.") from None
