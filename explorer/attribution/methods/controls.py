"""Two maps that know nothing of the model: what every method has to be better than."""

import hashlib
from collections.abc import Iterator

import numpy as np
import torch
from einops import rearrange, reduce
from torch import Tensor
from torch.nn.functional import conv2d, pad

from explorer.attribution.methods.case import Case, Part

SOBEL = ((-1.0, 0.0, 1.0), (-2.0, 0.0, 2.0), (-1.0, 0.0, 1.0))


def random(case: Case) -> Iterator[Part]:
    """Noise: another for every picture and seed, the same for the same."""
    height, width = case.image.shape[-2:]
    noise = noise_for(case.image, case.options.seed, (height, width))
    yield Part(1, 1, rearrange(torch.from_numpy(noise).to(case.image), "h w -> 1 1 h w"))


def noise_for(image: Tensor, seed: int, shape: tuple[int, int]) -> np.ndarray:
    """Even noise in [0, 1] `[h, w]` that depends on the image and the seed alone."""
    content = hashlib.blake2b(image.detach().float().cpu().numpy().tobytes(), digest_size=8).digest()
    dice = np.random.default_rng([seed, int.from_bytes(content, "little")])
    return dice.random(shape, dtype=np.float32)


def edges(case: Case) -> Iterator[Part]:
    """How steep the picture is."""
    yield Part(1, 1, slopes(case.image))


def slopes(image: Tensor) -> Tensor:
    """How steep a picture is (Sobel) `[b, 1, h, w]`, averaged over its colours before.

    Computed on the processor: elsewhere what is flat is rounded otherwise, and equal places trade order.
    """
    grey = reduce(image.cpu(), "b c h w -> b 1 h w", "mean")
    across = torch.tensor(SOBEL, dtype=grey.dtype)
    kernels = torch.stack([across, across.T])[:, None] / 8
    found = conv2d(pad(grey, (1, 1, 1, 1), mode="replicate"), kernels)
    return torch.linalg.vector_norm(found, dim=1, keepdim=True).to(image.device)
