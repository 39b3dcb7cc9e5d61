"""How far an attribution map can be trusted: never one number, and never without its controls.

Deletion and insertion ask whether the places the map names matter to the model; infidelity whether its sizes
foretell what a change does; sensitivity whether it stays when the picture hardly changes; randomisation
whether it depends on what was learned; and where the true cause is known, localisation whether it is found.
"""

from collections.abc import Generator, Iterator
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np
import torch
from captum.metrics import infidelity, sensitivity_max
from einops import rearrange, repeat
from scipy.stats import spearmanr
from torch import Tensor, nn

from explorer.attribution.baselines import baseline_of
from explorer.attribution.localization import Localisation, enlarged, localised
from explorer.attribution.methods.case import PIXELS_AT_ONCE
from explorer.attribution.options import Options
from explorer.attribution.registry import CONTROLS, attributions
from models.random_state import seeded
from models.registry import Preprocess

T = TypeVar("T")
STEPS = 16  # of the curves
LEVELS = 4  # of the randomisation
PERTURBED = 4  # pictures for sensitivity, and ten times as many for infidelity
RADIUS = 0.02  # of the noise for sensitivity, as a share of the image's range


@dataclass(frozen=True)
class Curves:
    """Probability of the class `[STEPS + 1]` as the places named first are taken away, or put back."""

    deletion: np.ndarray
    insertion: np.ndarray

    @property
    def areas(self) -> tuple[float, float]:
        """Under the two curves, by the trapezoid rule, in [0, 1]."""
        deletion, insertion = (
            float(np.trapezoid(curve, dx=1 / STEPS)) for curve in (self.deletion, self.insertion)
        )
        return deletion, insertion

    @property
    def score(self) -> float:
        """Insertion minus deletion: 1 at best, -1 at worst, about 0 for a map that says nothing."""
        deletion, insertion = self.areas
        return insertion - deletion


@dataclass(frozen=True)
class ScoreCard:
    """What is known so far of one map; `done` of `total` parts."""

    method: str
    target: int
    curves: dict[str, Curves] = field(default_factory=dict)  # of the method and the controls
    infidelity: float | None = None  # of the map scaled as well as it can be; 0 is perfect, 1 says nothing
    sensitivity: float | None = None  # largest relative change of the map for a hardly changed picture
    randomised: tuple[float, ...] = ()  # rank correlation with the map after each level, top layers first
    localisation: Localisation | None = None  # where the cause is known
    done: int = 0
    total: int = 0

    @property
    def line(self) -> str:
        """The card in one sentence."""
        parts = []
        for control in CONTROLS:
            if control in self.curves and self.method in self.curves and control != self.method:
                gain = self.curves[self.method].score - self.curves[control].score
                parts.append(f"{'beats' if gain > 0 else 'loses to'} {control} by {abs(gain):.2f}")
        if len(self.randomised) == LEVELS:
            last = self.randomised[-1]
            changes = "changes" if abs(last) < 0.5 else "hardly changes"
            parts.append(f"{changes} when weights are randomised ({last:.2f})")
        if self.localisation:
            hit = "points at" if self.localisation.pointing else "misses"
            parts.append(f"{hit} the cause ({self.localisation.mass:.0%} of its mass on it)")
        return "; ".join(parts)


@dataclass(frozen=True)
class Subject:
    """A map and what it explains."""

    model: nn.Module
    image: Tensor
    preprocess: Preprocess
    method: str
    target: int
    options: Options

    @property
    def lightly(self) -> "Subject":
        """The same with fewer steps and samples, for what has to be computed again and again."""
        few = {
            "steps": 12,
            "samples": 6,
            "cells": 8,
            "segments": 16,
            "draws": 60,
            "orders": 2,
            "channels": 16,
        }
        given = {name: min(value, getattr(self.options, name)) for name, value in few.items()}
        return replace(self, options=replace(self.options, **given))

    def map_of(
        self, image: Tensor, model: nn.Module | None = None, method: str | None = None
    ) -> Generator[None, None, np.ndarray]:
        """Comes to the finished map `[h, w]` of this method, perhaps of another image or model.

        Gives way after every part, so that whoever waits can leave.
        """
        values = np.zeros((1, 1), np.float32)
        for found in attributions(
            model or self.model,
            image,
            self.preprocess,
            method=method or self.method,
            target=self.target,
            options=self.options,
        ):
            values = found.values
            yield
        return values


def score_card(subject: Subject, cause: np.ndarray | None = None) -> Iterator[ScoreCard]:
    """The card, part by part. cause: True `[h, w]` where the picture's true cause is, where that is known."""
    shown_too = dict.fromkeys((subject.method, *CONTROLS))
    card = ScoreCard(subject.method, subject.target, total=len(shown_too) + 2 + LEVELS)
    values = yield from waiting(card, subject.map_of(subject.image))
    if cause is not None:
        card = replace(card, localisation=localised(values, cause))
    for name in shown_too:
        shown = values
        if name != subject.method:
            shown = yield from waiting(card, subject.map_of(subject.image, method=name))
        made = yield from waiting(card, curves(subject, shown))
        card = more(card, curves={**card.curves, name: made})
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


def curves(subject: Subject, values: np.ndarray) -> Generator[None, None, Curves]:
    """Places from the largest value down, taken from the picture, or put into a blurred one."""
    image = subject.image
    order = enlarged(values, image).flatten().argsort(descending=True, stable=True)
    rank = torch.empty_like(order).scatter_(0, order, torch.arange(len(order), device=order.device))
    rank = rearrange(rank, "(h w) -> 1 1 h w", h=image.shape[-2])
    nothing = baseline_of(image, subject.preprocess, "mean")
    hidden = baseline_of(image, subject.preprocess, "blur")
    counts = torch.linspace(0, len(order), STEPS + 1, device=image.device)
    named = rank < rearrange(counts, "n -> n 1 1 1")
    deletion = yield from logits(subject, torch.where(named, nothing, image))
    insertion = yield from logits(subject, torch.where(named, image, hidden))
    return Curves(*(one.softmax(dim=1)[:, subject.target].cpu().numpy() for one in (deletion, insertion)))


def logits(subject: Subject, images: Tensor) -> Generator[None, None, Tensor]:
    """Of many images `[n, classes]`, a few at a time."""
    at_once = max(1, PIXELS_AT_ONCE // (images.shape[-1] * images.shape[-2]))
    told = []
    for some in images.split(at_once):
        with torch.no_grad():
            told.append(subject.model(some))
        yield
    return torch.cat(told)


def unfaithful(subject: Subject, values: np.ndarray) -> Generator[None, None, float]:
    """Infidelity for random squares replaced by the mean colour (Yeh et al., 2019).

    The map is scaled as well as it can be first, and the error is given in parts of what the changes of
    the logit themselves amount to: a map that foretells nothing gets 1.
    """
    image = subject.image
    nothing = baseline_of(image, subject.preprocess, "mean")
    height, width = image.shape[-2:]
    count = 10 * PERTURBED
    covered = squares(count, height, width).to(image.device)
    told = yield from logits(subject, torch.cat([image, torch.where(covered, nothing, image)]))
    answers = told[:, subject.target]

    def known(inputs: Tensor) -> Tensor:
        """The answers that are there: one for the picture, or one for each square."""
        return (
            answers[:1].expand(len(inputs)) if torch.equal(inputs, image.expand_as(inputs)) else answers[1:]
        )

    def perturbed(inputs: Tensor, *_baselines) -> tuple[Tensor, Tensor]:
        """Where squares lie, as what Captum multiplies the map with, and the pictures so changed."""
        return covered.expand_as(inputs).to(inputs), torch.where(covered, nothing, inputs)

    share = enlarged(values, image) * values.size / (height * width * image.shape[1])
    error = infidelity(
        known,
        perturbed,
        image,
        repeat(share, "h w -> 1 c h w", c=image.shape[1]),
        n_perturb_samples=count,
        normalize=True,
    )
    drops = answers[:1] - answers[1:]
    return float(error) / max(float(drops.square().mean()), 1e-12)


def squares(count: int, height: int, width: int) -> Tensor:
    """Random squares `[count, 1, h, w]`, always the same."""
    dice = np.random.default_rng(0)
    covered = torch.zeros(count, 1, height, width, dtype=torch.bool)
    for one in covered:
        side = max(2, int(dice.uniform(0.15, 0.5) * min(height, width)))
        top, left = dice.integers(0, height - side + 1), dice.integers(0, width - side + 1)
        one[:, top : top + side, left : left + side] = True
    return covered


def sensitive(subject: Subject) -> Generator[None, None, float]:
    """Largest change of the map, in parts of the map, for noise nobody sees (Yeh et al., 2019).

    The pictures are drawn first, then explained one by one, then handed to Captum.
    """
    image, subject = subject.image, subject.lightly
    reach = RADIUS * float(image.max() - image.min())
    dice = torch.Generator().manual_seed(0)
    noise = reach * (2 * torch.rand(PERTURBED, *image.shape[1:], generator=dice) - 1)
    pictures = torch.cat([image, image + noise.to(image)])
    maps = []
    for picture in pictures.split(1):
        maps.append((yield from subject.map_of(picture)))
    explained = torch.from_numpy(np.stack(maps))

    def known(images: tuple[Tensor, ...]) -> tuple[Tensor]:
        # A bare tensor Captum would take apart into its rows.
        return (explained[:1],) if len(images[0]) == 1 else (explained[1:],)

    found = sensitivity_max(
        known, image, perturb_func=lambda *_: (pictures[1:],), n_perturb_samples=PERTURBED
    )
    return float(found)


def losing(model: nn.Module) -> Iterator[nn.Module]:
    """Copies that lose more and more of what was learned, the top layers first (Adebayo et al., 2018)."""
    model = deepcopy(model)
    resets = [getattr(module, "reset_parameters", None) for module in model.modules()]
    layers = [reset for reset in resets if reset]
    for level in range(LEVELS):
        start, stop = (len(layers) * part // LEVELS for part in (level, level + 1))
        with seeded(level):
            for reset in layers[::-1][start:stop]:
                reset()
        yield model.requires_grad_(False)


def correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Spearman's; none, that is 0, where a map is the same everywhere."""
    if np.ptp(one) == 0 or np.ptp(other) == 0 or not np.isfinite(other).all():
        return 0.0
    return float(spearmanr(one.ravel(), other.ravel()).statistic)
