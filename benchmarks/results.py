"""`benchmarks/RESULTS.md`: a section for each part, replaced whenever that part is measured again."""

import datetime
import os
import platform
from collections.abc import Sequence
from pathlib import Path

import torch

from benchmarks.timing import Row

PATH = Path(__file__).parent / "RESULTS.md"
HEAD = """# What was measured

Written by `python -m benchmarks --write [PART...]`; what the parts measure stands in their files. Ratios are
ours / theirs, both taken in turn in one run, medians; the time in brackets is theirs, or that of what is
named after the slash. The limits are what this project sets itself, reached or not.
"""


def processor() -> str:
    """What the machine calls its processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())


def section(part: str, rows: Sequence[Row]) -> str:
    today = datetime.datetime.now(datetime.UTC).date()
    machine = f"{today}, {processor()}, {os.cpu_count()} cores, torch {torch.__version__}"
    table = [" | ".join(("what", "measured", "limit")), "--- | ---: | ---"]
    table += [" | ".join((row.what, row.measured, row.limit)) for row in rows]
    return f"## {part}\n\n{machine}\n\n" + "\n".join(f"| {line} |" for line in table) + "\n"


def sections(text: str) -> dict[str, str]:
    """The sections of the file by their part, in their order."""
    pieces = text.split("\n## ")[1:]
    return {piece.partition("\n")[0]: f"## {piece.strip()}\n" for piece in pieces}


def write(found: dict[str, Sequence[Row]], path: Path = PATH) -> None:
    """Replace the sections of the parts that were measured; the others stay."""
    kept = sections(path.read_text()) if path.exists() else {}
    kept |= {part: section(part, rows) for part, rows in found.items()}
    path.write_text("\n".join([HEAD, *kept.values()]))
