"""Which parts of a picture a class owes its logit to, as streams of results that only get better.

Between two parts nothing is left in the model, so others may use it, and whoever stops asking has
stopped the work.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import torch
from einops import reduce
from torch import Tensor, nn

from explorer import methods
from explorer.capture import probes
from explorer.errors import ChoiceError
from explorer.methods import Case, Options, Part
from models.probe import Kind
from models.registry import Preprocess

BASELINES = MappingProxyType({"black": "a black picture", "mean": "a picture of its mean colour"})
MOST_EVALUATIONS = 1_000
GAP_WORTH_A_WARNING = 0.1  # of the logit's change


@dataclass(frozen=True)
class Method:
    """One way to attribute: how it is called, what it promises, and what it costs."""

    title: str
    stream: Callable[[Case], Iterator[Part]]
    evaluations: Callable[[Options], int]  # passes through the model, a backward pass counting two
    signed: bool = True
    complete: bool = False  # adds up to the logit's change from the baseline
    uses: tuple[str, ...] = ()  # the options it listens to


METHODS: MappingProxyType[str, Method] = MappingProxyType(
    {
        "saliency": Method("Saliency", methods.saliency, lambda _: 3, signed=False),
        "input_x_gradient": Method("Input × Gradient", methods.input_x_gradient, lambda _: 3),
        "grad_cam": Method("Grad-CAM", methods.grad_cam, lambda _: 3, uses=("layer",)),
        "integrated_gradients": Method(
            "Integrated Gradients",
            methods.integrated_gradients,
            lambda options: 3 * options.steps,
            complete=True,
            uses=("steps", "baseline"),
        ),
        "smooth_grad": Method(
            "SmoothGrad",
            methods.smooth_grad,
            lambda options: 3 * options.samples,
            signed=False,
            uses=("samples",),
        ),
        "gradient_shap": Method(
            "GradientShap",
            methods.gradient_shap,
            lambda options: 3 * options.samples,
            complete=True,
            uses=("samples", "baseline"),
        ),
        "occlusion": Method(
            "Occlusion",
            methods.occlusion,
            lambda options: sum(cells**2 for cells in methods.levels(options.cells)),
            uses=("baseline", "cells"),
        ),
    }
)


@dataclass(frozen=True, kw_only=True)
class Attribution:
    """How much each place adds to the logit of one class; with `signed`, or how much it matters."""

    method: str
    target: int
    label: str
    values: np.ndarray  # [h, w], in logits, summed over colours; at the method's own resolution
    signed: bool
    done: int  # parts of `total` that are in
    total: int
    completeness_gap: float | None  # sum of values - (logit - logit at the baseline); None if not promised
    seconds: float  # of work so far
    warning: str | None


def method_named(name: str) -> Method:
    if name not in METHODS:
        raise ChoiceError(f"There is no method {name!r}; the methods are {', '.join(METHODS)}.")
    return METHODS[name]


def checked(options: Options, layers: tuple[str, ...]) -> Options:
    """The options, or a sentence about the first that makes no sense."""
    for name, low, high in (("steps", 2, 500), ("samples", 1, 500), ("cells", 4, 32)):
        if not low <= getattr(options, name) <= high:
            raise ChoiceError(f"{name} goes from {low} to {high}; {getattr(options, name)} is outside.")
    if options.baseline not in BASELINES:
        raise ChoiceError(f"The baseline is one of {', '.join(BASELINES)}; not {options.baseline!r}.")
    if options.layer is not None and options.layer not in layers:
        raise ChoiceError(
            f"There is no feature map {options.layer!r} in this model; the last is {layers[-1]}."
        )
    return options


def attributions(
    model: nn.Module,
    image: Tensor,
    preprocess: Preprocess,
    *,
    method: str,
    target: int,
    label: str = "",
    options: Options = Options(),  # noqa: B008 - frozen
) -> Iterator[Attribution]:
    """Attribute the logit `target` of `image` `[1, 3, h, w]`, part by part.

    Every step between two results is one Captum call; hooks live only inside it.
    """
    found = method_named(method)
    checked(options, tuple(probes(model, Kind.FEATURE_MAP)))
    baseline = baseline_of(image, preprocess, options.baseline)
    case = Case(model, image, baseline, target, options)
    change = logit_change(case) if found.complete else None
    seconds, start = 0.0, time.perf_counter()
    for part in found.stream(case):
        values = reduce(part.values.detach(), "1 c h w -> h w", "sum").cpu().numpy().astype(np.float32)
        seconds += time.perf_counter() - start
        gap = None if change is None else float(values.sum(dtype=np.float64)) - change
        yield Attribution(
            method=method,
            target=target,
            label=label,
            values=values,
            signed=found.signed,
            done=part.done,
            total=part.total,
            completeness_gap=gap,
            seconds=seconds,
            warning=doubt(values, gap, change) if part.done == part.total else None,
        )
        start = time.perf_counter()


@torch.no_grad()
def logit_change(case: Case) -> float:
    """Logit of the target at the image minus that at the baseline."""
    at_image, at_baseline = case.model(torch.cat([case.image, case.baseline]))[:, case.target].double()
    return float(at_image - at_baseline)


def baseline_of(image: Tensor, preprocess: Preprocess, name: str) -> Tensor:
    """What counts as nothing, chosen in picture space and brought to the image's units."""
    if name == "mean":
        return reduce(image, "b c h w -> b c 1 1", "mean").expand_as(image).contiguous()
    black = -torch.tensor(preprocess.mean) / torch.tensor(preprocess.std)
    return black.to(image.device).reshape(1, 3, 1, 1).expand_as(image).contiguous()


def doubt(values: np.ndarray, gap: float | None, change: float | None) -> str | None:
    """One sentence about a map that should not be trusted as it is."""
    if not np.isfinite(values).all():
        return "The map holds values that are not numbers; nothing can be read from it."
    if gap is not None and abs(gap) > GAP_WORTH_A_WARNING * abs(change):
        missed = f"The map misses the logit's change of {change:.2f} by {abs(gap):.2f}"
        return f"{missed}; more steps or samples help."
    if np.ptp(values) == 0:
        return "The map is the same everywhere; this method says nothing here."
    return None
