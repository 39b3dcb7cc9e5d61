"""The same weights in other modules: laid out for the processor, for long work, and without batch norms."""

from collections.abc import Iterator
from copy import deepcopy
from itertools import chain, pairwise
from typing import NamedTuple
from weakref import WeakKeyDictionary

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from models.layers import channels_together

# None stands for the model itself, which its own entry must not keep alive.
without_norms: WeakKeyDictionary[nn.Module, nn.Module | None] = WeakKeyDictionary()


def is_ours(model: nn.Module) -> bool:
    """Whether a model is one of `models`, and no code of others."""
    return type(model).__module__.startswith("models.")


def quickly_laid_out(model: nn.Module) -> nn.Module:
    """Our own models as a processor is quick with them; code of others may count on the usual order."""
    return channels_together(model) if is_ours(model) else model


def twin_of(model: nn.Module) -> nn.Module:
    """The same tensors in modules of their own, whose hooks are seen by nobody else."""
    tensors = chain(model.parameters(), model.buffers())
    return deepcopy(model, {id(tensor): tensor for tensor in tensors})


class Normed(NamedTuple):
    """A convolution and its batch norm, side by side in one module."""

    parent: nn.Module
    conv_name: str
    conv: nn.Conv2d
    norm_name: str
    norm: nn.BatchNorm2d


def normed(model: nn.Module) -> Iterator[Normed]:
    """The convolutions with a batch norm.

    Only of our own networks is it known that such a norm takes what the convolution gives, and nobody else.
    """
    for parent in model.modules() if is_ours(model) else ():
        for (name, conv), (after, norm) in pairwise(parent.named_children()):
            if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                yield Normed(parent, name, conv, after, norm)


def folded(model: nn.Module) -> nn.Module:
    """The model at rest with its batch norms folded into the convolutions before them; itself where none are.

    A norm at rest multiplies each channel by a number and adds another; a convolution can do that as well.
    Equal to rounding, and a tenth to a quarter quicker, as fewer maps are written. For passes of which only
    the result counts. It is made once, and shares with the model whatever is not folded.
    """
    if model not in without_norms:
        without_norms[model] = twin_without_norms(model) if any(normed(model)) else None
    found = without_norms[model]
    return model if found is None else found


def twin_without_norms(model: nn.Module) -> nn.Module:
    twin = twin_of(model)
    for one in list(normed(twin)):
        one.parent.register_module(one.conv_name, fuse_conv_bn_eval(one.conv, one.norm))
        one.parent.register_module(one.norm_name, nn.Identity())
    return twin
