"""S2-MLP: Spatial-Shift MLP Architecture for Vision (Yu et al., 2021).

Paper: https://arxiv.org/abs/2106.07477
No official code in PyTorch; the wiring follows figure 1 of the paper.

Only channels are ever mixed by weights. Places talk to each other because between two layers a quarter
of the channels moves one place down, a quarter up, a quarter right and a quarter left.

The widely copied PyTorch shift writes into the tensor it reads and smears the first row and column over
the map; this one is the paper's equation. The norm stands after the second layer, inside the residual
branch, and another after the patch embedding, as in the figure. The paper's deep variant has ResMLP's
affine transformation in place of LayerNorm; here it has LayerNorm like the wide one.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from einops import rearrange, reduce
from jaxtyping import Float
from torch import Tensor, nn

from models.layers import Mlp, Patches, renamed, table_map
from models.mixing import MixingStep
from models.probe import Kind, Probe, Role
from models.registry import Preprocess, announce


@dataclass(frozen=True, kw_only=True)
class S2MlpConfig:
    """Sizes of one variant. The defaults are S2-MLP-wide."""

    image_size: int = 224  # pixels
    patch_size: int = 16  # pixels
    depth: int = 12  # number of blocks
    dim: int = 768
    mlp_ratio: int = 4  # hidden width of the channel MLP over its width
    num_classes: int = 1000

    def __post_init__(self) -> None:
        if self.image_size % self.patch_size:
            raise ValueError(f"image_size {self.image_size} is no multiple of patch_size {self.patch_size}")
        four_groups(self.dim)


def four_groups(dim: int) -> None:
    if dim % 4:
        raise ValueError(f"dim {dim} cannot be cut into four groups, one for each direction")


def spatial_shift(x: Float[Tensor, "b h w c"]) -> Float[Tensor, "b h w c"]:
    """Move the four quarters of the channels one place down, up, right and left; edges keep their value."""
    down, up, right, left = x.chunk(4, dim=-1)
    return torch.cat(
        [
            torch.cat([down[:, :1], down[:, :-1]], dim=1),
            torch.cat([up[:, 1:], up[:, -1:]], dim=1),
            torch.cat([right[:, :, :1], right[:, :, :-1]], dim=2),
            torch.cat([left[:, :, 1:], left[:, :, -1:]], dim=2),
        ],
        dim=-1,
    )


class S2Block(nn.Module):
    """Shift between two layers, then a channel MLP; each normalised last and added back (fig. 1)."""

    def __init__(self, dim: int, mlp_ratio: int) -> None:
        super().__init__()
        four_groups(dim)
        self.dim = dim
        self.fc1 = nn.Linear(dim, dim)
        self.act = nn.GELU()
        self.shifted = table_map(role=Role.MIXED)
        self.fc2 = nn.Linear(dim, dim)
        self.norm1 = nn.LayerNorm(dim)
        self.after_shift = table_map()
        self.channel_mixing = Mlp(dim, mlp_ratio * dim, dim)
        self.norm2 = nn.LayerNorm(dim)
        self.output = table_map(role=Role.BLOCK)

    def forward(self, x: Float[Tensor, "b h w c"]) -> Float[Tensor, "b h w c"]:
        shifted = self.shifted(spatial_shift(self.act(self.fc1(x))))
        x = self.after_shift(x + self.norm1(self.fc2(shifted)))
        return self.output(x + self.norm2(self.channel_mixing(x)))

    def mixing_steps(self) -> tuple[MixingStep, ...]:
        return (MixingStep("shift", spatial_shift, "b h w c", self.dim, self.act, self.shifted),)


class S2Mlp(nn.Module):
    def __init__(self, cfg: S2MlpConfig) -> None:
        super().__init__()
        self.stem = Patches(3, cfg.dim, cfg.patch_size, norm=True)
        self.blocks = nn.Sequential(*(S2Block(cfg.dim, cfg.mlp_ratio) for _ in range(cfg.depth)))
        self.pooled = Probe(Kind.VECTOR, "b c -> b c")
        self.head = nn.Linear(cfg.dim, cfg.num_classes)

    def forward(self, image: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b classes"]:
        x = self.blocks(self.stem(rearrange(image, "b c h w -> b h w c")))
        return self.head(self.pooled(reduce(x, "b h w c -> b c", "mean")))


def published(cfg: S2MlpConfig, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Our keys for those of Jittor-MLP, the layout S2-MLP checkpoints circulate in."""
    prefixes = {"stages.0.0.": "stem.", "mlp_head.1.": "head."}
    for block in range(cfg.depth):
        theirs, ours = f"stages.0.1.model.{block}.", f"blocks.{block}."
        prefixes |= {
            f"{theirs}0.fn.0.": f"{ours}fc1.",
            f"{theirs}0.fn.3.": f"{ours}fc2.",
            f"{theirs}0.norm.": f"{ours}norm1.",
            f"{theirs}1.fn.0.": f"{ours}channel_mixing.fc1.",
            f"{theirs}1.fn.3.": f"{ours}channel_mixing.fc2.",
            f"{theirs}1.norm.": f"{ours}norm2.",
        }
    return renamed(tensors, prefixes)


VARIANTS = {
    "s2mlp_wide": S2MlpConfig(),
    "s2mlp_deep": S2MlpConfig(depth=36, dim=384),
    "s2mlp_nano": S2MlpConfig(image_size=64, patch_size=8, depth=6, dim=128, num_classes=12),
}

for name, cfg in VARIANTS.items():
    announce(
        name,
        cfg,
        family="S2-MLP",
        paper="https://arxiv.org/abs/2106.07477",
        source="https://github.com/liuruiyang98/Jittor-MLP",
        network=S2Mlp,
        published=published,
        preprocess=Preprocess(size=cfg.image_size, crop=0.875),
        step=cfg.patch_size,
        mixing=(
            "S2-MLP moves a quarter of the channels by one place in each of four "
            "directions, the same for every picture. There is nothing to reweight."
        ),
        unpublished="No trained weights of {name} have been published; the paper's were never released.",
    )
