"""Captum's attribution methods, cut into parts that can be shown, counted and stopped.

Each is a generator over one `Case` and yields a `Part` after every Captum call.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import torch
from captum.attr import (
    FeatureAblation,
    GradientShap,
    InputXGradient,
    IntegratedGradients,
    LayerGradCam,
    NoiseTunnel,
    Saliency,
)
from captum.attr._utils.approximation_methods import approximation_parameters
from einops import rearrange, repeat
from torch import Tensor, nn

from explorer.capture import hooked, probes
from explorer.dice import Dice
from models.probe import Kind, Probe

PIXELS_AT_ONCE = 8 * 64 * 64  # per Captum call: long enough to be efficient, short enough to be stopped


@dataclass(frozen=True)
class Options:
    """What a method may be told; each uses what it needs."""

    steps: int = 50  # of the path of Integrated Gradients
    samples: int = 24  # noisy copies for SmoothGrad and GradientShap
    noise: float = 0.15  # their standard deviation, as a share of the image's range of values
    cells: int = 16  # occlusion windows along a side, at the finest
    layer: str | None = None  # a feature map, for Grad-CAM; None means the last
    baseline: str = "black"  # what counts as nothing, see `attribution.BASELINES`
    seed: int = 0


@dataclass(frozen=True)
class Case:
    """What is to be explained: the logit `target` of `image` `[1, 3, h, w]`, against `baseline` alike."""

    model: nn.Module
    image: Tensor
    baseline: Tensor
    target: int
    options: Options

    @property
    def at_once(self) -> int:
        """Images in one Captum call; the same for everybody, so that results are."""
        return max(1, PIXELS_AT_ONCE // (self.image.shape[-1] * self.image.shape[-2]))


class Part(NamedTuple):
    """How far a method is, and its best map `[1, c, h, w]` so far."""

    done: int
    total: int
    values: Tensor


def saliency(case: Case) -> Iterator[Part]:
    """Size of the gradient (Simonyan et al., 2014)."""
    yield Part(1, 1, Saliency(case.model).attribute(wanting(case.image), case.target))


def input_x_gradient(case: Case) -> Iterator[Part]:
    yield Part(1, 1, InputXGradient(case.model).attribute(wanting(case.image), case.target))


def grad_cam(case: Case) -> Iterator[Part]:
    """Channels weighted by their mean gradient (Selvaraju et al., 2017), without its final ReLU.

    What speaks against the class stays visible as negative values.
    """
    maps = probes(case.model, Kind.FEATURE_MAP)
    probe = maps[case.options.layer or list(maps)[-1]]
    with channels_first(probe) as layer:
        values = LayerGradCam(case.model, layer).attribute(wanting(case.image), case.target)
    yield Part(1, 1, values)


@contextmanager
def channels_first(probe: Probe) -> Iterator[nn.Module]:
    """A module the probed map passes as `[b, c, h, w]`, the only layout Captum's layers know."""
    through = nn.Identity()

    def detour(_probe: Probe, _args: tuple, value: Tensor) -> Tensor:
        seen = through(rearrange(probe.canonical(value), "b h w c -> b c h w"))
        return probe.native(rearrange(seen, "b c h w -> b h w c"))

    with hooked({probe: detour}):
        yield through


def integrated_gradients(case: Case) -> Iterator[Part]:
    """Gradients summed along the straight path from the baseline (Sundararajan et al., 2017).

    The steps are those of one Captum call, dealt out so that every part is spread over the whole path:
    the sum so far, scaled to the whole path, is an estimate of the whole at any time.
    """
    engine = IntegratedGradients(case.model)
    weights_of, alphas_of = approximation_parameters("gausslegendre")
    total = case.options.steps
    weights, alphas = weights_of(total), alphas_of(total)
    parts = -(-total // case.at_once)
    so_far, covered, done = torch.zeros_like(case.image), 0.0, 0
    for part in range(parts):
        steps = range(part, total, parts)
        chosen = [weights[step] for step in steps], [alphas[step] for step in steps]
        (piece,) = engine._attribute(
            (case.image,), (case.baseline,), case.target, n_steps=len(steps), step_sizes_and_alphas=chosen
        )
        so_far, covered, done = so_far + piece, covered + sum(chosen[0]), done + len(steps)
        yield Part(done, total, so_far if done == total else so_far / covered)


def smooth_grad(case: Case) -> Iterator[Part]:
    """Mean saliency of noisy copies (Smilkov et al., 2017)."""
    engine = NoiseTunnel(Saliency(case.model))
    yield from averaged(
        case,
        lambda count: engine.attribute(
            case.image, target=case.target, nt_type="smoothgrad", nt_samples=count, stdevs=spread(case)
        ),
    )


def gradient_shap(case: Case) -> Iterator[Part]:
    """Gradients at random places between baseline and noisy image (Lundberg & Lee, 2017)."""
    engine = GradientShap(case.model)
    yield from averaged(
        case,
        lambda count: engine.attribute(
            case.image, case.baseline, n_samples=count, stdevs=spread(case), target=case.target
        ),
    )


def averaged(case: Case, draw) -> Iterator[Part]:
    """The mean over samples, a few at a time; `draw(count)` gives the mean of that many new ones."""
    dice = Dice(case.options.seed)
    total, done, summed = case.options.samples, 0, torch.zeros_like(case.image)
    while done < total:
        count = min(case.at_once, total - done)
        with dice():
            summed, done = summed + count * draw(count).detach(), done + count
        yield Part(done, total, summed / done)


def occlusion(case: Case) -> Iterator[Part]:
    """How far the logit falls when a window is covered by the baseline (Zeiler & Fergus, 2014).

    Coarse windows first; each finer grid takes over where it is done. A coarse window's fall is shared
    out evenly until then, so that all values are falls per window of the finest grid.
    """
    finest = case.options.cells
    total = sum(cells**2 for cells in levels(finest))
    done, so_far = 0, case.image.new_zeros(finest, finest)
    with torch.no_grad():
        logit = case.model(case.image)[:, case.target]
        for cells in levels(finest):
            scale = finest // cells
            for start in range(0, cells**2, case.at_once):
                windows = torch.arange(start, min(start + case.at_once, cells**2), device=case.image.device)
                falls = covered(case, windows, cells, logit) / scale**2
                so_far = with_windows(so_far, windows, falls, scale)
                done += len(windows)
                yield Part(done, total, rearrange(so_far, "h w -> 1 1 h w"))


def levels(finest: int) -> tuple[int, ...]:
    """Grids from 4 cells a side to the finest, each a divisor of the next."""
    coarser = tuple(finest // step for step in (4, 2) if finest % step == 0 and finest // step >= 4)
    return (*coarser, finest)


def covered(case: Case, windows: Tensor, cells: int, logit: Tensor) -> Tensor:
    """Falls of the logit `[n]` when each of `windows` `[n]` (numbers in a grid of cells) is covered.

    Captum ablates one switch per window; a switch at zero covers its window.
    """
    _, _, height, width = case.image.shape
    rows = torch.arange(height, device=case.image.device) * cells // height
    columns = torch.arange(width, device=case.image.device) * cells // width
    numbers = rearrange(rows * cells, "h -> h 1") + rearrange(columns, "w -> 1 w")
    inside = rearrange(windows, "n -> n 1 1") == numbers

    def logits(switches: Tensor) -> Tensor:
        if bool(switches.all()):  # nothing covered: known already
            return logit.expand(len(switches))
        off = torch.einsum("bn,nhw->bhw", 1 - switches, inside.to(switches.dtype)) > 0
        return case.model(torch.where(rearrange(off, "b h w -> b 1 h w"), case.baseline, case.image))[
            :, case.target
        ]

    switches = torch.ones(1, len(windows), device=case.image.device)
    return FeatureAblation(logits).attribute(switches, perturbations_per_eval=len(windows))[0]


def with_windows(so_far: Tensor, windows: Tensor, values: Tensor, scale: int) -> Tensor:
    """The map `[h, w]` with some windows of a grid `scale` times coarser set to new values."""
    coarse = so_far[::scale, ::scale].flatten().index_put((windows,), values)
    known = torch.zeros_like(coarse, dtype=torch.bool).index_put((windows,), torch.tensor(True))
    side = so_far.shape[0] // scale
    enlarge = "(h w) -> (h s1) (w s2)"
    fresh = repeat(coarse, enlarge, h=side, s1=scale, s2=scale)
    return torch.where(repeat(known, enlarge, h=side, s1=scale, s2=scale), fresh, so_far)


def wanting(image: Tensor) -> Tensor:
    """A copy that gradients are taken for."""
    return image.detach().clone().requires_grad_()


def spread(case: Case) -> float:
    """Standard deviation of the noise, in the image's units."""
    return case.options.noise * float(case.image.max() - case.image.min())
