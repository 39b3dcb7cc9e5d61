"""Which parts of a picture a class owes its logit to, as streams of results that only get better.

Between two parts nothing is left in the model, so others may use it, and whoever stops asking has
stopped the work.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
import torch
from einops import reduce
from PIL import Image
from torch import Tensor, nn

from explorer.attribution.baselines import BASELINES, baseline_of
from explorer.attribution.doubts import doubt
from explorer.attribution.methods import (
    attention_lrp,
    cams,
    controls,
    gradients,
    hsic,
    rise,
    rules,
    segments,
    windows,
)
from explorer.attribution.methods.case import Case, Part, logit_change
from explorer.attribution.options import DEFAULTS, Options, checked
from explorer.capture import probes
from explorer.errors import ChoiceError
from explorer.in_notebook import InNotebook
from explorer.pictures import to_image
from models import scenes
from models.memory import is_short_of_memory
from models.probe import Kind
from models.registry import Preprocess


@dataclass(frozen=True)
class Method:
    """One way to attribute: how it is called, what it promises, and what it costs."""

    title: str
    stream: Callable[[Case], Iterator[Part]]
    evaluations: Callable[[Options], int]  # passes through the model, a backward pass counting two
    signed: bool = True
    complete: bool = False  # adds up to the logit's change from the baseline
    unit: str = "logit"  # of its values
    sums: bool = False  # whether the sum of its values means anything
    uses: tuple[str, ...] = ()  # the options it listens to
    of_class: bool = True  # whether it asks about a class at all

    def reads(self, option: str) -> bool:
        """Whether an option changes what it gives; a rival class does for all that ask about a class."""
        return option in self.uses or (option == "against" and self.of_class)


DRAWN, CUT = ("draws", "baseline"), ("segments", "shape", "baseline")  # options of several methods
METHODS: MappingProxyType[str, Method] = MappingProxyType(
    {
        "saliency": Method(
            "Saliency", gradients.saliency, lambda _: 3, signed=False, unit="logit per unit of input"
        ),
        "input_x_gradient": Method("Input × Gradient", gradients.input_x_gradient, lambda _: 3, sums=True),
        "integrated_gradients": Method(
            "Integrated Gradients",
            gradients.integrated_gradients,
            lambda options: 3 * (options.steps or gradients.ROUNDS[0]),
            complete=True,
            uses=("steps", "baseline"),
            sums=True,
        ),
        "smooth_grad": Method(
            "SmoothGrad",
            gradients.smooth_grad,
            lambda options: 3 * options.samples,
            signed=False,
            uses=("samples",),
            unit="logit per unit of input",
        ),
        "var_grad": Method(
            "VarGrad",
            gradients.var_grad,
            lambda options: 3 * options.samples,
            signed=False,
            uses=("samples",),
            unit="squared logit per unit of input",
        ),
        "gradient_shap": Method(
            "GradientShap",
            gradients.gradient_shap,
            lambda options: 3 * options.samples,
            complete=True,
            uses=("samples", "baseline"),
            sums=True,
        ),
        "expected_gradients": Method(
            "Expected Gradients",
            gradients.expected_gradients,
            lambda options: 3 * options.samples,
            uses=("samples",),
            sums=True,
        ),
        "deep_lift": Method(
            "DeepLift", rules.deep_lift, lambda _: 6, complete=True, uses=("baseline",), sums=True
        ),
        "deep_lift_shap": Method(
            "DeepLiftShap", rules.deep_lift_shap, lambda _: 24, complete=True, sums=True
        ),
        "guided_backprop": Method(
            "Guided Backprop",
            rules.guided_backprop,
            lambda _: 3,
            unit="logit per unit of input, by its own rule",
        ),
        "deconvolution": Method(
            "Deconvolution", rules.deconvolution, lambda _: 3, unit="logit per unit of input, by its own rule"
        ),
        "grad_cam": Method(
            "Grad-CAM", cams.grad_cam, lambda _: 3, uses=("layer",), unit="activation × gradient"
        ),
        "guided_grad_cam": Method(
            "Guided Grad-CAM", cams.guided_grad_cam, lambda _: 6, uses=("layer",), unit="Grad-CAM × gradient"
        ),
        "layer_cam": Method(
            "Layer-CAM", cams.layer_cam, lambda _: 3, uses=("layer",), unit="activation × gradient"
        ),
        "hires_cam": Method(
            "HiResCAM", cams.hires_cam, lambda _: 3, uses=("layer",), unit="activation × gradient"
        ),
        "grad_cam_plus_plus": Method(
            "Grad-CAM++", cams.grad_cam_plus_plus, lambda _: 3, uses=("layer",), unit="weighted activation"
        ),
        "finer_cam": Method(
            "Finer-CAM", cams.finer_cam, lambda _: 3, uses=("layer",), unit="activation × gradient"
        ),
        "score_cam": Method(
            "Score-CAM",
            cams.score_cam,
            lambda options: options.channels,
            uses=("layer", "channels", "baseline"),
            unit="weighted activation",
        ),
        "attention_rollout": Method(
            "Attention rollout",
            cams.attention_rollout,
            lambda _: 1,
            signed=False,
            of_class=False,
            unit="share of attention",
        ),
        "occlusion": Method(
            "Occlusion",
            windows.occlusion,
            lambda options: options.cells**2,
            uses=("baseline", "cells"),
        ),
        "rise": Method("RISE", rise.rise, lambda options: options.draws, uses=DRAWN),
        "hsic": Method("HSIC", hsic.hsic, lambda one: one.draws, signed=False, unit="dependence", uses=DRAWN),
        "feature_ablation": Method(
            "Feature ablation", segments.feature_ablation, lambda one: one.segments + 1, uses=CUT
        ),
        "shapley_sampling": Method(
            "Shapley sampling",
            segments.shapley_sampling,
            lambda options: options.orders * options.segments + 2,
            complete=True,
            uses=("segments", "shape", "orders", "baseline"),
            sums=True,
        ),
        "kernel_shap": Method(
            "KernelShap",
            segments.kernel_shap,
            lambda options: options.draws,
            complete=True,
            uses=("segments", "shape", "draws", "baseline"),
            sums=True,
        ),
        "lime": Method(
            "LIME",
            segments.lime,
            lambda options: options.draws,
            uses=("segments", "shape", "draws", "baseline"),
        ),
        "lrp": Method("LRP", rules.lrp, lambda _: 4, sums=True),
        "attn_lrp": Method("AttnLRP", attention_lrp.attn_lrp, lambda _: 4, sums=True),
        "random": Method(
            "Random (control)", controls.random, lambda _: 0, signed=False, of_class=False, unit="noise"
        ),
        "edges": Method(
            "Edges (control)",
            controls.edges,
            lambda _: 0,
            signed=False,
            of_class=False,
            unit="change of brightness per pixel",
        ),
    }
)
CONTROLS = ("random", "edges")


@dataclass(frozen=True, kw_only=True)
class Attribution(InNotebook):
    """How much each place adds to the logit of one class; with `signed`, or how much it matters."""

    method: str
    target: int
    label: str
    values: np.ndarray  # [h, w], in the method's unit, summed over colours; at the method's own resolution
    signed: bool
    done: int  # parts of `total` that are in
    total: int
    completeness_gap: float | None  # sum of values - change; None if not promised
    change: float | None  # of the logit, from the baseline to the picture; None if no method promises it
    steps: int | None  # of the path the values were taken along; None where there is none
    seconds: float  # of work so far
    warning: str | None

    @property
    def gap(self) -> float | None:
        """The completeness gap as a part of the logit's change, without sign; None if not promised."""
        if self.completeness_gap is None or self.change is None:
            return None
        return abs(self.completeness_gap) / max(abs(self.change), 1e-12)

    @property
    def says_something(self) -> bool:
        """Whether the values are numbers, and not the same everywhere."""
        return bool(np.isfinite(self.values).all()) and float(np.ptp(self.values)) > 0


def method_named(name: str) -> Method:
    if name not in METHODS:
        raise ChoiceError(f"There is no method {name!r}; the methods are {', '.join(METHODS)}.")
    return METHODS[name]


def attributions(
    model: nn.Module,
    image: Tensor,
    preprocess: Preprocess,
    *,
    method: str,
    target: int,
    label: str = "",
    options: Options = DEFAULTS,
) -> Iterator[Attribution]:
    """Attribute the logit `target` of `image` `[1, 3, h, w]`, part by part.

    Every step between two results is one Captum call; hooks live only inside it.
    """
    found = method_named(method)
    checked(options, tuple(probes(model, Kind.FEATURE_MAP)))
    case = case_of(model, image, preprocess, target, options)
    change = logit_change(case) if found.complete else None
    seconds, start = 0.0, time.perf_counter()
    for part, short in in_memory(found, case):
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
            change=change,
            steps=part.steps,
            seconds=seconds,
            warning=(doubt(values, gap, change) or short) if part.done == part.total else None,
        )
        start = time.perf_counter()


def in_memory(method: Method, case: Case) -> Iterator[tuple[Part, str | None]]:
    """The parts of a method; where memory runs out, all of them again in batches half as large."""
    short = None
    while True:
        try:
            for part in method.stream(case):
                yield part, short
            return
        except (MemoryError, RuntimeError) as error:
            if not is_short_of_memory(error):
                raise
            if case.at_once == 1:
                raise ChoiceError(
                    f"There is not enough memory for {method.title} of this model here."
                ) from error
            case = replace(case, halved=case.halved + 1)
            short = f"Memory was short: computed {case.at_once} images at a time."


def case_of(model: nn.Module, image: Tensor, preprocess: Preprocess, target: int, options: Options) -> Case:
    def every() -> tuple[Tensor, ...]:
        return tuple(baseline_of(image, preprocess, name, options.seed) for name in BASELINES)

    def scenes_seen(count: int) -> Tensor:
        height, width = image.shape[-2:]
        seen = replace(preprocess, size=height, width=width)
        drawn = (scenes.draw(seed, max(height, width)).picture for seed in range(count))
        return torch.cat([to_image(Image.fromarray(one), seen)[0] for one in drawn])

    chosen = baseline_of(image, preprocess, options.baseline, options.seed)
    return Case(model, image, chosen, target, options, every, scenes_seen)
