"""Opens a survey somebody sent, in a process of its own: `python opening.py SURVEY.parquet OUT.npz`.

What it is given may be made to fill memory, or to crash what reads it; so this process has little of both to
lose. It knows nothing of the project, is limited by the system, and writes plain arrays, or says why not.
"""

import base64
import io
import json
import sys
from pathlib import Path

import numpy as np

MEMORY, SECONDS = 3_000_000_000, 20  # bytes of addresses and seconds of a processor
MOST_COLUMNS, MOST_ROWS, WIDEST = 4_000, 5_000_000, 16_384
LOOKED_AT = 5_000  # rows
LONGEST = 200  # letters of a name
REFUSED = 3  # what this ends with where it says why
LISTED = 100  # of pictures that could not be read
NO_SURVEY = "This file is no survey of Mixscope: it is a Parquet file written by `mixscope survey`."
TOO_LARGE = "This survey is too large to be opened here."
BROKEN = "This survey is damaged, or was changed by hand: {}."
TEXTS, KEPT = (
    ("name", "label"),
    ("index", "top_class", "top_probability", "foreignness", "familiar", "embedding"),
)


class RefusedError(Exception):
    """Carries the sentence the visitor is told."""


def limited() -> None:
    """Where the system knows limits; elsewhere whoever waits for this process ends it."""
    try:
        import resource
    except ImportError:  # Windows
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))


def opened(place: Path) -> dict:
    """The arrays of a survey by column, and what it says of itself under "about" as JSON."""
    import pyarrow as pa
    import pyarrow.parquet as parquet

    pa.set_cpu_count(1)
    try:
        file = parquet.ParquetFile(place, thrift_string_size_limit=20_000_000)
        told = json.loads((file.schema_arrow.metadata or {})[b"mixscope"])
    except (pa.ArrowException, OSError, KeyError, TypeError, ValueError, RecursionError):
        raise RefusedError(NO_SURVEY) from None
    if not isinstance(told, dict):
        raise RefusedError(NO_SURVEY)
    if file.metadata.num_rows > MOST_ROWS or len(file.schema_arrow) > MOST_COLUMNS:
        raise RefusedError(TOO_LARGE)
    about = checked(told)
    wanted = [one for one in file.schema_arrow if is_wanted(one.name)]
    for one in wanted:
        refuse_type(one.name, one.type)
    step = max(1, -(-file.metadata.num_rows // LOOKED_AT))
    try:
        kept, start = [], 0
        for group in range(file.num_row_groups):
            rows = file.read_row_group(group, [one.name for one in wanted], use_threads=False)
            kept.append(rows.take(np.arange(-start % step, len(rows), step)))
            start += len(rows)
        table = pa.concat_tables(kept) if kept else file.schema_arrow.empty_table()
        columns = {one.name: values_of(one.name, table[one.name].combine_chunks()) for one in wanted}
    except (pa.ArrowException, OSError, ValueError, OverflowError):
        raise RefusedError(BROKEN.format("its rows cannot be read")) from None
    fitting(about, columns)
    openness = about.pop("openness")
    whole = {f"column:{name}": values for name, values in columns.items()}
    whole |= {f"openness:{name}": values for name, values in openness.items()}
    return {**whole, "about": np.array(json.dumps(about))}


def checked(told: dict) -> dict:
    """What is used of what a file says of itself, with the kinds it must have."""
    try:
        about: dict = {name: str(told[name])[:LONGEST] for name in ("source", "model", "weights")}
        about |= {name: int(told[name]) for name in ("rows", "pictures")}
        about["labels"] = [str(label)[:LONGEST] for label in told["labels"]]
        about["branches"] = {
            str(name): [str(one)[:LONGEST] for one in branches] for name, branches in told["branches"].items()
        }
        about["unreadable"] = [
            {"index": int(one["index"]), **{name: str(one[name])[:LONGEST] for name in ("name", "reason")}}
            for one in told["unreadable"][:LISTED]
        ]
        with np.load(io.BytesIO(base64.b64decode(told["openness"])), allow_pickle=False) as arrays:
            about["openness"] = {name: np.asarray(arrays[name], np.float32) for name in arrays.files}
    except (KeyError, TypeError, ValueError, AttributeError, OSError, OverflowError):
        raise RefusedError(BROKEN.format("what it says of itself is not whole")) from None
    return about


def is_wanted(name: str) -> bool:
    return name in TEXTS or name in KEPT or name.startswith(("shares:", "open:"))


def refuse_type(name: str, kind: object) -> None:
    """Each column has the kind of numbers it is written with."""
    told = str(kind)
    if name in TEXTS:
        right = told == "string"
    elif name in ("top_class", "top_probability", "embedding") or name.startswith("shares:"):
        size = getattr(kind, "list_size", 0)
        right = told.startswith("fixed_size_list") and 0 < size <= WIDEST
        right = right and str(kind.value_type) in ("int32", "float")  # type: ignore[attr-defined]
    else:
        right = told in ("int64", "float", "bool")
    if not right:
        raise RefusedError(BROKEN.format(f"the column {name[:LONGEST]} is of another kind"))


def values_of(name: str, column) -> np.ndarray:
    """An array `[n]` or `[n, k]`; texts are cut, and "" stands for none."""
    if name in TEXTS:
        return np.array([(one or "")[:LONGEST] for one in column.to_pylist()], f"U{LONGEST}")
    if column.null_count:
        raise RefusedError(BROKEN.format(f"the column {name} has gaps"))
    if str(column.type).startswith("fixed_size_list"):
        return column.flatten().to_numpy(zero_copy_only=False).reshape(len(column), column.type.list_size)
    return column.to_numpy(zero_copy_only=False)


def fitting(about: dict, columns: dict) -> None:
    """Raises RefusedError where columns and what is said of them do not go together."""
    for name in (*TEXTS, "index"):
        if name not in columns:
            raise RefusedError(BROKEN.format(f"the column {name} is missing"))
    for name, values in columns.items():
        branches = about["branches"].get(name)
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise RefusedError(BROKEN.format(f"the column {name[:LONGEST]} has values that are no numbers"))
        if name.startswith("shares:") and (branches is None or len(branches) != values.shape[1]):
            raise RefusedError(BROKEN.format(f"the branches of {name[:LONGEST]} are not named"))
    top, classes = columns.get("top_class"), len(about["labels"])
    if (top is None) != ("top_probability" not in columns):
        raise RefusedError(BROKEN.format("what the model says is not whole"))
    if top is not None and top.size and not (top.min() >= 0 and top.max() < classes):
        raise RefusedError(BROKEN.format("it names classes there are not"))
    for name, values in about["openness"].items():
        parts = len(about["branches"].get(name, ["open"]))
        if values.ndim != 2 or len(values) != 2 or not parts or values.shape[1] % parts:
            raise RefusedError(BROKEN.format("its channels do not go with its branches"))


def main() -> int:
    limited()
    try:
        np.savez(sys.argv[2], **opened(Path(sys.argv[1])))
    except RefusedError as error:
        sys.stdout.write(str(error))
        return REFUSED
    except MemoryError:
        sys.stdout.write(TOO_LARGE)
        return REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(main())
