"""Photographs of 32 x 32 pixels as the nanos see them, as they are and varied for training."""

import torch
from torch import Tensor
from torch.nn import functional


def enlarged(pictures: Tensor, size: int) -> Tensor:
    """uint8 `[b, 3, 32, 32]` -> the image the nanos see, `[b, 3, size, size]` in [-1, 1]."""
    return functional.interpolate(pictures.float(), size=(size, size), mode="bilinear") / 127.5 - 1


def augmented(pictures: Tensor, size: int, cutout: float, random: torch.Generator) -> Tensor:
    """uint8 `[b, 3, 32, 32]` -> cropped, flipped, recoloured, a square covered, `[b, 3, size, size]`.

    Scale and aspect vary, as objects in photographs fill more or less of the picture. Pictures and generator
    are on one device.
    """

    def uniform(low: float, high: float, *axes: int) -> Tensor:
        return low + (high - low) * torch.rand(len(pictures), *axes, generator=random, device=random.device)

    scale, aspect = uniform(0.6, 1.15), uniform(-0.2, 0.2).exp()
    tall, wide = scale / aspect.sqrt(), scale * aspect.sqrt()
    flip = torch.where(uniform(0.0, 1.0) < 0.5, -1.0, 1.0)
    maps = torch.zeros(len(pictures), 2, 3, device=random.device)
    maps[:, 0, 0], maps[:, 1, 1] = wide * flip, tall
    maps[:, 0, 2] = uniform(-1.0, 1.0) * ((1 - wide).abs() + 0.08)
    maps[:, 1, 2] = uniform(-1.0, 1.0) * ((1 - tall).abs() + 0.08)
    grid = functional.affine_grid(maps, [len(pictures), 3, size, size], align_corners=False)
    x = functional.grid_sample(
        pictures.float() / 255, grid, mode="bilinear", padding_mode="reflection", align_corners=False
    )
    grey = x.mean(dim=1, keepdim=True)
    x = grey + (x - grey) * uniform(0.6, 1.4, 1, 1, 1)
    middle = x.mean(dim=(1, 2, 3), keepdim=True)
    x = middle + (x - middle) * uniform(0.7, 1.3, 1, 1, 1) + uniform(-0.12, 0.12, 1, 1, 1)
    x = x + uniform(-0.05, 0.05, 3, 1, 1)
    side = uniform(0.2, 0.5) * (uniform(0.0, 1.0) < cutout)
    row, column = uniform(0.0, 1.0), uniform(0.0, 1.0)
    at = (torch.arange(size, device=random.device) + 0.5) / size
    rows, columns = ((at - one[:, None]).abs() < side[:, None] / 2 for one in (row, column))
    covered = (rows[:, :, None] & columns[:, None, :])[:, None]
    return torch.where(covered, 0.0, x.clamp(0, 1) * 2 - 1)
