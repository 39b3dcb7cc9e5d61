"""A model over all pictures of a source: parts on the disk, one file in the end; here, or on Ray."""

import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

from explorer.engine.loaded import Loaded
from explorer.errors import ChoiceError
from explorer.explorer import Explorer
from explorer.survey import units
from explorer.survey.ahead import ahead, made_ready
from explorer.survey.cluster import Surveyor, done_on_ray
from explorer.survey.hub_data import is_data_set, told_count
from explorer.survey.measures import none_of
from explorer.survey.parts import (
    About,
    arrow,
    folder_of,
    merge,
    part_bytes,
    parts,
    read_about,
    write_part,
)
from explorer.survey.passes import Passed, measured_of, of_pass, part_of
from explorer.survey.question import Question, agreed, question_of
from explorer.survey.scores import scorable
from explorer.survey.sources import items
from explorer.survey.units import Coming, Unit, in_units

PATIENCE = 60.0  # seconds after which a part is written though it is not full
FILE = "survey.parquet"
FEW = 4  # units an actor gets at least, where there are enough pictures


@dataclass(frozen=True)
class Progress:
    """How far a survey is; `told` is what the file says of itself once it is whole."""

    done: int  # pictures
    already: int = 0  # of them done before, by what was stopped
    total: int | None = None
    told: dict[str, Any] = field(default_factory=dict)


def survey(explorer: Explorer, question: Question, out: Path, *, resume: bool = False) -> Iterator[Progress]:
    """Go over all pictures; closing the iterator, or killing the process, loses no whole part.

    Raises ExplorerError for what cannot be asked, where the folder holds another survey, or, unless it is to
    go on, any; and where the source is not what it was.
    """
    arrow()
    loaded = explorer.load(question.model, question.weights).apart
    asked = question_of(question, loaded)
    place = out / FILE
    if Path(question.source).is_dir() and out.resolve().is_relative_to(Path(question.source).resolve()):
        raise ChoiceError(f"{out} lies inside of {question.source}: choose another folder.")
    scorable(explorer, question.model, question.weights, question.methods)
    agreed(out, asked, resume=resume)
    if not place.is_file():
        total = counted(question.source)
        if question.ray:
            yield from over_ray(question, asked, out, total)
        else:
            yield from passed(explorer, question, loaded, out, total)
        told = {**asked, **about_columns(explorer, question, loaded)}
        merge(out, place, told)
    forget_parts(out)
    told = read_about(place)
    yield Progress(told["pictures"], told["pictures"], told["pictures"], told)


def counted(source: str) -> int | None:
    """How many pictures there are, None where only reading all tells. Raises ChoiceError for none."""
    total = told_count(source) if is_data_set(source) else sum(1 for _ in items(source))
    if total == 0:
        raise ChoiceError(f"{source} holds no pictures.")
    return total


def passed(
    explorer: Explorer, question: Question, loaded: Loaded, out: Path, total: int | None
) -> Iterator[Progress]:
    """Every pass that is not on the disk yet, and parts written as they come."""
    there = [about for _, about in parts(out)]
    already = sum(about.stop - about.start for about in there)
    yield Progress(already, already, total)
    coming = Coming(items(question.source), there)
    make = partial(made_ready, preprocess=loaded.preprocess, keep=bool(question.methods))
    nothing = none_of(of_pass(explorer, question, loaded, []))
    waiting: list[Passed] = []
    since, done = time.monotonic(), already
    with closing(ahead(iter(coming), make, question.decoders, max(1, question.batch))) as pictures:
        for _, group in groupby(pictures, lambda one: one.index // units.PASS):
            met = list(group)
            if waiting and met[0].index > waiting[-1][0][-1].index + 1:  # what follows was done before
                written(out, coming, waiting)
                waiting = []
            waiting, done = [*waiting, measured_of(explorer, question, loaded, met, nothing)], done + len(met)
            if len(waiting) == units.PART or done == total or time.monotonic() - since > PATIENCE:
                written(out, coming, waiting)
                waiting, since = [], time.monotonic()
            yield Progress(done, already, total)
    if waiting:  # files went while it ran
        written(out, coming, waiting)


def over_ray(question: Question, asked: dict[str, Any], out: Path, total: int | None) -> Iterator[Progress]:
    """The same, unit by unit on Ray, in any order; parts are written here, once each."""
    there = [about for _, about in parts(out)]
    done = already = sum(about.stop - about.start for about in there)
    yield Progress(done, already, total)
    found = partial(still_to_do, question.source, there, total)
    for one in done_on_ray(question, found, Surveyor, (question, asked["weights_sha256"])):
        write_part(out, one.start, one.part)
        done += one.count
        yield Progress(done, already, total)


def still_to_do(source: str, there: Sequence[About], total: int | None, actors: int) -> Iterator[Unit]:
    """Units small enough that every actor gets several of them."""
    most = units.PART if total is None else total // (units.PASS * FEW * actors)
    return in_units(Coming(items(source), there), min(units.PART, max(1, most)))


def written(out: Path, coming: Coming, waiting: list[Passed]) -> None:
    rows, about = part_of(waiting, coming.digest(waiting[-1][0][-1].index + 1))
    write_part(out, about.start, part_bytes(rows, about))


def about_columns(explorer: Explorer, question: Question, loaded: Loaded) -> dict[str, Any]:
    """The names of classes and branches, which every row would repeat."""
    measure = of_pass(explorer, question, loaded, [])
    return {"labels": list(loaded.labels), "branches": {k: list(v) for k, v in measure.branches.items()}}


def forget_parts(out: Path) -> None:
    """What the whole file holds as well, and what was being written when something was killed."""
    for path in folder_of(out).glob("*part-*.parquet"):
        path.unlink()
