"""Surveys over Ray: the rate beside that of one process, and what its scheduler makes of a million tiny rows.

Needs requirements-ray.txt, and so they are measured by name alone: `python -m benchmarks survey-ray`, and
`survey-scheduler`.
"""

import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import torch

from benchmarks.survey import MODELS, made, photographs
from benchmarks.timing import Row
from explorer import Explorer
from explorer.survey import survey as going
from explorer.survey import units
from explorer.survey.ahead import Ready
from explorer.survey.cluster import Surveyor, done_on_ray
from explorer.survey.measures import Measured
from explorer.survey.parts import arrow, folder_of, merge, part_bytes, write_part
from explorer.survey.passes import READ, part_of
from explorer.survey.question import Question
from explorer.survey.sources import Item
from explorer.survey.units import Coming, Unit, in_units

ACTORS = 2
ROWS = 1_000_000
COUNT = 2048  # photographs
Parts = Iterator[tuple[int, bytes]]  # the place of the first picture of each, and its file


def survey_ray() -> Iterator[Row]:
    """Photographs of 512 x 512 on two actors, beside one process that decodes and passes in one thread."""
    model, weights, _ = MODELS[0]
    with tempfile.TemporaryDirectory() as folder:
        source = made(Path(folder, "pictures"), photographs(COUNT), ".jpg")
        asked = Question(source=str(source), model=model, weights=weights, workers=0)
        alone = rate(asked, Path(folder, "alone"), COUNT // 2)
        pair = rate(
            Question(source=str(source), model=model, weights=weights, workers=ACTORS, ray="local"),
            Path(folder, "pair"),
            COUNT,
        )
    yield Row(
        f"{model}: rate of two workers on Ray, per core / of one process on one core",
        f"{pair / ACTORS / alone:.2f} ({pair:.0f} and {alone:.0f} a second)",
        "at least 0.85",
    )


def rate(asked: Question, out: Path, most: int) -> float:
    """Pictures a second, from the second thing done to the last of those looked at; no start is in it."""
    explorer = Explorer("cpu")
    torch.set_num_threads(1)
    times = []
    for so_far in going.survey(explorer, asked, out):
        if so_far.done and not so_far.told:
            times.append((so_far.done, time.perf_counter()))
        if so_far.done >= most:
            break
    (begun, since), (done, until) = times[1], times[-1]
    return (done - begun) / (until - since)


class Idle(Surveyor):
    """An actor without a model: of each picture a row of eighty numbers that tell nothing."""

    def __init__(self) -> None:
        self.refusal = ""

    def done(self, unit: Unit) -> bytes:
        met = [Ready(index, item.name, item.label, image=READ) for index, item in unit.numbered]
        numbers = np.arange(unit.start, unit.stop, dtype=np.float32)
        embedding = np.repeat(numbers[:, None], 80, axis=1)
        return part_bytes(*part_of([(met, Measured({"embedding": embedding}))], unit.names))


def tiny(rows: int) -> Iterator[Item]:
    """Names as of shards of ten thousand pictures."""
    for index in range(rows):
        yield Item(f"shard-{index // 10_000:06}.tar/{index:09}.jpg", str(index % 1000), partial(bytes, b""))


def all_units(rows: int, _actors: int) -> Iterator[Unit]:
    return in_units(Coming(tiny(rows), []), units.PART)


def survey_scheduler(rows: int = ROWS) -> Iterator[Row]:
    """Names, units, actors, parts and the whole file, with and without Ray; nothing is decoded or passed."""
    asked = Question(source="", model="", weights="", workers=ACTORS, ray="local")
    idle, found = Idle(), partial(all_units, rows)

    def here() -> Parts:
        return ((unit.start, idle.done(unit)) for unit in found(1))

    def on_ray() -> Parts:
        return ((one.start, one.part) for one in done_on_ray(asked, found, Idle, ()))

    for where, parts in (("one process", here), ("Ray, two workers", on_ray)):
        with tempfile.TemporaryDirectory() as folder:
            yield from gone_through(where, parts, Path(folder), rows)


def gone_through(where: str, parts: Callable[[], Parts], out: Path, rows: int) -> Iterator[Row]:
    folder_of(out).mkdir()
    since, first = time.perf_counter(), 0.0
    for start, part in parts():
        first = first or time.perf_counter() - since
        write_part(out, start, part)
    written = time.perf_counter() - since
    place = out / "survey.parquet"
    told = merge(out, place, {})
    merged = time.perf_counter() - since - written
    indices = arrow().parquet.read_table(place, columns=["index"])["index"].to_numpy()
    lost = rows - len(np.unique(indices))
    again = len(indices) - len(np.unique(indices))
    status = Path("/proc/self/status").read_text()
    peak = int(status.partition("VmHWM:")[2].split()[0]) // 1024
    yield Row(
        f"{told['rows']:,} tiny rows, {where}: to parts, to one file",
        f"{written:.0f} s ({first:.0f} s to start), {merged:.0f} s",
        "",
    )
    yield Row("... rows lost, told twice, memory of the command", f"{lost}, {again}, {peak} MB", "0, 0")
