"""Methods that change the rules of backpropagation; what they need of a model is checked beforehand."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace

import torch
from captum.attr import LRP, Deconvolution, DeepLift, DeepLiftShap, GuidedBackprop
from torch import Tensor, nn

from explorer.attribution.methods.case import Case, Part, wanting
from models.layers import DropPath


@contextmanager
def quietly() -> Iterator[None]:
    """Captum warns that it sets hooks; that they go again is ours to see to."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Setting")
        yield


def deep_lift(case: Case) -> Iterator[Part]:
    """Differences from the baseline handed back by the rescale rule (Shrikumar et al., 2017)."""
    with quietly():
        values = DeepLift(case.model).attribute(wanting(case.image), case.baseline, case.target)
    yield Part(1, 1, values)


def deep_lift_shap(case: Case) -> Iterator[Part]:
    """DeepLift averaged over every kind of baseline (Lundberg & Lee, 2017)."""
    engine = DeepLiftShap(case.model)
    baselines = case.every_baseline()
    summed: Tensor = torch.zeros_like(case.image)
    for done in range(0, len(baselines), 2):
        some = torch.cat(baselines[done : done + 2])
        with quietly():
            mean = engine.attribute(wanting(case.image), some, case.target).detach()
        summed = summed + len(some) * mean
        yield Part(done + len(some), len(baselines), summed / (done + len(some)))


def guided_backprop(case: Case) -> Iterator[Part]:
    """Gradients that pass a ReLU only where they are positive (Springenberg et al., 2015)."""
    with quietly():
        values = GuidedBackprop(case.model).attribute(wanting(case.image), case.target)
    yield Part(1, 1, values)


def deconvolution(case: Case) -> Iterator[Part]:
    """Gradients with the ReLU applied to them instead of to the values (Zeiler & Fergus, 2014)."""
    with quietly():
        values = Deconvolution(case.model).attribute(wanting(case.image), case.target)
    yield Part(1, 1, values)


def lrp(case: Case) -> Iterator[Part]:
    """Relevance handed back layer by layer, each by its rule (Bach et al., 2015).

    On a copy of the network: where Captum gives up halfway, its hooks stay behind. Captum has a rule for
    dropout, which in evaluation passes everything, as identities and probes do: it takes their place.
    """
    case = replace(case, network=deepcopy(case.network))
    for parent in list(case.network.modules()):
        for name, module in parent.named_children():
            if isinstance(module, nn.Identity | DropPath):  # probes among them
                setattr(parent, name, nn.Dropout(0.0).eval())
    with quietly():
        values = LRP(case.model).attribute(wanting(case.image), case.target)
    yield Part(1, 1, values)
