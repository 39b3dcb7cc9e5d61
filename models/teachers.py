"""Nanos that have learned photographs teach another: it is asked for the mean of their probabilities, too.

Hinton, Vinyals & Dean, Distilling the knowledge in a neural network, 2015, https://arxiv.org/abs/1503.02531.
"""

from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from models.photographs import CIFAR10
from models.registry import card


def teacher(name: str, folder: Path) -> nn.Module:
    """A nano with its weights `NAME.cifar10.safetensors` of the folder, ready to be asked."""
    model = card(name).build(num_classes=len(CIFAR10))
    model.load_state_dict(load_file(folder / f"{name}.cifar10.safetensors"))
    return model.eval().requires_grad_(False)


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
