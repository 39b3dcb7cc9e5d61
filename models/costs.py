"""What a model costs: parameters, and multiply-adds for one picture, counted without computing anything."""

from functools import cache

import torch
from torch.utils.flop_counter import FlopCounterMode

from models.registry import card


@cache
def parameters(name: str) -> int:
    with torch.device("meta"):
        return sum(parameter.numel() for parameter in card(name).build().parameters())


@cache
def multiply_adds(name: str) -> int:
    """Of convolutions and matrix products, for one image of the model's own size."""
    with torch.device("meta"), torch.no_grad():
        model = card(name).build().eval()
        image = torch.empty(1, 3, card(name).image_size, card(name).image_size)
        with FlopCounterMode(display=False) as counter:
            model(image)
    return counter.get_total_flops() // 2
