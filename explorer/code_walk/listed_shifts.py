"""Spatial shifts as published listings write them: an error, run as printed to be shown as what it is.

The papers' pseudo-code, and the PyTorch code that circulates, assign a quarter of the channels to itself, one
place further. PyTorch copies line after line, so that what moves down or right is read after it was written
over: the first row, or column, ends up everywhere. `models.s2_mlp.spatial_shift` is the equation.
"""

import inspect
from collections.abc import Callable, Mapping

import torch
from einops import rearrange
from torch import Tensor

from models.s2_mlp import spatial_shift
from models.s2_mlp_v2 import spatial_shift_2


def listed_shift(x: Tensor) -> Tensor:
    """Down, up, right and left, as listings of S2-MLP print it."""
    _, h, w, c = x.shape
    x[:, 1:, :, : c // 4] = x[:, : h - 1, :, : c // 4]
    x[:, : h - 1, :, c // 4 : c // 2] = x[:, 1:, :, c // 4 : c // 2]
    x[:, :, 1:, c // 2 : c * 3 // 4] = x[:, :, : w - 1, c // 2 : c * 3 // 4]
    x[:, :, : w - 1, c * 3 // 4 :] = x[:, :, 1:, c * 3 // 4 :]
    return x


def listed_shift_2(x: Tensor) -> Tensor:
    """Right, left, down and up, as listings of S2-MLPv2 print the second one."""
    _, h, w, c = x.shape
    x[:, :, 1:, : c // 4] = x[:, :, : w - 1, : c // 4]
    x[:, :, : w - 1, c // 4 : c // 2] = x[:, :, 1:, c // 4 : c // 2]
    x[:, 1:, :, c // 2 : c * 3 // 4] = x[:, : h - 1, :, c // 2 : c * 3 // 4]
    x[:, : h - 1, :, c * 3 // 4 :] = x[:, 1:, :, c * 3 // 4 :]
    return x


Shift = Callable[[Tensor], Tensor]
LISTED: Mapping[Shift, Shift] = {spatial_shift: listed_shift, spatial_shift_2: listed_shift_2}


def run_listed(listed: Shift, x: Tensor) -> Tensor:
    """What a listing makes of a table `[b, h, w, c]`, on a copy and on the CPU.

    One channel of each quarter at a time: large copies are shared among threads, and nobody knows which of
    them reads what another has written over.
    """
    fours = rearrange(x.cpu(), "b h w (four c) -> c b h w four", four=4)
    made = [listed(one.clone(memory_format=torch.contiguous_format)) for one in fours]
    return rearrange(made, "c b h w four -> b h w (four c)").to(x.device)


def assignments(listed: Shift) -> tuple[str, ...]:
    """The four lines of a listing that move something, as they stand in its source."""
    lines = (line.strip() for line in inspect.getsource(listed).splitlines())
    return tuple(line for line in lines if line.startswith("x["))
