"""Two maps that know nothing of the model: what every method has to be better than."""

from collections.abc import Iterator

import torch
from einops import reduce
from torch.nn.functional import conv2d, pad

from explorer.attribution.methods.case import Case, Part

SOBEL = ((-1.0, 0.0, 1.0), (-2.0, 0.0, 2.0), (-1.0, 0.0, 1.0))


def random(case: Case) -> Iterator[Part]:
    """Noise, the same for the same seed."""
    dice = torch.Generator().manual_seed(case.options.seed)
    shape = (1, 1, *case.image.shape[-2:])
    yield Part(1, 1, torch.rand(shape, generator=dice, dtype=case.image.dtype).to(case.image.device))


def edges(case: Case) -> Iterator[Part]:
    """How steep the picture is (Sobel), averaged over its colours before."""
    grey = reduce(case.image, "b c h w -> b 1 h w", "mean")
    across = torch.tensor(SOBEL, dtype=grey.dtype, device=grey.device)
    kernels = torch.stack([across, across.T])[:, None] / 8
    slopes = conv2d(pad(grey, (1, 1, 1, 1), mode="replicate"), kernels)
    yield Part(1, 1, torch.linalg.vector_norm(slopes, dim=1, keepdim=True))
