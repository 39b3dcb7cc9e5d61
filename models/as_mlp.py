"""AS-MLP: An Axial Shifted MLP Architecture for Vision (Lian et al., 2021).

Paper: https://arxiv.org/abs/2107.08391
Official code: https://github.com/svip-lab/AS-MLP, models/as_mlp.py and its CUDA kernel

Two branches look along one axis each: the channels are cut into groups, every group is moved by another
number of places, and a 1 x 1 convolution then sees, at one place, values from a whole stretch of the axis.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import torch
from einops import rearrange, reduce
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import pad

from models.layers import image_map, renamed
from models.mixing import MixingStep
from models.probe import Kind, Probe, Role
from models.registry import Preprocess, announce

BRANCHES = ("horizontal", "vertical")


@dataclass(frozen=True, kw_only=True)
class AsMlpConfig:
    """Sizes of one variant. The defaults are AS-MLP-T."""

    image_size: int = 224  # pixels
    patch_size: int = 4  # pixels
    dim: int = 96  # width of the first stage; it doubles from stage to stage
    depths: tuple[int, ...] = (2, 2, 6, 2)  # blocks per stage
    shift_size: int = 5  # groups of channels, and places a branch looks along
    mlp_ratio: int = 4
    num_classes: int = 1000

    def __post_init__(self) -> None:
        odd(self.shift_size)


def odd(shift_size: int) -> None:
    if shift_size % 2 == 0:
        raise ValueError(f"shift_size {shift_size} is even; it needs a middle that stays")


def axial_shift(x: Float[Tensor, "b c h w"], size: int, dim: int) -> Float[Tensor, "b c h w"]:
    """Move group g of the channels by g - size // 2 places along `dim`; zeros come in from outside.

    Groups have ceil(c / size) channels, the last may have fewer, as in the official kernel.
    """
    length, reach = x.shape[dim], size // 2
    around = (reach, reach) if dim == 3 else (0, 0, reach, reach)
    groups = pad(x, around).split(-(-x.shape[1] // size), dim=1)
    return torch.cat(
        [part.narrow(dim, 2 * reach - shift, length) for shift, part in enumerate(groups)], dim=1
    )


def conv1x1(dim: int, out_dim: int, bias: bool = True) -> nn.Conv2d:
    return nn.Conv2d(dim, out_dim, kernel_size=1, bias=bias)


class AxialShift(nn.Module):
    """Look along the rows and along the columns, and add the two up (§3.2, fig. 2)."""

    def __init__(self, dim: int, shift_size: int) -> None:
        super().__init__()
        odd(shift_size)
        self.dim = dim
        self.shift_size = shift_size
        self.conv1 = conv1x1(dim, dim)
        self.norm1 = nn.GroupNorm(1, dim)
        self.act = nn.GELU()
        self.horizontal = conv1x1(dim, dim)
        self.vertical = conv1x1(dim, dim)
        self.branches = Probe(Kind.BRANCHES, "branches b c h w -> b branches h w c", branches=BRANCHES)
        self.norm2 = nn.GroupNorm(1, dim)
        self.conv3 = conv1x1(dim, dim)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        x = self.act(self.norm1(self.conv1(x)))
        along_rows = self.act(self.horizontal(axial_shift(x, self.shift_size, dim=3)))
        along_columns = self.act(self.vertical(axial_shift(x, self.shift_size, dim=2)))
        along_rows, along_columns = self.branches([along_rows, along_columns])
        return self.conv3(self.norm2(along_rows + along_columns))

    def mixing_steps(self) -> tuple[MixingStep, ...]:
        """What happens to the channels before each branch."""
        return tuple(
            MixingStep(name, partial(axial_shift, size=self.shift_size, dim=dim), "b c h w", self.dim)
            for name, dim in zip(BRANCHES, (3, 2), strict=True)
        )


class AsMlpBlock(nn.Module):
    """Axial shift, then channel MLP, each normalised first and added back."""

    def __init__(self, dim: int, shift_size: int, mlp_ratio: int) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(1, dim)
        self.axial_shift = AxialShift(dim, shift_size)
        self.after_shift = image_map(role=Role.MIXED)
        self.norm2 = nn.GroupNorm(1, dim)
        self.fc1 = conv1x1(dim, mlp_ratio * dim)
        self.act = nn.GELU()
        self.fc2 = conv1x1(mlp_ratio * dim, dim)
        self.output = image_map(role=Role.BLOCK)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        x = self.after_shift(x + self.axial_shift(self.norm1(x)))
        return self.output(x + self.fc2(self.act(self.fc1(self.norm2(x)))))


class PatchMerging(nn.Module):
    """Four neighbours side by side in the channels, upper left, lower left, upper right, lower right."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(1, 4 * dim)
        self.reduction = conv1x1(4 * dim, 2 * dim, bias=False)
        self.output = image_map(role=Role.PATCHES)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c2 h2 w2"]:
        gathered = rearrange(x, "b c (h h2) (w w2) -> b (w2 h2 c) h w", h2=2, w2=2)
        return self.output(self.reduction(self.norm(gathered)))


class AsMlpStage(nn.Module):
    """Blocks of one width, after merging where it is not the first stage."""

    def __init__(self, cfg: AsMlpConfig, stage: int) -> None:
        super().__init__()
        dim = cfg.dim * 2**stage
        self.downsample = PatchMerging(dim // 2) if stage else nn.Identity()
        self.blocks = nn.Sequential(
            *(AsMlpBlock(dim, cfg.shift_size, cfg.mlp_ratio) for _ in range(cfg.depths[stage]))
        )
        self.output = image_map(role=Role.STAGE)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c2 h2 w2"]:
        return self.output(self.blocks(self.downsample(x)))


class Stem(nn.Module):
    def __init__(self, dim: int, patch_size: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, dim, kernel_size=patch_size, stride=patch_size)
        self.norm = nn.GroupNorm(1, dim)
        self.output = image_map(role=Role.PATCHES)

    def forward(self, image: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b c h2 w2"]:
        return self.output(self.norm(self.proj(image)))


class AsMlp(nn.Module):
    def __init__(self, cfg: AsMlpConfig) -> None:
        super().__init__()
        self.stem = Stem(cfg.dim, cfg.patch_size)
        self.stages = nn.Sequential(*(AsMlpStage(cfg, stage) for stage in range(len(cfg.depths))))
        dim = cfg.dim * 2 ** (len(cfg.depths) - 1)
        self.norm = nn.GroupNorm(1, dim)
        self.normed = image_map()
        self.pooled = Probe(Kind.VECTOR, "b c -> b c")
        self.head = nn.Linear(dim, cfg.num_classes)

    def forward(self, image: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b classes"]:
        x = self.normed(self.norm(self.stages(self.stem(image))))
        return self.head(self.pooled(reduce(x, "b c h w -> b c", "mean")))


def published(cfg: AsMlpConfig, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Our keys for the official ones, where merging belongs to the end of a stage."""
    prefixes = {"patch_embed.": "stem."}
    for stage, depth in enumerate(cfg.depths):
        prefixes[f"layers.{stage}.downsample."] = f"stages.{stage + 1}.downsample."
        for block in range(depth):
            theirs, ours = f"layers.{stage}.blocks.{block}.", f"stages.{stage}.blocks.{block}."
            prefixes |= {
                f"{theirs}axial_shift.conv2_1.": f"{ours}axial_shift.horizontal.",
                f"{theirs}axial_shift.conv2_2.": f"{ours}axial_shift.vertical.",
                f"{theirs}mlp.": ours,
                theirs: ours,
            }
    return renamed(tensors, prefixes)


VARIANTS = {
    "as_mlp_t": AsMlpConfig(),
    "as_mlp_s": AsMlpConfig(depths=(2, 2, 18, 2)),
    "as_mlp_b": AsMlpConfig(dim=128, depths=(2, 2, 18, 2)),
    "as_mlp_nano": AsMlpConfig(image_size=64, dim=48, depths=(2, 2, 1), num_classes=12),
}

BROWSER = (
    "The ImageNet weights of {name} are behind a link that needs a browser: follow it from the README of "
    "https://github.com/svip-lab/AS-MLP, download the .pth, and give its path as the weights."
)

for name, cfg in VARIANTS.items():
    announce(
        name,
        cfg,
        family="AS-MLP",
        paper="https://arxiv.org/abs/2107.08391",
        source="https://github.com/svip-lab/AS-MLP",
        network=AsMlp,
        published=published,
        preprocess=Preprocess(size=cfg.image_size, crop=0.875),
        step=cfg.patch_size * 2 ** (len(cfg.depths) - 1),
        mixing=(
            "AS-MLP adds its horizontal and its vertical branch up as they are: no "
            "weights are learned here. Shown is how large each branch is beside the other."
        ),
        unpublished=BROWSER,
    )
