"""The table of methods: what each is called, which options it listens to, and what its numbers mean."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import MappingProxyType

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
from explorer.attribution.methods.case import Case, Part
from explorer.attribution.options import Options
from explorer.errors import ChoiceError


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


def method_named(name: str) -> Method:
    if name not in METHODS:
        raise ChoiceError(f"There is no method {name!r}; the methods are {', '.join(METHODS)}.")
    return METHODS[name]
