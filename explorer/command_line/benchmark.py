"""`python -m explorer benchmark`: methods measured by a protocol, with intervals and controls."""

import argparse
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from explorer.attribution.benchmark.foreign import method_at
from explorer.attribution.benchmark.measure import Row
from explorer.attribution.benchmark.protocols import Examined
from explorer.attribution.benchmark.results import measured
from explorer.attribution.benchmark.truth_lab import OPTIONS as LIGHTLY
from explorer.attribution.options import OPTIONS, Options
from explorer.attribution.registry import METHODS
from explorer.command_line.asked import Answered
from explorer.errors import ChoiceError
from explorer.explorer import Explorer

LINE = "{:<28} {:>7} {:>16} {:>9}  {}\n"


def benchmark(explorer: Explorer, asked: argparse.Namespace) -> Answered:
    """A row a method; raises ChoiceError for what cannot be measured."""
    count, folder = pictures_of(asked.pictures)
    examined = Examined(explorer.load(asked.model, asked.weights), count, folder)
    methods = asked.methods.split(",") if asked.methods else list(METHODS)
    foreign = {name: method_at(name) for name in methods if ":" in name}
    work = measured(examined, asked.protocol, methods, options_of(asked), foreign, asked.results)
    found = list(tqdm(work, total=len(methods), unit="method", disable=None))
    return Answered(table(found), [told(one) for one in found])


def pictures_of(words: list[str]) -> tuple[int, Path | None]:
    """How many pictures, and the folder they lie in, in either order."""
    count, folder = Examined.count, None
    for word in words:
        if word.isdigit() and int(word):
            count = int(word)
        elif Path(word).is_dir():
            folder = Path(word)
        else:
            raise ChoiceError(f"--pictures takes how many, or a folder that is there; not {word!r}.")
    return count, folder


def options_of(asked: argparse.Namespace) -> Options:
    """The options that were given; the others lighter than usual, as in the shipped tables."""
    given = {name: getattr(asked, name) for name in OPTIONS}
    return replace(LIGHTLY, **{name: value for name, value in given.items() if value is not None})


def told(row: Row) -> dict[str, Any]:
    """A row as plain data; `value`, `low` and `high` are null where there is a reason for none."""
    found = row.found
    return {
        "protocol": row.protocol,
        "model": row.model,
        "weights": row.weights,
        "source": row.source,
        "method": row.method,
        "value": found and found.value,
        "low": found and found.low,
        "high": found and found.high,
        "controls": {name: asdict(one) for name, one in row.controls.items()},
        "controls_up_to": row.bar,
        "clears": row.clears,
        "pictures": row.pictures,
        "reason": row.reason,
    }


def table(found: list[Row]) -> str:
    lines = [LINE.format("method", "value", "95 % interval", "controls", "")]
    for row in found:
        if (known := row.found) is None:
            lines.append(LINE.format(row.method, "-", "", "", row.reason))
            continue
        between = f"{known.low:.3f} to {known.high:.3f}"
        said = "clears the controls" if row.clears else ""
        lines.append(LINE.format(row.method, f"{known.value:.3f}", between, f"< {row.bar:.3f}", said))
    return "".join(lines)
