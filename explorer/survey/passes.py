"""Passes of a fixed make-up over pictures that are ready, and what they tell as rows.

Pictures number 32 k to 32 k + 31 of the source share a pass, whatever else is chosen: a pass of another size
may round the last digits otherwise, and so numbers depend on the source, the model and the processor alone.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import groupby
from typing import Any

import numpy as np
import torch

from explorer.engine.loaded import Loaded
from explorer.engine.others_errors import told_in_a_sentence
from explorer.explorer import Explorer
from explorer.familiarity.reference import shipped
from explorer.survey import units
from explorer.survey.ahead import Ready, made_ready
from explorer.survey.measures import Measured, joined, measured, none_of
from explorer.survey.parts import About, part_bytes, table
from explorer.survey.question import Question
from explorer.survey.scores import scored
from explorer.survey.units import Unit

Passed = tuple[list[Ready], Measured]  # the pictures of a pass, those that cannot be read, too
READ = torch.zeros(0)  # in place of an image that has been measured


def of_pass(explorer: Explorer, question: Question, loaded: Loaded, ready: list[Ready]) -> Measured:
    """All that is told of some pictures; of none, of an empty image, for the names of the columns."""
    empty = torch.zeros(1, 3, *loaded.preprocess.shape)
    images = [one.image for one in ready if one.image is not None] or [empty]
    # The axes of somebody else's model were told from a pass of one picture, and hold for one.
    at_once = 1 if hasattr(loaded.model, "probed") else units.PASS
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


def measured_of(
    explorer: Explorer, question: Question, loaded: Loaded, met: list[Ready], nothing: Measured
) -> Passed:
    """The pictures of a pass, and what was measured of them; of the readable ones, or of none."""
    readable = [one for one in met if one.image is not None]
    found = of_pass(explorer, question, loaded, readable) if readable else nothing
    return [replace(one, image=READ if one.image is not None else None, data=b"") for one in met], found


def part_of(passes: Sequence[Passed], names: str) -> tuple[Any, About]:
    """Some passes as a table, and what it says of itself. names: a digest of all names up to their last."""
    met = [one for group, _ in passes for one in group]
    rows = [one for one in met if one.image is not None]
    whole = joined([measure for _, measure in passes])
    about = About(
        start=met[0].index,
        stop=met[-1].index + 1,
        names=names,
        unreadable=unreadable(met),
        openness=whole.openness,
    )
    return table({**named(rows), **whole.columns}), about


def unreadable(met: Sequence[Ready]) -> list[dict[str, Any]]:
    """Index, name and reason of each picture that cannot be read."""
    return [{"index": one.index, "name": one.name, "reason": one.reason} for one in met if one.image is None]


def of_unit(explorer: Explorer, question: Question, loaded: Loaded, unit: Unit) -> bytes:
    """All that is told of the pictures of a unit: the file of a part."""
    make = partial(made_ready, preprocess=loaded.preprocess, keep=bool(question.methods))
    nothing = none_of(of_pass(explorer, question, loaded, []))
    groups = groupby(map(make, unit.numbered), lambda one: one.index // units.PASS)
    passes = [measured_of(explorer, question, loaded, list(group), nothing) for _, group in groups]
    return part_bytes(*part_of(passes, unit.names))


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
