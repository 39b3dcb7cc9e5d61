"""Muon: momentum made orthogonal, for the matrices inside a network (Jordan et al., 2024).

Source: https://kellerjordan.github.io/posts/muon. `torch.optim.Muon` computes in bfloat16, which processors
without it emulate at a tenth of the speed; here it is float32, and matrices of one shape go together.
"""

import math
from collections.abc import Iterable

import torch
from einops import rearrange, unpack
from torch import Tensor, nn
from torch.optim.optimizer import Optimizer

COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # of the quintic iteration
ROUNDS = 5


class Muon(Optimizer):
    """Steps along the gradient's running mean, all its singular values brought near one.

    The kernel of a convolution `[out, in, h, w]` counts as a matrix with a row for each channel it gives.
    """

    def __init__(
        self, matrices: Iterable[nn.Parameter], lr: float, weight_decay: float, momentum: float = 0.95
    ) -> None:
        super().__init__(matrices, {"lr": lr, "weight_decay": weight_decay, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]  # never called with a closure
        for group in self.param_groups:
            for alike in by_shape(group["params"]):
                rows, *columns = alike[0].shape
                stretch = max(1.0, rows / math.prod(columns)) ** 0.5
                means = [self.running_mean(matrix, group["momentum"]) for matrix in alike]
                kernels = [rearrange(mean, "out ... -> out (...)") for mean in means]
                for matrix, direction in zip(alike, orthogonal(torch.stack(kernels)), strict=True):
                    matrix.mul_(1 - group["lr"] * group["weight_decay"])
                    matrix.add_(unpack(direction, [columns], "out *")[0], alpha=-group["lr"] * stretch)

    def running_mean(self, matrix: nn.Parameter, momentum: float) -> Tensor:
        """The gradient, looked ahead along its running mean (Nesterov)."""
        gradient = matrix.grad if matrix.grad is not None else torch.zeros_like(matrix)
        kept = self.state[matrix]
        if not kept:
            kept["momentum"] = torch.zeros_like(matrix)
        kept["momentum"].lerp_(gradient, 1 - momentum)
        return gradient.lerp(kept["momentum"], momentum)


def by_shape(matrices: list[nn.Parameter]) -> list[list[nn.Parameter]]:
    """The matrices in groups of one shape."""
    groups: dict[torch.Size, list[nn.Parameter]] = {}
    for matrix in matrices:
        groups.setdefault(matrix.shape, []).append(matrix)
    return list(groups.values())


def orthogonal(matrices: Tensor, rounds: int = ROUNDS) -> Tensor:
    """`[n, rows, columns]` with all singular values brought near one, by Newton-Schulz iterations."""
    wide = matrices if matrices.shape[1] <= matrices.shape[2] else matrices.mT
    x = wide / (wide.norm(dim=(1, 2), keepdim=True) + 1e-7)
    a, b, c = COEFFICIENTS
    for _ in range(rounds):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x if matrices.shape[1] <= matrices.shape[2] else x.mT
