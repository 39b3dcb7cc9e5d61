"""The score card of a map, part by part: what `explorer.attribution.faithfulness` measures, and what it says.

A map is never judged by one number, and never without its controls.
"""

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np

from explorer.attribution.faithfulness import (
    LEVELS,
    Curves,
    Subject,
    control_map,
    correlation,
    curves,
    losing,
    sensitive,
    unfaithful,
)
from explorer.attribution.localization import Cause, Localisation, localised
from explorer.attribution.methods.controls import noise_for
from explorer.attribution.registry import CONTROLS
from explorer.in_notebook import InNotebook

T = TypeVar("T")
RANDOM_MAPS = 20  # beside which a map has to stand out
SAME = "The map is the same everywhere: there is nothing to score."


@dataclass(frozen=True)
class ScoreCard(InNotebook):
    """What is known so far of one map; `done` of `total` parts."""

    method: str
    target: int
    curves: dict[str, Curves] = field(default_factory=dict)  # of the method and the controls
    random_scores: tuple[float, ...] = ()  # of `RANDOM_MAPS` random maps of the same resolution
    infidelity: float | None = None  # 0 foretells every change, 1 none; None where nothing changes
    sensitivity: float | None = None  # largest relative change of the map for a hardly changed picture
    randomised: tuple[float | None, ...] = ()  # rank correlation after each level, top layers first
    localisation: Localisation | None = None  # where the cause is known
    cause: str = ""  # the class it is the cause of
    constant: bool = False  # the map is the same everywhere, and nothing else is told
    done: int = 0
    total: int = 0

    @property
    def probability(self) -> tuple[float, float] | None:
        """Of the class, on the picture and on what is left when every place is taken away."""
        mine = self.curves.get(self.method)
        return None if mine is None else (float(mine.deletion[0]), float(mine.deletion[-1]))

    @property
    def line(self) -> str:
        """The card in one sentence."""
        if self.constant:
            return SAME
        parts = [*self.beside_controls]
        if self.probability and self.probability[1] > max(0.5, self.probability[0]):
            share = f"{self.probability[1]:.0%}"
            parts.append(f"the emptied picture has {share} of this class itself: the curves say little")
        if len(self.randomised) == LEVELS:
            last = self.randomised[-1]
            if last is None:
                parts.append("too few values to tell whether it changes when weights are randomised")
            else:
                changes = "changes" if abs(last) < 0.5 else "hardly changes"
                parts.append(f"{changes} when weights are randomised ({last:.2f})")
        if self.localisation:
            hit = "points at" if self.localisation.pointing > 0.5 else "misses"
            parts.append(f"{hit} the cause of {self.cause} ({self.localisation.mass:.0%} of its mass on it)")
        return "; ".join(parts)

    @property
    def beside_controls(self) -> Iterator[str]:
        """How the map stands beside each control: better or worse only beyond the spread of random maps."""
        if self.method not in self.curves or len(self.random_scores) < RANDOM_MAPS:
            return
        score, low, high = self.curves[self.method].score, min(self.random_scores), max(self.random_scores)
        controls = {"random": float(np.mean(self.random_scores))}
        controls |= {name: found.score for name, found in self.curves.items() if name in CONTROLS[1:]}
        for name, control in controls.items():
            if name == self.method:
                continue
            gain = score - control
            if abs(gain) <= (high - low) / 2 or (name == "random" and low <= score <= high):
                spread = f"random maps spread over {high - low:.2f}"
                yield f"neither beats {name} nor loses to it ({gain:+.2f}, while {spread})"
            else:
                yield f"{'beats' if gain > 0 else 'loses to'} {name} by {abs(gain):.2f}"


def score_card(subject: Subject, cause: Cause | None = None) -> Iterator[ScoreCard]:
    """The card, part by part. cause: where the picture's true cause is, where that is known."""
    shown_too = dict.fromkeys((subject.method, *CONTROLS))
    total = len(shown_too) + RANDOM_MAPS + 2 + LEVELS
    card = ScoreCard(subject.method, subject.target, total=total)
    values = yield from waiting(card, subject.map_of(subject.image))
    if np.ptp(values) == 0 or not np.isfinite(values).all():
        yield replace(card, constant=True, done=total)
        return
    if cause is not None:
        card = replace(card, localisation=localised(values, cause.places), cause=cause.label)
    height, width = values.shape
    for name in shown_too:
        shown = values
        if name != subject.method:
            shown = yield from waiting(card, control_map(subject, name, (height, width)))
        made = yield from waiting(card, curves(subject, shown))
        card = more(card, curves={**card.curves, name: made})
        yield card
    for seed in range(RANDOM_MAPS):
        noise = noise_for(subject.image, seed, (height, width))
        made = yield from waiting(card, curves(subject, noise))
        card = more(card, random_scores=(*card.random_scores, made.score))
        yield card
    card = more(card, infidelity=(yield from waiting(card, unfaithful(subject, values))))
    yield card
    card = more(card, sensitivity=(yield from waiting(card, sensitive(subject))))
    yield card
    first = yield from waiting(card, subject.lightly.map_of(subject.image))
    for model in losing(subject.model):
        other = yield from waiting(card, subject.lightly.map_of(subject.image, model=model))
        card = more(card, randomised=(*card.randomised, correlation(first, other)))
        yield card


def waiting(card: ScoreCard, work: Generator[None, None, T]) -> Generator[ScoreCard, None, T]:
    """The work done, the card as it is shown again and again meanwhile."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value
        yield card


def more(card: ScoreCard, **found) -> ScoreCard:
    return replace(card, done=card.done + 1, **found)
