"""Nanos that have learned photographs teach another: it is asked for the mean of their probabilities, too.

Hinton, Vinyals & Dean, Distilling the knowledge in a neural network, 2015, https://arxiv.org/abs/1503.02531.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional


@torch.no_grad()
def taught(teachers: Sequence[tuple[nn.Module, int]], image: Tensor) -> Tensor:
    """`[b, 3, h, w]` -> the mean of the teachers' probabilities, `[b, classes]`.

    teachers: each with the side of the pictures it sees, to which the image is reduced or enlarged.
    """
    told = [
        model(image if image.shape[-1] == size else functional.interpolate(image, size=size, mode="area"))
        for model, size in teachers
    ]
    return torch.stack([logits.float().softmax(dim=1) for logits in told]).mean(dim=0)
