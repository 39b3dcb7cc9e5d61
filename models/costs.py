"""What a model costs: parameters, and multiply-adds for one picture, counted without computing anything."""

from functools import lru_cache

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from models.registry import card


class Counter(TorchDispatchMode):
    """Adds up what PyTorch's own formulas say of every operation of this thread.

    `FlopCounterMode` would do, but it listens to the modules of all threads, and so gets in the way of
    whoever is computing gradients at that moment.
    """

    flops = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        made = func(*args, **(kwargs or {}))
        formula = flop_registry.get(func._overloadpacket)
        if formula:
            self.flops += formula(*args, **(kwargs or {}), out_val=made)
        return made


@lru_cache(maxsize=256)
def parameters(name: str) -> int:
    with torch.device("meta"):
        return sum(parameter.numel() for parameter in card(name).build().parameters())


@lru_cache(maxsize=256)
def multiply_adds(name: str) -> int:
    """Of convolutions and matrix products, for one image of the model's own size."""
    with torch.device("meta"), torch.no_grad():
        model = card(name).build().eval()
        image = torch.empty(1, 3, *card(name).preprocess.shape)
        with Counter() as counter:
            model(image)
    return counter.flops // 2
