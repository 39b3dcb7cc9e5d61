"""What counts as nothing: pictures an attribution is measured against."""

from types import MappingProxyType

import torch
from einops import rearrange, reduce, repeat
from torch import Tensor
from torch.nn.functional import conv2d, pad

from models.registry import Preprocess

BASELINES = MappingProxyType(
    {
        "black": "a black picture",
        "mean": "a picture of its mean colour",
        "blur": "the picture blurred",
        "noise": "a picture of noise",
    }
)


def baseline_of(image: Tensor, preprocess: Preprocess, name: str, seed: int = 0) -> Tensor:
    """What counts as nothing, chosen in picture space and brought to the image's units."""
    if name == "mean":
        return reduce(image, "b c h w -> b c 1 1", "mean").expand_as(image).contiguous()
    if name == "blur":
        return blurred(image, deviation=min(image.shape[-2:]) / 10)
    mean, std = (
        rearrange(torch.tensor(value), "c -> 1 c 1 1").to(image)
        for value in (preprocess.mean, preprocess.std)
    )
    if name == "noise":
        dice = torch.Generator().manual_seed(seed)
        drawn = torch.rand(image.shape, generator=dice).to(image)
        return (drawn - mean) / std
    return (-mean / std).expand_as(image).contiguous()


def blurred(image: Tensor, deviation: float) -> Tensor:
    """A Gaussian blur of `deviation` pixels, the border continued."""
    reach = max(1, round(3 * deviation))
    places = torch.arange(-reach, reach + 1, dtype=image.dtype, device=image.device)
    bell = torch.exp(-0.5 * (places / deviation) ** 2)
    bell = repeat(bell / bell.sum(), "k -> c 1 k 1", c=image.shape[1])
    padded = pad(image, (reach,) * 4, mode="replicate")
    down = conv2d(padded, bell, groups=image.shape[1])
    return conv2d(down, rearrange(bell, "c one k l -> c one l k"), groups=image.shape[1])
