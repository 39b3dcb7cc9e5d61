"""Methods that follow gradients: alone, along a path, and over noisy copies of the picture."""

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

import numpy as np
import torch
from einops import rearrange, reduce
from torch import Tensor

from explorer.attribution.methods.case import GAP_WORTH_TELLING, Case, Part, logit_change, spread, wanting
from explorer.engine.late_imports import captum
from models.random_state import RandomStream

ROUNDS = (25, 50, 100, 200, 400)  # steps tried one after the other, until the gap is not worth telling


def saliency(case: Case) -> Iterator[Part]:
    """Size of the gradient (Simonyan et al., 2014)."""
    yield Part(1, 1, captum.Saliency(case.for_gradients).attribute(wanting(case.image), case.target))


def input_x_gradient(case: Case) -> Iterator[Part]:
    yield Part(1, 1, captum.InputXGradient(case.for_gradients).attribute(wanting(case.image), case.target))


def integrated_gradients(case: Case) -> Iterator[Part]:
    """Gradients summed along the straight path from the baseline (Sundararajan et al., 2017)."""
    steps = case.options.steps
    yield from until_it_adds_up(case) if steps is None else the_path(case, steps)


def until_it_adds_up(case: Case) -> Iterator[Part]:
    """Paths of more and more steps, until the values miss the logit's change by 1 % of it at most.

    The map is that of the last whole path; what there is to do grows with every path that did not suffice.
    """
    change, before = logit_change(case), 0
    allowed, best = GAP_WORTH_TELLING * abs(change), None
    for steps, more in zip(ROUNDS, (*ROUNDS[1:], 0), strict=True):
        for part in the_path(case, steps):
            whole = part.done == part.total
            best = part if whole or best is None or not before else best
            missed = whole and abs(float(part.values.double().sum()) - change) > allowed
            yield best._replace(done=before + part.done, total=before + steps + (more if missed else 0))
        if not missed:
            return
        before += steps


def the_path(case: Case, total: int) -> Iterator[Part]:
    """The parts of a path of `total` steps.

    The steps are those of Captum's `IntegratedGradients`, dealt out so that every part is spread over the
    whole path: the sum so far, scaled to the whole path, is an estimate of the whole at any time.
    """
    shares, weights = gauss_legendre(total)
    parts = -(-total // case.at_once)
    so_far, covered, done = torch.zeros_like(case.image), 0.0, 0
    for part in range(parts):
        chosen = slice(part, total, parts)
        so_far = so_far + along_the_path(case, shares[chosen], weights[chosen])
        covered, done = covered + float(weights[chosen].sum()), done + len(shares[chosen])
        yield Part(done, total, so_far if done == total else so_far / covered, total)


def gauss_legendre(steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Places on the way from 0 to 1 and their weights, which sum to one: Captum's default rule."""
    places, weights = np.polynomial.legendre.leggauss(steps)
    return (1 + places) / 2, weights / 2


def along_the_path(case: Case, shares: np.ndarray, weights: np.ndarray) -> Tensor:
    """What some steps between the baseline and the image add to Integrated Gradients."""
    change = case.image - case.baseline
    points = torch.cat([case.baseline + float(share) * change for share in shares]).requires_grad_()
    with torch.enable_grad():
        (slopes,) = torch.autograd.grad(case.for_gradients(points)[:, case.target].sum(), points)
    weighed = slopes * rearrange(torch.from_numpy(weights).to(slopes), "n -> n 1 1 1")
    return reduce(weighed, "n c h w -> 1 c h w", "sum") * change


def smooth_grad(case: Case) -> Iterator[Part]:
    """Mean saliency of noisy copies (Smilkov et al., 2017)."""
    engine = captum.NoiseTunnel(captum.Saliency(case.for_gradients))
    yield from averaged(
        case,
        lambda count: engine.attribute(
            case.image, target=case.target, nt_type="smoothgrad", nt_samples=count, stdevs=spread(case)
        ),
    )


def gradient_shap(case: Case) -> Iterator[Part]:
    """Gradients at random places between baseline and noisy image (Lundberg & Lee, 2017)."""
    engine = captum.GradientShap(case.for_gradients)
    yield from averaged(
        case,
        lambda count: engine.attribute(
            case.image, case.baseline, n_samples=count, stdevs=spread(case), target=case.target
        ),
    )


def expected_gradients(case: Case) -> Iterator[Part]:
    """Gradients at random places between held-out scenes and the image (Erion et al., 2021, eq. 5).

    Integrated Gradients averaged over many baselines: each sample draws a scene and a place on the way.
    """
    scenes = case.references(case.options.samples)
    dice = torch.Generator().manual_seed(case.options.seed)
    shares = torch.rand(len(scenes), 1, 1, 1, generator=dice).to(case.image)
    summed: Tensor = torch.zeros_like(case.image)
    for start in range(0, len(scenes), case.at_once):
        some = scenes[start : start + case.at_once].to(case.image)
        change = case.image - some
        points = (some + shares[start : start + case.at_once] * change).requires_grad_()
        with torch.enable_grad():
            (slopes,) = torch.autograd.grad(case.for_gradients(points)[:, case.target].sum(), points)
        summed = summed + (slopes * change).sum(dim=0, keepdim=True)
        done = start + len(some)
        yield Part(done, len(scenes), summed / done)


def averaged(case: Case, draw) -> Iterator[Part]:
    """The mean over samples, a few at a time; `draw(count)` gives the mean of that many new ones."""
    stream = RandomStream(case.options.seed)
    total, done, summed = case.options.samples, 0, torch.zeros_like(case.image)
    while done < total:
        count = min(case.at_once, total - done)
        with stream.drawing():
            summed, done = summed + count * draw(count).detach(), done + count
        yield Part(done, total, summed / done)


def passing(method: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """The method as it is; `NoiseTunnel` calls what a method wraps, so there must be something wrapped."""

    @wraps(method)
    def called(*args, **kwargs) -> Tensor:
        return method(*args, **kwargs)

    return called


def noting_squares(saliency: Any, squares: list[Tensor]) -> Any:
    """Saliency that also notes the sum of the squares of what it gives, `[1, c, h, w]`."""
    plain = saliency.attribute

    @passing
    def attribute(_saliency: Any, *args, **kwargs) -> Tensor:
        made = plain(*args, **kwargs)
        squares.append(made.detach().square().sum(dim=0, keepdim=True))
        return made

    saliency.attribute = attribute
    return saliency


def var_grad(case: Case) -> Iterator[Part]:
    """Variance of the saliency of noisy copies (Adebayo et al., 2018)."""
    squares: list[Tensor] = []
    engine = captum.NoiseTunnel(noting_squares(captum.Saliency(case.for_gradients), squares))
    stream = RandomStream(case.options.seed)
    total, done = case.options.samples, 0
    summed, squared = torch.zeros_like(case.image), torch.zeros_like(case.image)
    while done < total:
        count = min(case.at_once, total - done)
        noisy = {"nt_type": "smoothgrad", "nt_samples": count, "stdevs": spread(case)}
        with stream.drawing():
            mean = engine.attribute(case.image, target=case.target, **noisy).detach()
        summed, squared, done = summed + count * mean, squared + squares.pop(), done + count
        yield Part(done, total, squared / done - (summed / done).square())
