"""What was measured, in one JSON file with versions and hashes; what is there already is not made again."""

import hashlib
import json
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from torch import nn

from explorer.attribution.benchmark.intervals import Interval
from explorer.attribution.benchmark.measure import NOBODYS, Row, rows
from explorer.attribution.benchmark.protocols import Examined
from explorer.attribution.benchmark.trials import Explain
from explorer.attribution.options import Options
from explorer.errors import ChoiceError
from models.whole_files import written_whole

PACKAGES = ("torch", "captum", "numpy", "einops")
NAMED_BY = ("protocol", "model", "weights", "source", "method")


def versions() -> dict[str, str]:
    return {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}


def digest_of(model: nn.Module) -> str:
    """Of all weights by their names: 16 hexadecimal digits."""
    found = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        found.update(name.encode() + tensor.detach().cpu().contiguous().numpy().tobytes())
    return found.hexdigest()[:16]


def measured(
    examined: Examined,
    protocol: str,
    methods: Sequence[str],
    options: Options,
    foreign: Mapping[str, Explain] = NOBODYS,
    path: Path | None = None,
) -> Iterator[Row]:
    """The rows of `measure.rows`; those that `path` holds of the same question are read from there.

    Every new row is kept at once. Methods of others are always made again: nobody knows whether they changed.
    """
    kept = {} if path is None else read(path)
    asked = {
        "checkpoint": digest_of(examined.loaded.model),
        "options": asdict(options),
        "asked": examined.count,
        "folder": str(examined.folder or ""),
    }
    known: dict[str, Row] = {}
    for method in methods:
        entry = kept.get(name_of({**examined.about, "protocol": protocol, "method": method}), {})
        if method not in foreign and all(entry.get(key) == value for key, value in asked.items()):
            known[method] = as_row(entry)
    left = [method for method in methods if method not in known]
    made = rows(examined, protocol, left, options, foreign) if left else iter(())
    for method in methods:
        if method in known:
            yield known[method]
            continue
        row = next(made)
        if path is not None:
            kept[name_of(asdict(row))] = {**asdict(row), **asked}
            write(path, kept)
        yield row


def name_of(row: Mapping[str, Any]) -> str:
    return "/".join(str(row[part]) for part in NAMED_BY)


def as_row(entry: Mapping[str, Any]) -> Row:
    """A row as it was kept."""
    return Row(
        **{part: entry[part] for part in NAMED_BY},
        found=entry["found"] and Interval(**entry["found"]),
        controls={name: Interval(**one) for name, one in entry["controls"].items()},
        pictures=entry["pictures"],
        reason=entry["reason"],
    )


def read(path: Path) -> dict[str, dict[str, Any]]:
    """The rows kept in a file, by name; none where there is no file. Raises ChoiceError for another file."""
    if not path.exists():
        return {}
    try:
        return {name_of(entry): entry for entry in json.loads(path.read_text("utf-8"))["rows"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ChoiceError(f"{path} holds no results of a benchmark.") from error


def write(path: Path, kept: Mapping[str, Mapping[str, Any]]) -> None:
    """A line a row, the rows in order of their names."""
    lines = ",\n".join(json.dumps(kept[name]) for name in sorted(kept))
    with written_whole(path) as partly:
        partly.write_text(f'{{"versions": {json.dumps(versions())}, "rows": [\n{lines}\n]}}\n', "utf-8")
