"""Small members of three families whose weights are written by hand, so that what decides is known exactly.

AttributionLab (Zhang et al., 2023) writes weights into plain networks; here they are written into ours. Each
has a patch of 8 pixels on 32, hence 4 x 4 places. The logit of class 1 is, but for a constant, the sum of the
mean brightness at some places: the true map is that of a linear model, and nothing elsewhere.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from einops import reduce, repeat
from torch import Tensor, nn

from explorer.attribution.baselines import baseline_of
from explorer.attribution.benchmark.pictures import of_scenes
from explorer.attribution.benchmark.trials import Maps, Question, Trial
from explorer.attribution.localization import enlarged
from models.fasternet import FasterNet, FasterNetConfig
from models.mlp_mixer import MixerConfig, MlpMixer
from models.preprocess import SCENES, Preprocess
from models.vision_permutator import VipConfig, VisionPermutator

SIZE, PATCH = 32, 8
PLACES = SIZE // PATCH  # along a side
SEEN = replace(SCENES, size=SIZE)
CONSTANT = 300.0  # so large that a layer norm divides by it, and hardly by anything else
SHIFT = 10.0  # so far to the right a GELU is the identity
ROW, CORNER, PAIR = 3, (0, 0), ((1, 2), (2, 0))  # the places that decide


def emptied(network: nn.Module) -> Any:
    """The network with all weights zero, for somebody to write."""
    for parameter in network.parameters():
        nn.init.zeros_(parameter)
    return network.requires_grad_(False).eval()


def see_brightness(patches: nn.Conv2d, opposite: int) -> None:
    """Channel 0 becomes the mean brightness of a patch, `opposite` its negative: their mean is 0."""
    patches.weight[0], patches.weight[opposite] = 1 / (3 * PATCH**2), -1 / (3 * PATCH**2)


def see_constants(patches: nn.Conv2d) -> None:
    """The last two channels become a constant and its negative."""
    assert patches.bias is not None
    patches.bias[-2], patches.bias[-1] = CONSTANT, -CONSTANT


def undo(norm: nn.LayerNorm, *constants: float) -> None:
    """A layer norm that multiplies again by what it divides by: the deviation of its constants."""
    values = torch.zeros(norm.normalized_shape)
    values[-len(constants) :] = torch.tensor(constants)
    nn.init.constant_(norm.weight, float(values.std(correction=0)))


def permutator() -> nn.Module:
    """A Vision Permutator whose height branch alone decides: it takes row `ROW` to every row.

    Of the four channels of a segment the stem fills the first and the third; the height branch fills the
    second and the fourth, and the head reads the second.
    """
    width = 4 * PLACES
    cfg = VipConfig(image_size=SIZE, patch_size=PATCH, dims=(width,), depths=(1,), num_classes=2)
    network = emptied(VisionPermutator(cfg))
    block = network.stages[0].blocks[0]
    see_brightness(network.stem.proj, opposite=2)
    see_constants(network.stem.proj)
    for norm in (block.norm1, network.norm):
        undo(norm, CONSTANT, -CONSTANT)
    mixing = block.token_mixing
    for row in range(PLACES):
        mixing.mlp_h.weight[4 * row + 1, 4 * ROW], mixing.mlp_h.weight[4 * row + 3, 4 * ROW] = 1, -1
    mixing.reweight.fc2.bias[::3] = 100.0  # the softmax over the branches is one for the height
    nn.init.eye_(mixing.proj.weight)
    network.head.weight[1, 1] = PLACES
    return network


def fasternet() -> nn.Module:
    """A FasterNet that looks at one corner: where it merges, it reads one of the 4 x 4 places."""
    merging: Any = {"merge_size": PLACES, "merge_stride": PLACES, "norm": "none"}
    sizes: Any = {"image_size": SIZE, "patch_size": PATCH, "dim": 4, "depths": (1, 1), "feature_dim": 2}
    network = emptied(FasterNet(FasterNetConfig(**sizes, **merging, act="relu", num_classes=2)))
    see_brightness(network.stem.proj, opposite=1)
    row, column = CORNER
    network.stages[1].downsample.proj.weight[0, 0, row, column] = 1
    for unit, sign in enumerate((1, -1)):  # relu(x) - relu(-x) = x
        network.conv_head.weight[unit, 0] = sign
        network.head.weight[1, unit] = sign
    return network


def mixer() -> nn.Module:
    """A Mixer that adds two places: mixing tokens takes away what was there, and puts their sum at the first.

    Hidden unit i carries place i, far enough to the right that the GELU passes it unchanged.
    """
    sizes: Any = {
        "image_size": SIZE,
        "patch_size": PATCH,
        "dim": 8,
        "tokens_dim": PLACES**2,
        "channels_dim": 8,
    }
    network = emptied(MlpMixer(MixerConfig(**sizes, depth=1, num_classes=2)))
    block = network.blocks[0]
    see_brightness(network.stem.proj, opposite=1)
    see_constants(network.stem.proj)
    undo(block.norm1, CONSTANT, -CONSTANT)
    undo(network.norm, 2 * CONSTANT, -CONSTANT - SHIFT)  # the sum of the pair; the GELU cuts what is negative
    mixing = block.token_mixing
    nn.init.eye_(mixing.fc1.weight)
    nn.init.constant_(mixing.fc1.bias, SHIFT)
    nn.init.constant_(mixing.fc2.bias, SHIFT)
    for place in range(PLACES**2):
        mixing.fc2.weight[place, place] = -1
    for row, column in PAIR:
        mixing.fc2.weight[0, row * PLACES + column] += 1
        mixing.fc2.bias[0] -= SHIFT
    network.head.weight[1, 0], network.head.weight[1, 1] = PLACES**2 / 2, -(PLACES**2) / 2
    return network


@dataclass(frozen=True)
class ByHand:
    """A network whose weights are written by hand, and the places `[4, 4]` that decide."""

    network: Callable[[], nn.Module]
    decides: np.ndarray
    words: str


def places(*chosen: tuple[int, int]) -> np.ndarray:
    found = np.zeros((PLACES, PLACES), bool)
    for place in chosen:
        found[place] = True
    return found


BY_HAND: MappingProxyType[str, ByHand] = MappingProxyType(
    {
        "Vision Permutator": ByHand(
            permutator,
            places(*((ROW, column) for column in range(PLACES))),
            "its height branch alone decides",
        ),
        "FasterNet": ByHand(fasternet, places(CORNER), "it looks at one corner"),
        "MLP-Mixer": ByHand(mixer, places(*PAIR), "it adds two places"),
    }
)


def true_map(one: ByHand, image: Tensor, preprocess: Preprocess = SEEN) -> np.ndarray:
    """What each pixel `[h, w]` adds to the logit of class 1 on the way from black."""
    change = image - baseline_of(image, preprocess, "black")
    weight = repeat(one.decides / PATCH**2, "h w -> (h ph) (w pw)", ph=PATCH, pw=PATCH)
    return reduce(change, "1 c h w -> h w", "mean").cpu().numpy() * weight


def on_what_decides(maps: Maps, decides: np.ndarray) -> float:
    """The share of a map, without sign, that lies on the places that decide."""
    known = in_pixels(decides)
    shown = enlarged(np.abs(maps[0]), torch.zeros(1, 1, *known.shape)).numpy()
    return float(shown[known].sum() / max(shown.sum(), 1e-12))


def in_pixels(decides: np.ndarray) -> np.ndarray:
    """Places as pixels: True `[h, w]` on those that decide."""
    return repeat(decides, "h w -> (h ph) (w pw)", ph=PATCH, pw=PATCH)


def by_hand(family: str, count: int) -> Iterator[Trial]:
    """Scenes shown to the network of a family."""
    one = BY_HAND[family]
    network = one.network()
    for _, known in zip(range(count), of_scenes(SEEN), strict=False):
        score = partial(on_what_decides, decides=one.decides)
        yield Trial((Question(network, known.image, 1),), score, (in_pixels(one.decides),))
