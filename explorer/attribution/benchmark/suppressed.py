"""Suppressors: a background that tells nothing of the class, and that a model needs to read what does.

XAI-TRIS (Clark et al., 2024) after Haufe et al. (2014): what lies behind the object lies on it as well, so a
good model takes it off, and its weights there are as large as on the object. Whoever looks for what tells the
class is misled by a map of such a model, though the map may be true of the model.

`taken_off` is two small networks written by hand that do just that; `suppressor` lays such a background
over staged scenes and holds maps against what it truly does to a nano's logit.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from einops import rearrange, repeat
from PIL import Image
from torch import Tensor, nn

from explorer.attribution.benchmark import by_hand
from explorer.attribution.benchmark.by_hand import PATCH, PLACES, in_pixels, on_what_decides, places
from explorer.attribution.benchmark.interventions import logits_of, share
from explorer.attribution.benchmark.pictures import Known, probability
from explorer.attribution.benchmark.planted import RATHER_SURE, sure_stages
from explorer.attribution.benchmark.staged import Stage, render, without_object
from explorer.attribution.benchmark.trials import Maps, Question, Trial
from explorer.attribution.localization import enlarged
from explorer.pictures import to_image
from models.registry import Preprocess

BEHIND, GRAIN, SIGNAL = 0.5, 0.02, 0.1  # of brightness: deviation of the background, of noise; what is added
SMOOTH, STRENGTH = 10 / 64, 0.12  # of the field: width as a share of the side, as in the paper; deviation


# Written by hand


def permutator() -> nn.Module:
    """The Permutator that takes one row to every row takes another off it."""
    network: Any = by_hand.permutator()
    mixing = network.stages[0].blocks[0].token_mixing
    for row in range(PLACES):
        mixing.mlp_h.weight[4 * row + 1, 0], mixing.mlp_h.weight[4 * row + 3, 0] = -1, 1
    return network


def fasternet() -> nn.Module:
    """The FasterNet that looks at one corner takes the opposite one off it."""
    network: Any = by_hand.fasternet()
    network.stages[1].downsample.proj.weight[0, 0, -1, -1] = -1
    return network


@dataclass(frozen=True)
class TakenOff:
    """A network written by hand, the places `[4, 4]` of the object, and those it takes off."""

    network: Callable[[], nn.Module]
    object: np.ndarray
    suppressor: np.ndarray


def row(number: int) -> np.ndarray:
    return places(*((number, column) for column in range(PLACES)))


TAKEN_OFF: MappingProxyType[str, TakenOff] = MappingProxyType(
    {
        "Vision Permutator": TakenOff(permutator, row(by_hand.ROW), row(0)),
        "FasterNet": TakenOff(fasternet, places(by_hand.CORNER), places((PLACES - 1, PLACES - 1))),
    }
)


def picture(one: TakenOff, seed: int) -> tuple[Tensor, int]:
    """An image `[1, 3, 32, 32]` in [-1, 1] and its class: whether the object is brighter than what is behind.

    The brightness of the background is the same at every place, but for noise, and it lies on the object too.
    """
    dice = np.random.default_rng(seed)
    label = int(dice.integers(2))
    bright = dice.uniform(-1, 1) * BEHIND + GRAIN * dice.standard_normal((PLACES, PLACES))
    bright = bright + one.object * SIGNAL * (2 * label - 1)
    image = repeat(torch.from_numpy(bright).float(), "h w -> 1 3 (h ph) (w pw)", ph=PATCH, pw=PATCH)
    return image.contiguous(), label


def taken_off(family: str, count: int) -> Iterator[Trial]:
    """The network of a family: what tells the class is the object, what it takes off tells nothing of it."""
    one = TAKEN_OFF[family]
    network = one.network()
    for seed in range(count):
        image, _ = picture(one, seed)
        score = partial(on_what_decides, decides=one.object)
        yield Trial((Question(network, image, 1),), score, (in_pixels(one.object),))


# On scenes


def field(seed: int, size: int) -> np.ndarray:
    """A smooth field of brightness `[h, w]`, white noise through a Gaussian; its deviation is `STRENGTH`."""
    white = np.random.default_rng(seed).standard_normal((size, size))
    waves = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.fftfreq(size))
    passed = np.exp(-2 * (np.pi * SMOOTH * size * waves) ** 2)
    made = np.fft.ifft2(np.fft.fft2(white) * passed).real
    return STRENGTH * (made - made.mean()) / made.std()


def laid_over(stage: Stage, size: int, where: np.ndarray | None = None) -> np.ndarray:
    """A staged scene uint8 `[h, w, 3]` with its field of brightness over it, everywhere or at some places."""
    added = field(stage.noise, size) * (1 if where is None else where)
    made = render(stage, size).picture / 255 + rearrange(added, "h w -> h w 1")
    return np.clip(255 * made, 0, 255).astype(np.uint8)


def suppressor(model: nn.Module, preprocess: Preprocess, count: int) -> Iterator[Trial]:
    """How near to its true share is what is said of a field that lies on the object and around it?

    True is how far the logit changes when the field goes everywhere but from the object, beside how far it
    changes when the object goes. What a map says counts without sign, for a suppressor speaks against.
    """

    def score(maps: Maps, mask: np.ndarray, true: float) -> float | None:
        shown = enlarged(np.abs(maps[0]), torch.zeros(1, 1, *mask.shape)).numpy()
        return 1 - abs(share(float(shown[~mask].mean()), float(shown[mask].mean())) - true)

    found = 0
    for stage, plain in sure_stages(model, preprocess, 20 * count):
        mask = plain.mask
        assert mask is not None
        known = as_seen(laid_over(stage, preprocess.size), stage, preprocess)
        if found == count or probability(model, known) < RATHER_SURE:
            continue
        found += 1
        fewer = (
            laid_over(stage, preprocess.size, where=mask),
            laid_over(without_object(stage), preprocess.size),
        )
        others = [as_seen(one, stage, preprocess).image for one in fewer]
        logits = logits_of(model, torch.cat([known.image, *others]), known.target)
        without_field, without_it = np.abs(logits[1:] - logits[0])
        true = share(float(without_field), float(without_it))
        yield Trial(
            (Question(model, known.image, known.target),), partial(score, mask=mask, true=true), (mask,)
        )


def as_seen(pixels: np.ndarray, stage: Stage, preprocess: Preprocess) -> Known:
    image, _ = to_image(Image.fromarray(pixels), preprocess)
    return Known(image, stage.label)
