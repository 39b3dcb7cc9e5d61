"""Attention-aware relevance: AttnLRP (Achtibat et al., 2024), for any model whose calls have a rule.

Relevance is the value times a gradient whose rules are changed. With R = x * g, the epsilon rule of linear
maps with epsilon going to 0 (eq. 8) hands g back as the plain gradient does, and so does the softmax rule
(prop. 3.1): x (R - s sum R) is the value times the gradient of a softmax. What is changed: a product of two
things that depend on the picture hands each a half (prop. 3.3); an activation hands back what it got
(eq. 9), g times output over input; a norm divides by a deviation that is a constant (prop. 3.4). Its mean is
taken off as a linear map does it. A sigmoid is the softmax of a number and nothing. Biases keep their part.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from explorer.any_model import functions as kinds
from explorer.any_model.functions import in_order, plain
from explorer.any_model.opened_attention import multihead, unfused
from explorer.attribution.methods.case import Case, Part, refuse, wanting

BENDS = {  # activations, nothing at nothing
    *("relu", "relu6", "gelu", "silu", "mish", "elu", "selu", "celu", "leaky_relu", "prelu", "hardswish"),
    *("hardtanh", "tanh", "clamp", "clip", "clamp_min", "quick_gelu"),
}
PRODUCTS = {"mul", *kinds.MATRIX, "addcmul"}
PLAIN = {  # whose gradient is the rule
    *(kinds.MOVES | kinds.PICKS),
    *("add", "sub", "rsub", "neg", "conv2d", "conv1d", "linear", "batch_norm", "softmax", "sigmoid"),
    *("hardsigmoid", "mean", "sum", "cumsum", "max_pool2d", "avg_pool2d", "adaptive_avg_pool2d"),
    *("adaptive_max_pool2d", "max", "amax", "conv_transpose2d", "where", "mT", "T", "feature_dropout"),
    *("unsafe_chunk", "get", "setitem", "copy", "rot90", "diagonal"),
}


def attn_lrp(case: Case) -> Iterator[Part]:
    """Relevance by AttnLRP. Raises ChoiceError where a call has no rule."""
    case = replace(case, network=unmoved(case.network))
    image, rules = wanting(case.image), Rules()
    with torch.enable_grad(), rules:
        logit = case.model(image)[0, case.target]
    refuse(bool(rules.unruled), f"AttnLRP has no rule for {', '.join(rules.unruled)} in this model.")
    (slope,) = torch.autograd.grad(logit, image)
    yield Part(1, 1, image.detach() * slope)


def unmoved(network: nn.Module) -> nn.Module:
    """The network, or a copy, whose parameters want no gradient: what wants one depends on the picture."""
    if not any(one.requires_grad for one in network.parameters()):
        return network
    return deepcopy(network).requires_grad_(False)


def alive(value: Any) -> bool:
    return isinstance(value, Tensor) and value.requires_grad


class Rules(TorchFunctionMode):
    """While it is on, what depends on a tensor that wants a gradient hands it back by the rules above."""

    def __init__(self) -> None:
        super().__init__()
        self.unruled: Counter[str] = Counter()  # calls without a rule, and how many there were
        self.others: dict[str, Callable] = {
            kinds.FUSED: self.opened(unfused),
            kinds.MULTIHEAD: self.opened(multihead),
            "layer_norm": layer_normed,
            "group_norm": group_normed,
            "rms_norm": rms_normed,
            "normalize": normalised,
        }

    def __torch_function__(self, func, types, args=(), kwargs=None):
        name = plain(func)
        given, named = in_order(name, tuple(args), kwargs or {})
        flat = [one for each in given for one in (each if isinstance(each, list | tuple) else (each,))]
        living = sum(alive(one) for one in flat)
        rule = self.rule(name, given, living) if living else None
        if rule is not None:
            return rule(func, *given, **named)
        made = func(*args, **(kwargs or {}))
        if living and alive(made) and name not in PLAIN | BENDS | PRODUCTS:
            self.unruled[name] += 1
        return made

    def rule(self, name: str, given: tuple, living: int) -> Callable | None:
        """What is done instead of a call; None where its own gradient is the rule."""
        if name in BENDS and alive(given[0]):
            return bent
        if name in PRODUCTS and living > 1:
            return shared
        if name == "div":
            return divided if living > 1 or not alive(given[0]) else plainly
        return self.others.get(name)

    def opened(self, steps: Callable) -> Callable:
        """Attention in steps, each by its own rule."""

        def run(_func: Callable, *args, **kwargs):
            with self:
                return steps(*args, change=lambda _: None, **kwargs)

        return run


def plainly(func: Callable, *args, **kwargs):
    return func(*args, **kwargs)


def written(
    func: Callable, first: Tensor, *rest, made: Callable[[Tensor, Tensor], Tensor], **kwargs
) -> Tensor:
    """What a rule makes of a call and its first argument; a call that writes into that does so still."""
    copy = first.clone()
    told = func(copy, *rest, **kwargs)
    into = told.data_ptr() == copy.data_ptr()
    value = made(first.clone() if into else first, told)
    return first.copy_(value) if into else value


def bent(func: Callable, first: Tensor, *rest, **kwargs) -> Tensor:
    """An activation: the relevance of what it gives is that of what it took."""

    def steep(taken: Tensor, gave: Tensor) -> Tensor:
        known = taken.detach()
        ratio = torch.where(known == 0, torch.zeros_like(known), gave.detach() / known)
        return taken * ratio

    return written(func, first, *rest, made=steep, **kwargs)


def shared(func: Callable, *given, **kwargs) -> Tensor:
    """A product of things that depend on the picture: the gradient of each is halved."""
    count = sum(alive(one) for one in given)
    made = func(*given, **kwargs)
    made.register_hook(lambda slope: slope / count)
    return made


def divided(func: Callable, first, second, **kwargs) -> Tensor:
    """Divided by a number that is taken for a constant, as a norm is."""
    return func(first, second.detach(), **kwargs)


def normalised(_func, x: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12, out=None) -> Tensor:
    return x / x.detach().norm(p, dim, keepdim=True).clamp_min(eps)


def normed(x: Tensor, axes: list[int], eps: float, *, centred: bool = True) -> Tensor:
    """Over a deviation that is a constant."""
    x = x - x.mean(dim=axes, keepdim=True) if centred else x
    return x / (x.detach().square().mean(dim=axes, keepdim=True) + eps).sqrt()


def scaled(x: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
    x = x if weight is None else x * weight
    return x if bias is None else x + bias


def layer_normed(_func, x, normalized_shape, weight=None, bias=None, eps=1e-5, **_unused) -> Tensor:
    return scaled(normed(x, [-1 - axis for axis in range(len(normalized_shape))], eps), weight, bias)


def rms_normed(_func, x, normalized_shape, weight=None, eps=None, **_unused) -> Tensor:
    axes = [-1 - axis for axis in range(len(normalized_shape))]
    smallest = torch.finfo(x.dtype).eps if eps is None else eps
    return scaled(normed(x, axes, smallest, centred=False), weight, None)


def group_normed(_func, x, num_groups, weight=None, bias=None, eps=1e-5, **_unused) -> Tensor:
    groups = x.unflatten(1, (num_groups, -1))
    made = normed(groups, list(range(2, groups.ndim)), eps).reshape(x.shape)
    shape = (-1, *[1] * (x.ndim - 2))
    return scaled(made, *(one if one is None else one.reshape(shape) for one in (weight, bias)))
