"""A model over all pictures of a source: passes of a fixed make-up, parts on the disk, one file in the end.

Pictures number 32 k to 32 k + 31 of the source share a pass, whatever else is chosen: a pass of another size
may round the last digits otherwise, and so numbers depend on the source, the model and the processor alone.
"""

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import torch

from explorer.engine.loaded import Loaded
from explorer.engine.others_errors import told_in_a_sentence
from explorer.errors import ChoiceError, ExplorerError
from explorer.explorer import Explorer
from explorer.familiarity.reference import shipped
from explorer.survey.ahead import Ready, ahead, made_ready
from explorer.survey.measures import Measured, joined, measured, none_of
from explorer.survey.parts import About, Names, arrow, folder_of, merge, parts, read_about, table, write_part
from explorer.survey.question import Question, agreed, question_of
from explorer.survey.scores import scorable, scored
from explorer.survey.sources import Item, items

PASS = 32  # pictures that share a pass
PART = 8  # passes that are written together
PATIENCE = 60.0  # seconds after which a part is written though it is not full
FILE = "survey.parquet"


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
        yield from passed(explorer, question, loaded, out, total)
        told = {**asked, **about_columns(explorer, question, loaded)}
        merge(out, place, told)
    forget_parts(out)
    told = read_about(place)
    yield Progress(told["pictures"], told["pictures"], told["pictures"], told)


def counted(source: str) -> int:
    """How many pictures there are. Raises ChoiceError where there is none."""
    total = sum(1 for _ in items(source))
    if not total:
        raise ChoiceError(f"{source} holds no pictures.")
    return total


def passed(
    explorer: Explorer, question: Question, loaded: Loaded, out: Path, total: int
) -> Iterator[Progress]:
    """Every pass that is not on the disk yet, and parts written as they come."""
    there = parts(out)
    already = there[-1][1].stop if there else 0
    names, coming = Names(), enumerate(items(question.source))
    skip(coming, names, there[-1][1] if there else None)
    yield Progress(already, already, total)
    if already == total:
        return
    make = partial(made_ready, preprocess=loaded.preprocess, keep=bool(question.methods))
    nothing = none_of(of_pass(explorer, question, loaded, []))
    waiting: list[tuple[list[Ready], Measured]] = []
    since, done = time.monotonic(), already
    with closing(ahead(coming, make, question.workers, max(1, question.batch))) as pictures:
        for _, group in groupby(pictures, lambda one: one.index // PASS):
            met = list(group)
            readable = [one for one in met if one.image is not None]
            found = of_pass(explorer, question, loaded, readable) if readable else nothing
            waiting, done = [*waiting, (met, found)], done + len(met)
            if len(waiting) == PART or done == total or time.monotonic() - since > PATIENCE:
                written(out, names, waiting)
                waiting, since = [], time.monotonic()
            yield Progress(done, already, total)
    if waiting:  # files went while it ran
        written(out, names, waiting)


def skip(coming: Iterator[tuple[int, Item]], names: Names, last: About | None) -> None:
    """Pass over what is done. Raises ExplorerError where the source begins otherwise than it did."""
    if last is None:
        return
    for index, item in coming:
        names.add(item.name)
        if index + 1 == last.stop:
            break
    if names.digest != last.names:
        raise ExplorerError("The source has changed since this survey began; begin another one.")


def of_pass(explorer: Explorer, question: Question, loaded: Loaded, ready: list[Ready]) -> Measured:
    """All that is told of some pictures; of none, of an empty image, for the names of the columns."""
    empty = torch.zeros(1, 3, *loaded.preprocess.shape)
    images = [one.image for one in ready if one.image is not None] or [empty]
    # The axes of somebody else's model were told from a pass of one picture, and hold for one.
    at_once = 1 if hasattr(loaded.model, "probed") else PASS
    known = shipped(loaded.card.name, loaded.weights)
    found = []
    for start in range(0, len(images), at_once):
        image = torch.cat(images[start : start + at_once]).to(explorer.device)
        with loaded.lock, told_in_a_sentence(loaded):
            found.append(measured(loaded.model, image, len(loaded.labels), known))
    whole = joined(found)
    files = [one.data for one in ready]
    more = scored(explorer, question.model, question.weights, question.methods, files)
    return replace(whole, columns={**whole.columns, **more})


def written(out: Path, names: Names, waiting: list[tuple[list[Ready], Measured]]) -> None:
    """Write the pictures of some passes as one part."""
    met = [one for group, _ in waiting for one in group]
    for one in met:
        names.add(one.name)
    rows = [one for one in met if one.image is not None]
    whole = joined([measure for _, measure in waiting])
    about = About(
        start=met[0].index,
        stop=met[-1].index + 1,
        names=names.digest,
        unreadable=[
            {"index": one.index, "name": one.name, "reason": one.reason} for one in met if one.image is None
        ],
        openness=whole.openness,
    )
    write_part(out, table({**named(rows), **whole.columns}), about)


def named(rows: list[Ready]) -> dict[str, Any]:
    """What is known of pictures without a model."""
    numbers = {
        "index": [one.index for one in rows],
        "width": [one.size[0] for one in rows],
        "height": [one.size[1] for one in rows],
    }
    texts = {
        "name": [one.name for one in rows],
        "label": [one.label for one in rows],
        "digest": [one.digest for one in rows],
    }
    return {**texts, **{name: np.array(values, np.int64) for name, values in numbers.items()}}


def about_columns(explorer: Explorer, question: Question, loaded: Loaded) -> dict[str, Any]:
    """The names of classes and branches, which every row would repeat."""
    measure = of_pass(explorer, question, loaded, [])
    return {"labels": list(loaded.labels), "branches": {k: list(v) for k, v in measure.branches.items()}}


def forget_parts(out: Path) -> None:
    """What the whole file holds as well, and what was being written when something was killed."""
    for path in folder_of(out).glob("*part-*.parquet"):
        path.unlink()
