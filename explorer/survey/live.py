"""A survey in memory, as it comes: of as many pictures as somebody waits for."""

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import groupby
from typing import Any

from PIL import Image

from explorer.engine.loaded import Loaded
from explorer.explorer import Explorer
from explorer.pictures import open_picture
from explorer.survey.ahead import Ready, ahead, made_ready
from explorer.survey.found import Rows
from explorer.survey.measures import Measured, joined, none_of
from explorer.survey.passes import READ, named, of_pass, unreadable
from explorer.survey.question import Question, question_of
from explorer.survey.sources import Item
from explorer.survey.units import PASS
from models.preprocess import Preprocess

SMALL = 2_000_000  # parameters up to which a pass of many takes no time worth telling
LARGE_PASS = 4  # pictures that share a pass of what has more
SIDE = 96  # pixels of a small copy


@dataclass(frozen=True)
class Live:
    """The pictures met so far, and what was measured of them."""

    about: Mapping[str, Any]
    met: Sequence[Ready]  # those that cannot be read, too
    measure: Measured
    total: int
    small: Mapping[int, bytes] = field(default_factory=dict)  # JPEG by index, where small copies are kept

    @property
    def done(self) -> int:
        return len(self.met)

    @property
    def rows(self) -> Rows:
        """As of a survey that is read from a file."""
        readable = [one for one in self.met if one.image is not None]
        about = {
            **self.about,
            "branches": {name: list(branches) for name, branches in self.measure.branches.items()},
            "openness": self.measure.openness,
            "rows": len(readable),
            "pictures": self.done,
            "unreadable": unreadable(self.met),
        }
        return Rows(about, {**named(readable), **self.measure.columns})


def live(
    explorer: Explorer, question: Question, chosen: Sequence[Item], *, small: bool = False
) -> Iterator[Live]:
    """After each pass, all that is known so far. small: keep a small copy of each picture.

    Raises ExplorerError for what cannot be asked. What is no picture is told of and stops nothing.
    """
    loaded = explorer.load(question.model, question.weights).apart
    about = {**question_of(question, loaded), "labels": list(loaded.labels)}
    made = partial(with_copy if small else made_ready, preprocess=loaded.preprocess)
    at_once = PASS if loaded.parameters <= SMALL else LARGE_PASS
    so_far = Live(about, [], none_of(of_pass(explorer, question, loaded, [])), len(chosen))
    with closing(ahead(enumerate(chosen), made, 1, 2 * PASS)) as pictures:
        for _, group in groupby(pictures, lambda one: one.index // at_once):
            so_far = further(explorer, question, loaded, so_far, list(group))
            yield so_far


def further(explorer: Explorer, question: Question, loaded: Loaded, so_far: Live, group: list[Ready]) -> Live:
    """With the pictures of one more pass; of these only what tells of them is kept."""
    copies = {one.index: one.data for one in group if one.data}
    readable = [one for one in group if one.image is not None]
    measure = so_far.measure
    if readable:
        measure = joined([measure, of_pass(explorer, question, loaded, readable)])
    met = [one if one.image is None else replace(one, image=READ, data=b"") for one in group]
    return replace(so_far, met=[*so_far.met, *met], measure=measure, small={**so_far.small, **copies})


def with_copy(numbered: tuple[int, Item], preprocess: Preprocess) -> Ready:
    """A picture made ready, its file replaced by a small copy."""
    ready = made_ready(numbered, preprocess, keep=True)
    return replace(ready, data=copied(ready.data)) if ready.image is not None else ready


def copied(data: bytes) -> bytes:
    """A picture file as a small JPEG."""
    picture, file = open_picture(data), io.BytesIO()
    picture.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    picture.save(file, "JPEG", quality=85)
    return file.getvalue()
