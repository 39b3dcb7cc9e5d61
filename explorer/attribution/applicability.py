"""Whether a method means anything on a model, found out by trying: hooks, layers, completeness, sameness.

Several famous methods run without complaint on models their rules were not made for. What is offered is
decided here, by computing, on a picture of noise; never by the name of a model.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

from explorer.attribution.methods.case import Case, logit_change, logits_of, wanting
from explorer.attribution.options import Options
from explorer.attribution.registry import METHODS, method_named
from explorer.attribution.running import case_of
from explorer.errors import ChoiceError
from models.layers import DropPath
from models.registry import Preprocess

CLOSE, FAR = 0.05, 0.5  # completeness gaps, as parts of the logit's change
RULED_LAYERS = (nn.Linear, nn.Conv2d, nn.BatchNorm2d, nn.ReLU, nn.Identity, DropPath)
RULED_BY_DEEP_LIFT = (*RULED_LAYERS, nn.ReLU6)  # see `methods.rules.TwoReLUs`


@dataclass(frozen=True)
class Verdict:
    """What to think of a method on a model."""

    method: str
    level: str  # "valid", "warning" or "meaningless"
    reason: str = ""  # one sentence, where it is not simply valid


def preflight(model: nn.Module, preprocess: Preprocess, method: str, device: torch.device) -> Verdict:
    """Try a method on a picture of noise, as far as that is needed to know."""
    method_named(method)
    check = CHECKS.get(method)
    if check is None:
        return Verdict(method, "valid")
    dice = torch.Generator().manual_seed(1)
    image = torch.randn(1, 3, *preprocess.shape, generator=dice).to(device)
    level, reason = check(case_of(model, image, preprocess, 0, Options()), METHODS[method].title)
    return Verdict(method, level, reason)


def changes_the_gradient(case: Case, title: str) -> tuple[str, str]:
    """Guided Backprop and its kin hook ReLUs; without any they are the plain gradient under another name."""
    name = "deconvolution" if title == METHODS["deconvolution"].title else "guided_backprop"
    (made,) = METHODS[name].stream(case)
    image = wanting(case.image)
    with torch.enable_grad():
        (plain,) = torch.autograd.grad(case.model(image)[0, case.target], image)
    if (made.values - plain).abs().max() <= 1e-6 * plain.abs().max():
        found = sum(isinstance(module, nn.ReLU | nn.ReLU6) for module in case.network.modules())
        relus = "No ReLU in this model" if not found else f"Its {found} ReLUs change nothing here"
        guided = title == METHODS["guided_grad_cam"].title
        same = "Grad-CAM × the plain gradient" if guided else "the plain gradient"
        return "meaningless", f"{relus}: {title} would equal {same}."
    return "valid", ""


def adds_up(case: Case, title: str) -> tuple[str, str]:
    """DeepLift's rules cover few layers; how far its map misses the logit's change tells what that costs."""
    try:
        *_, made = METHODS["deep_lift"].stream(case)
    except RuntimeError:
        return "meaningless", f"{title} cannot follow this model: one of its layers is used more than once."
    change = logit_change(case)
    gap = abs(float(made.values.detach().sum()) - change) / max(abs(change), 1e-12)
    if gap <= CLOSE:
        return "valid", ""
    layers = uncovered(case, RULED_BY_DEEP_LIFT)
    missed = f"{title} misses the logit's change by {gap:.0%} of it; its rules do not cover {layers}."
    return ("warning" if gap <= FAR else "meaningless"), missed


def has_rules(case: Case, title: str) -> tuple[str, str]:
    """LRP hands relevance back layer by layer; without a rule for each there is nothing to hand."""
    try:
        (made,) = METHODS["lrp"].stream(case)
    except (TypeError, RuntimeError, AttributeError, KeyError, AssertionError):
        return "meaningless", f"{title} has no rule for {uncovered(case)} in this model."
    if not torch.isfinite(made.values).all():
        return "meaningless", f"{title} gives values that are not numbers on this model."
    logit = float(logits_of(case, case.image)[0])
    gap = abs(float(made.values.detach().sum()) - logit) / max(abs(logit), 1e-12)
    if gap <= CLOSE:
        return "valid", ""
    kept = f"{1 - gap:.0%}" if gap <= 1 else "nothing that adds up"
    lost = f"{title} keeps {kept} of the logit; sums of branches and biases are outside its rules."
    return ("warning" if gap <= FAR else "meaningless"), lost


def adds_rules(case: Case, title: str) -> tuple[str, str]:
    """AttnLRP names the calls it has no rule for; where none of its rules changes anything, it has no say."""
    try:
        (made,) = METHODS["attn_lrp"].stream(case)
    except ChoiceError as error:
        return "meaningless", str(error)
    (plain,) = METHODS["input_x_gradient"].stream(case)
    if (made.values - plain.values).abs().max() <= 1e-4 * plain.values.abs().max():
        return "meaningless", f"No rule of {title} changes anything here: it would equal Input × Gradient."
    logit = float(logits_of(case, case.image)[0])
    gap = abs(float(made.values.sum()) - logit) / max(abs(logit), 1e-12)
    if gap <= CLOSE:
        return "valid", ""
    kept = f"{1 - gap:.0%}" if gap <= 1 else "nothing that adds up"
    return "warning", f"{title} keeps {kept} of the logit; the rest stays in biases and at softmaxes."


def uncovered(case: Case, ruled: tuple[type[nn.Module], ...] = RULED_LAYERS) -> str:
    """The kinds of layers no rule was made for, and how many there are, most frequent first."""
    leaves = [module for module in case.network.modules() if not list(module.children())]
    kinds = Counter(type(one).__name__ for one in leaves if not isinstance(one, ruled))
    told = [f"{count} {name}" for name, count in kinds.most_common(3)]
    return ", ".join(told) or "sums, products and reshapes outside of layers"


def can_be_rolled_out(case: Case, title: str) -> tuple[str, str]:
    try:
        list(METHODS["attention_rollout"].stream(case))
    except ChoiceError:
        return "meaningless", f"This model has no attention: there is nothing to roll out ({title})."
    return "valid", ""


CHECKS: dict[str, Callable[[Case, str], tuple[str, str]]] = {
    "guided_backprop": changes_the_gradient,
    "deconvolution": changes_the_gradient,
    "guided_grad_cam": changes_the_gradient,
    "deep_lift": adds_up,
    "deep_lift_shap": adds_up,
    "lrp": has_rules,
    "attn_lrp": adds_rules,
    "attention_rollout": can_be_rolled_out,
}
