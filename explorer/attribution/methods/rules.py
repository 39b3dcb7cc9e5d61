"""Methods that change the rules of backpropagation; what they need of a model is checked beforehand."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn.functional import relu6

from explorer.attribution.methods.case import Case, Part, wanting
from explorer.engine.late_imports import captum
from models.layers import DropPath


@contextmanager
def quietly() -> Iterator[None]:
    """Captum warns that it sets hooks; that they go again is ours to see to."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Setting")
        yield


class TwoReLUs(nn.Module):
    """A ReLU6 as the difference of two ReLUs: min(max(x, 0), 6) = max(x, 0) - max(x - 6, 0).

    Captum's DeepLift has a rule for exactly nn.ReLU and nine other types; through any other module it lets
    the plain gradient pass, which for a ReLU6 is not the rescale rule. The multipliers of the two ReLUs
    are (change of output) / (change of input) with the same input, so their difference is that of the ReLU6.
    Captum replaces all of the gradient that arrives at the tensor a ReLU receives, so each gets its own.
    """

    def __init__(self) -> None:
        super().__init__()
        self.from_zero, self.from_six = nn.ReLU(), nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        return self.from_zero(x.clone()) - self.from_six(x - 6)


class CutReLU(nn.ReLU):
    """A ReLU6 that is an nn.ReLU, too.

    Captum's GuidedBackprop and Deconvolution change the gradient of every instance of nn.ReLU, and of nothing
    else; nn.ReLU6 is a Hardtanh to them. Two ReLUs would not do here: each would drop gradients for itself.
    """

    def forward(self, x: Tensor) -> Tensor:
        return relu6(x)


def told_as(case: Case, relu: Callable[[], nn.Module]) -> Case:
    """The case with a module Captum has a rule for in the place of every ReLU6, on a copy of the network."""
    if not any(isinstance(module, nn.ReLU6) for module in case.network.modules()):
        return case
    case = replace(case, network=deepcopy(case.network))
    for parent in list(case.network.modules()):
        for name, module in parent.named_children():
            if isinstance(module, nn.ReLU6):
                setattr(parent, name, relu())
    return case


def deep_lift(case: Case) -> Iterator[Part]:
    """Differences from the baseline handed back by the rescale rule (Shrikumar et al., 2017)."""
    case = told_as(case, TwoReLUs)
    with quietly():
        values = captum.DeepLift(case.model).attribute(wanting(case.image), case.baseline, case.target)
    yield Part(1, 1, values)


def deep_lift_shap(case: Case) -> Iterator[Part]:
    """DeepLift averaged over every kind of baseline (Lundberg & Lee, 2017)."""
    case = told_as(case, TwoReLUs)
    engine = captum.DeepLiftShap(case.model)
    baselines = case.every_baseline()
    summed: Tensor = torch.zeros_like(case.image)
    for done in range(0, len(baselines), 2):
        some = torch.cat(baselines[done : done + 2])
        with quietly():
            mean = engine.attribute(wanting(case.image), some, case.target).detach()
        summed = summed + len(some) * mean
        yield Part(done + len(some), len(baselines), summed / (done + len(some)))


def guided_backprop(case: Case) -> Iterator[Part]:
    """Gradients that pass a ReLU only where they are positive (Springenberg et al., 2015).

    Through a ReLU6 that is where the value is between 0 and 6, and the gradient is positive.
    """
    case = told_as(case, CutReLU)
    with quietly():
        values = captum.GuidedBackprop(case.model).attribute(wanting(case.image), case.target)
    yield Part(1, 1, values)


def deconvolution(case: Case) -> Iterator[Part]:
    """Gradients with the ReLU applied to them instead of to the values (Zeiler & Fergus, 2014).

    What a ReLU6 cut off above is not looked at either, for gradients may be of any size.
    """
    case = told_as(case, CutReLU)
    with quietly():
        values = captum.Deconvolution(case.model).attribute(wanting(case.image), case.target)
    yield Part(1, 1, values)


def lrp(case: Case) -> Iterator[Part]:
    """Relevance handed back layer by layer, each by its rule (Bach et al., 2015).

    On a copy of the network: where Captum gives up halfway, its hooks stay behind. Captum has a rule for
    dropout, which in evaluation passes everything, as identities and probes do: it takes their place.
    It has none for ReLU6, and raises TypeError.
    """
    case = replace(case, network=deepcopy(case.network))
    for parent in list(case.network.modules()):
        for name, module in parent.named_children():
            if isinstance(module, nn.Identity | DropPath):  # probes among them
                setattr(parent, name, nn.Dropout(0.0).eval())
    with quietly():
        values = captum.LRP(case.model).attribute(wanting(case.image), case.target)
    yield Part(1, 1, values)
