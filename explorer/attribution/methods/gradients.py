"""Methods that follow gradients: alone, along a path, and over noisy copies of the picture."""

from collections.abc import Iterator

import torch
from captum.attr import GradientShap, InputXGradient, IntegratedGradients, NoiseTunnel, Saliency
from captum.attr._utils.approximation_methods import approximation_parameters
from captum.log import log_usage
from torch import Tensor

from explorer.attribution.methods.case import Case, Part, spread, wanting
from explorer.engine.random import Dice


def saliency(case: Case) -> Iterator[Part]:
    """Size of the gradient (Simonyan et al., 2014)."""
    yield Part(1, 1, Saliency(case.model).attribute(wanting(case.image), case.target))


def input_x_gradient(case: Case) -> Iterator[Part]:
    yield Part(1, 1, InputXGradient(case.model).attribute(wanting(case.image), case.target))


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


class Remembering(Saliency):
    """Saliency that keeps the sum of the squares of what it gave, picture by picture."""

    squares: Tensor | None = None

    @log_usage()  # NoiseTunnel calls what this wraps
    def attribute(self, *args, **kwargs) -> Tensor:
        made = super().attribute(*args, **kwargs)
        self.squares = made.detach().square().sum(dim=0, keepdim=True)
        return made


def var_grad(case: Case) -> Iterator[Part]:
    """Variance of the saliency of noisy copies (Adebayo et al., 2018)."""
    inner = Remembering(case.model)
    engine = NoiseTunnel(inner)
    dice = Dice(case.options.seed)
    total, done = case.options.samples, 0
    summed, squared = torch.zeros_like(case.image), torch.zeros_like(case.image)
    while done < total:
        count = min(case.at_once, total - done)
        noisy = {"nt_type": "smoothgrad", "nt_samples": count, "stdevs": spread(case)}
        with dice():
            mean = engine.attribute(case.image, target=case.target, **noisy).detach()
        summed, squared, done = summed + count * mean, squared + inner.squares, done + count
        yield Part(done, total, squared / done - (summed / done).square())
