"""Interventions that are real: the same scene drawn without a part, and what the model's logit truly does.

The protocols of FunnyBirds (Hesse et al., 2023, §4), on staged scenes. A part, an object or a bar, matters as
much as the logit falls when the scene is drawn without it; nothing is covered, blurred or filled in. What a
map says of a part is the mean of its positive values there, so that size gives nothing away.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from explorer.attribution.benchmark.pictures import Known, seen
from explorer.attribution.benchmark.planted import sure_stages
from explorer.attribution.benchmark.staged import (
    Stage,
    bar_masks,
    before,
    render,
    stage,
    without_bar,
    without_object,
)
from explorer.attribution.benchmark.trials import Maps, Question, Trial
from explorer.attribution.localization import enlarged
from explorer.engine.late_imports import late
from models.registry import Preprocess

UNIMPORTANT = 0.1  # of what the object does: a bar that does less does not matter
RIVALS = range(5_000, 5_400)  # seeds of second objects and other backgrounds


@dataclass(frozen=True, eq=False)
class Scenery:
    """A staged scene, its parts, and how far the logit of its class falls without each."""

    stage: Stage
    known: Known
    parts: tuple[np.ndarray, ...]  # True [h, w] on each: the object, then the bars
    falls: np.ndarray  # [parts]


def sceneries(model: nn.Module, preprocess: Preprocess, count: int) -> Iterator[Scenery]:
    """Staged scenes whose class the model sees, and owes to something in them."""
    for made, known in sure_stages(model, preprocess, count):
        fewer = [without_object(made), *(without_bar(made, number) for number in range(len(made.bars)))]
        images = torch.cat([known.image, *(seen(one, preprocess).image for one in fewer)])
        logits = logits_of(model, images, known.target)
        assert known.mask is not None
        yield Scenery(made, known, (known.mask, *bar_masks(made, preprocess.size)), logits[0] - logits[1:])


@torch.no_grad()
def logits_of(model: nn.Module, images: Tensor, target: int) -> np.ndarray:
    return model(images)[:, target].double().cpu().numpy()


def said(values: np.ndarray, parts: tuple[np.ndarray, ...]) -> np.ndarray:
    """What a map says of each part: the mean of its positive values there `[parts]`."""
    shown = enlarged(np.clip(values, 0, None), torch.zeros(1, 1, *parts[0].shape)).numpy()
    return np.array([shown[part].mean() if part.any() else 0.0 for part in parts])


def share(one: float, other: float) -> float:
    """Of two amounts, that of the first; a half where there is nothing of either."""
    return 0.5 if one + other <= 0 else one / (one + other)


def deletion(model: nn.Module, preprocess: Preprocess, count: int) -> Iterator[Trial]:
    """Do the parts come in the order of what their absence does to the logit?"""

    def score(maps: Maps, scenery: Scenery) -> float | None:
        told = said(maps[0], scenery.parts)
        return (
            0.0 if np.ptp(told) == 0 else float(late("scipy.stats").spearmanr(told, scenery.falls).statistic)
        )

    for one in sceneries(model, preprocess, count):
        yield about(model, one, partial(score, scenery=one))


def preservation(model: nn.Module, preprocess: Preprocess, count: int) -> Iterator[Trial]:
    """How likely is the class still where only the part is drawn that the map names first?"""

    def score(maps: Maps, scenery: Scenery, alone: np.ndarray) -> float | None:
        told = said(maps[0], scenery.parts)
        return float(alone[told == told.max()].mean())

    for one in sceneries(model, preprocess, count):
        only = [replace(one.stage, bars=())]
        only += [replace(one.stage, has_object=False, bars=(bar,)) for bar in one.stage.bars]
        images = torch.cat([seen(made, preprocess).image for made in only])
        with torch.no_grad():
            alone = model(images).softmax(dim=1)[:, one.known.target].cpu().numpy()
        yield about(model, one, partial(score, scenery=one, alone=alone))


def distractibility(model: nn.Module, preprocess: Preprocess, count: int) -> Iterator[Trial]:
    """How little is said of bars that do not matter, beside what is said of the object?"""

    def score(maps: Maps, scenery: Scenery) -> float | None:
        matters = np.abs(scenery.falls[1:]) >= UNIMPORTANT * abs(scenery.falls[0])
        told = said(maps[0], scenery.parts)
        return None if matters.all() else share(told[0], told[1:][~matters].mean())

    for one in sceneries(model, preprocess, count):
        yield about(model, one, partial(score, scenery=one))


def background(model: nn.Module, preprocess: Preprocess, count: int) -> Iterator[Trial]:
    """How near to its true share is what is said of the background?

    True is how far the logit changes before other backgrounds, beside how far it falls without the object.
    """

    def score(maps: Maps, parts: tuple[np.ndarray, ...], true: float) -> float | None:
        on_object, behind = said(maps[0], parts)
        return 1 - abs(share(behind, on_object) - true)

    for one in sceneries(model, preprocess, count):
        others = [seen(before(one.stage, stage(seed)), preprocess).image for seed in RIVALS[:4]]
        logits = logits_of(model, torch.cat([one.known.image, *others]), one.known.target)
        changed = float(np.abs(logits[1:] - logits[0]).mean())
        true = share(changed, max(float(one.falls[0]), 0.0))
        parts = (one.parts[0], ~np.any(one.parts, axis=0))
        yield about(model, one, partial(score, parts=parts, true=true))


def target_sensitivity(model: nn.Module, preprocess: Preprocess, count: int) -> Iterator[Trial]:
    """Of two objects, does each class's map name its own?

    Only scenes count where each logit falls further without its own object than without the other; half a
    point a class, a quarter where a map says the same of both.
    """

    def score(maps: Maps, parts: tuple[np.ndarray, ...]) -> float | None:
        own = [np.sign(told[0] - told[1]) for told in (said(maps[0], parts), said(maps[1], parts[::-1]))]
        return float(np.mean([(one + 1) / 2 for one in own]))

    found = 0
    for made, _ in sure_stages(model, preprocess, 20 * count):
        plain = replace(made, bars=())
        other = next((one for one in map(stage, RIVALS) if apart(plain, one)), None)
        if other is None or found == count:
            continue
        two = seen(plain, preprocess, other)
        without = [seen(without_object(plain), preprocess, other), seen(plain, preprocess)]
        images = torch.cat([two.image, *(one.image for one in without)])
        falls = [logits_of(model, images, one.label) for one in (plain, other)]
        if all(fall[0] - fall[1 + own] > max(0, fall[0] - fall[2 - own]) for own, fall in enumerate(falls)):
            found += 1
            masks = tuple(render(one, preprocess.size).mask for one in (plain, other))
            asked = tuple(Question(model, two.image, one.label) for one in (plain, other))
            yield Trial(asked, partial(score, parts=masks), masks)


def apart(one: Stage, other: Stage) -> bool:
    """Whether two objects are of two classes and do not touch."""
    far = np.hypot(one.row - other.row, one.column - other.column) > one.radius + other.radius
    return far and one.label != other.label


def about(model: nn.Module, scenery: Scenery, score) -> Trial:
    asked = Question(model, scenery.known.image, scenery.known.target)
    return Trial((asked,), score, scenery.parts[:1])
