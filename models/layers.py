"""Pieces that several families share."""

from collections import OrderedDict
from collections.abc import Mapping
from functools import partial

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from models.probe import Kind, Probe, Role

table_map = partial(Probe, Kind.FEATURE_MAP, "b h w c -> b h w c")  # probes a table of tokens
image_map = partial(Probe, Kind.FEATURE_MAP, "b c h w -> b h w c")  # probes a channel-first map


class Mlp(nn.Sequential):
    """Two linear layers with a GELU between them, along the last axis."""

    def __init__(self, dim: int, hidden_dim: int, out_dim: int, bias: bool = True) -> None:
        super().__init__(
            OrderedDict(
                fc1=nn.Linear(dim, hidden_dim, bias=bias),
                act=nn.GELU(),
                fc2=nn.Linear(hidden_dim, out_dim, bias=bias),
            )
        )


class Patches(nn.Module):
    """A convolution as wide as its stride, on a table of tokens: patch embedding and merging alike."""

    def __init__(self, dim: int, out_dim: int, patch_size: int, *, norm: bool = False) -> None:
        super().__init__()
        self.proj = nn.Conv2d(dim, out_dim, kernel_size=patch_size, stride=patch_size)
        self.norm = nn.LayerNorm(out_dim) if norm else nn.Identity()
        self.output = table_map(role=Role.PATCHES)

    def forward(self, x: Float[Tensor, "b h w c"]) -> Float[Tensor, "b h2 w2 c2"]:
        merged = self.proj(rearrange(x, "b h w c -> b c h w"))
        return self.output(self.norm(rearrange(merged, "b c h w -> b h w c")))


class LayerScale(nn.Module):
    """A learned factor for every channel of a channel-first map (Touvron et al., 2021)."""

    def __init__(self, dim: int, start: float) -> None:
        super().__init__()
        self.factors = nn.Parameter(torch.full((dim,), start))

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        return x * rearrange(self.factors, "c -> c 1 1")


class PlaceNorm(nn.LayerNorm):
    """Layer norm of a channel-first map: every place alone, over its channels."""

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        return rearrange(super().forward(rearrange(x, "b c h w -> b h w c")), "b h w c -> b c h w")


class DropPath(nn.Module):
    """While training, leave out the branch of a residual for some pictures (Huang et al., 2016)."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.rate == 0:
            return x
        kept = torch.rand(len(x), *[1] * (x.ndim - 1), device=x.device) >= self.rate
        return x * kept / (1 - self.rate)


def channels_together(model: nn.Module) -> nn.Module:
    """The same model with the channels of a place side by side in memory; equal to rounding.

    Convolutions take a processor less time so: a picture a tenth to a quarter, training half.
    """
    return model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # not in PyTorch's stub


def only_size(image: Tensor, size: int) -> None:
    """Refuse an image of another size, for networks whose weights are tied to the number of tokens."""
    if tuple(image.shape[-2:]) != (size, size):
        height, width = image.shape[-2:]
        raise ValueError(
            f"this network mixes a fixed number of tokens and takes {size} x {size} pixels only; "
            f"the image has {height} x {width}"
        )


def drop_rates(most: float, blocks: int) -> list[float]:
    """Rates that grow linearly from zero at the first block to `most` at the last, and at a lone one."""
    return [most * block / (blocks - 1) for block in range(blocks)] if blocks > 1 else [most] * blocks


def renamed(tensors: Mapping[str, Tensor], prefixes: Mapping[str, str]) -> dict[str, Tensor]:
    """Tensors under our keys; `prefixes` maps theirs to ours, the first that fits wins, others pass."""

    def ours(key: str) -> str:
        return next((new + key[len(old) :] for old, new in prefixes.items() if key.startswith(old)), key)

    return {ours(key): value for key, value in tensors.items()}
