"""How far an attribution map can be trusted: never one number, and never without its controls.

Deletion and insertion ask whether the places the map names matter to the model; infidelity whether its sizes
foretell what a change does; sensitivity whether it stays when the picture hardly changes; randomisation
whether it depends on what was learned; and where the true cause is known, localisation whether it is found.
"""

from collections.abc import Generator, Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from einops import rearrange, reduce
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d

from explorer.attribution.baselines import baseline_of
from explorer.attribution.localization import enlarged
from explorer.attribution.methods.batches import images_at_once
from explorer.attribution.methods.controls import noise_for
from explorer.attribution.options import Options
from explorer.attribution.running import attributions
from explorer.engine.late_imports import late
from models.random_state import seeded
from models.registry import Preprocess

STEPS = 16  # of the curves
LEVELS = 4  # of the randomisation
PERTURBED = 4  # pictures for sensitivity, and ten times as many for infidelity
RADIUS = 0.02  # of the noise for sensitivity, as a share of the image's range
FEWEST_PLACES = 16  # that a rank correlation says anything about


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
        given: dict[str, Any] = {
            name: min(value, getattr(self.options, name) or value) for name, value in few.items()
        }
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


def control_map(subject: Subject, name: str, shape: tuple[int, int]) -> Generator[None, None, np.ndarray]:
    """Comes to a control at the resolution of the map it stands beside: noise, or each cell's mean slope."""
    if name == "random":
        return noise_for(subject.image, subject.options.seed, shape)
    values = yield from subject.map_of(subject.image, method=name)
    return adaptive_avg_pool2d(torch.from_numpy(values)[None, None], shape)[0, 0].numpy()


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
    told = []
    for some in images.split(images_at_once(subject.model, images[:1])):
        with torch.no_grad():
            told.append(subject.model(some))
        yield
    return torch.cat(told)


def unfaithful(subject: Subject, values: np.ndarray) -> Generator[None, None, float | None]:
    """Infidelity (Yeh et al., 2019) for random squares replaced by the mean colour, beyond their areas.

    What the map foretells for a square is the sum of its values there. From the drops and from what is
    foretold, the part is taken off that the area of the square explains; then the map is scaled as well as it
    can be by a factor of no less than zero, and the error is told in parts of the drops. A map that is the
    same everywhere gets 1, and so does one that foretells the opposite. None where nothing is left to tell.
    """
    image = subject.image
    nothing = baseline_of(image, subject.preprocess, "mean")
    height, width = image.shape[-2:]
    covered = squares(10 * PERTURBED, height, width).to(image.device)
    told = yield from logits(subject, torch.cat([image, torch.where(covered, nothing, image)]))
    drops = (told[0, subject.target] - told[1:, subject.target]).double().cpu()
    share = enlarged(values, image).double() * values.size / (height * width)
    foretold = reduce(share * covered, "n 1 h w -> n", "sum").cpu()
    areas = reduce(covered.double(), "n 1 h w -> n", "sum").cpu()
    drops, foretold = beyond(drops, areas), beyond(foretold, areas)
    if float(drops.square().sum()) < 1e-12:
        return None
    scale = float(foretold @ drops) / max(float(foretold.square().sum()), 1e-30)
    return float((drops - max(scale, 0.0) * foretold).square().sum() / drops.square().sum())


def beyond(values: Tensor, areas: Tensor) -> Tensor:
    """What is left of values when they are explained by areas as well as a factor can."""
    return values - areas * (values @ areas) / (areas @ areas)


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

    found = late("captum.metrics").sensitivity_max(
        known, image, perturb_func=lambda *_: (pictures[1:],), n_perturb_samples=PERTURBED
    )
    return float(found)


def losing(model: nn.Module) -> Iterator[nn.Module]:
    """Copies that lose more and more of what was learned, the top layers first (Adebayo et al., 2018).

    The random numbers are drawn on the processor, so they are the same on every device.
    """
    device = next(model.parameters()).device
    model = deepcopy(model).cpu().requires_grad_(False)
    resets = [getattr(module, "reset_parameters", None) for module in model.modules()]
    layers = [reset for reset in resets if reset]
    for level in range(LEVELS):
        start, stop = (len(layers) * part // LEVELS for part in (level, level + 1))
        with seeded(level):
            for reset in layers[::-1][start:stop]:
                reset()
        yield deepcopy(model).to(device)


def correlation(one: np.ndarray, other: np.ndarray) -> float | None:
    """Spearman's; None, which says nothing, for a map that is the same everywhere or has few places."""
    if one.size < FEWEST_PLACES or np.ptp(one) == 0 or np.ptp(other) == 0 or not np.isfinite(other).all():
        return None
    return float(late("scipy.stats").spearmanr(one.ravel(), other.ravel()).statistic)
