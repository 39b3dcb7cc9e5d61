"""Pieces that several families share."""

from collections import OrderedDict

from torch import nn


class Mlp(nn.Sequential):
    """Two linear layers with a GELU between them, along the last axis."""

    def __init__(self, dim: int, hidden_dim: int, out_dim: int) -> None:
        super().__init__(
            OrderedDict(
                fc1=nn.Linear(dim, hidden_dim),
                act=nn.GELU(),
                fc2=nn.Linear(hidden_dim, out_dim),
            )
        )
