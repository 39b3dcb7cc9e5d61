"""The same nanos trained again with other seeds: how much of a score is a matter of the training.

`python -m explorer.attribution.benchmark.trainings FOLDER --weights vip_nano.1.safetensors ...` measures
each file as the shipped weights are measured, keeps every row in FOLDER at once, goes on where it stopped,
and writes `assets/trainings.json`. A file is called MODEL.SEED.safetensors; the weights do not ship.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path

from explorer.attribution.benchmark.protocols import Examined
from explorer.attribution.benchmark.results import as_row, digest_of, measured, read, versions
from explorer.attribution.benchmark.shipped import (
    METHODS,
    Shipped,
    asked_of,
    from_summary,
    shipped,
    summary,
)
from explorer.attribution.benchmark.truth_lab import OPTIONS
from explorer.engine.engine import Engine
from explorer.engine.loaded import Loaded
from explorer.engine.twins import quickly_laid_out
from explorer.errors import ChoiceError
from models import create
from models.registry import ASSETS
from models.whole_files import written_whole

PATH = ASSETS / "trainings.json"
PROTOCOLS = ("planted", "deletion", "distractibility", "target_sensitivity", "gridpg", "difull")
SHIPPED = "0"  # the seed of the weights that ship


def named(file: Path) -> tuple[str, str]:
    """The model and the seed that a file of weights is called after. Raises ChoiceError for another name."""
    model, _, rest = file.name.partition(".")
    seed, _, ending = rest.partition(".")
    if ending != "safetensors" or not seed.isdigit() or seed == SHIPPED:
        raise ChoiceError(f"{file.name} is no MODEL.SEED.safetensors with a seed other than {SHIPPED}.")
    return model, seed


def trained_again(engine: Engine, file: Path) -> Loaded:
    """A nano with the weights of a file in place of those that ship."""
    model, _ = named(file)
    network = quickly_laid_out(create(model, file).requires_grad_(False))
    return replace(engine.models.load(model, "scenes"), model=network, twin=network)


def measure(folder: Path, files: Sequence[Path], minutes: float) -> None:
    """Measure what is missing, protocol by protocol over all files, until the time is over."""
    engine, start = Engine("cpu"), time.monotonic()
    for protocol in PROTOCOLS:
        for file in files:
            examined = Examined(trained_again(engine, file), asked_of(protocol))
            try:
                for _ in measured(examined, protocol, METHODS, OPTIONS, path=kept_in(folder, file)):
                    if time.monotonic() - start > 60 * minutes:
                        return
            except ChoiceError as error:
                sys.stdout.write(f"{protocol} {file.name}: {error}\n")


def kept_in(folder: Path, file: Path) -> Path:
    return folder / f"{file.stem}.json"


def write(folder: Path, files: Sequence[Path], path: Path = PATH) -> None:
    """Make what ships from the results of all files: rows as in `measured.json`, each after its seed."""
    lines, checkpoints = [], {}
    for file in sorted(files):
        model, seed = named(file)
        checkpoints[f"{model}/{seed}"] = digest_of(create(model, file))
        kept = read(kept_in(folder, file))
        rows = ([seed, *summary(as_row(kept[name]))] for name in sorted(kept))
        lines += [json.dumps(row, separators=(",", ":")) for row in rows]
    head = {"versions": versions(), "options": asdict(OPTIONS), "checkpoints": checkpoints}
    with written_whole(path) as partly:
        partly.write_text(f'{json.dumps(head)[:-1]}, "rows": [\n' + ",\n".join(lines) + "\n]}\n", "utf-8")


@cache
def trainings() -> dict[str, tuple[Shipped, ...]]:
    """What was measured of every training by its seed, the shipped one first, by the same protocols.

    Raises ChoiceError where a file is missing or damaged.
    """
    try:
        known = json.loads(PATH.read_text("utf-8"))["rows"]
        others = [(seed, from_summary(row)) for seed, *row in known]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ChoiceError("The shipped results of other trainings are missing or damaged.") from error
    asked = {(row.protocol, row.model, row.source, row.method) for _, row in others}
    ours = (row for row in shipped() if (row.protocol, row.model, row.source, row.method) in asked)
    seeds = sorted({seed for seed, _ in others})
    return {
        SHIPPED: tuple(ours),
        **{seed: tuple(row for one, row in others if one == seed) for seed in seeds},
    }


def main(words: Iterator[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where every row is kept at once")
    parser.add_argument("--weights", type=Path, nargs="+", required=True, metavar="FILE")
    parser.add_argument("--minutes", type=float, default=600)
    asked = parser.parse_args(words and list(words))
    asked.folder.mkdir(parents=True, exist_ok=True)
    measure(asked.folder, asked.weights, asked.minutes)
    write(asked.folder, asked.weights)


if __name__ == "__main__":
    main()
