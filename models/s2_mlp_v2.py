"""S2-MLPv2: Improved Spatial-Shift MLP Architecture for Vision (Yu et al., 2021).

Paper: https://arxiv.org/abs/2108.01072
No official code in PyTorch; eq. (1) to (5) and table 1 of the paper.

A layer triples the channels; one third is shifted one way, one the other way, one stays, and a split
attention decides for every channel of every picture how much of each third goes on.

The hidden width of the split attention, c-bar in the paper, is not stated there; a quarter of the
channels, as in Vision Permutator, is what gives the published 25 M and 55 M parameters.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from einops import rearrange, reduce
from jaxtyping import Float
from torch import Tensor, nn

from models.layers import Mlp, Patches, renamed, table_map
from models.mixing import MixingStep
from models.probe import Kind, Probe, Role
from models.registry import Preprocess, announce
from models.s2_mlp import four_groups, spatial_shift

BRANCHES = ("shift 1", "shift 2", "identity")


@dataclass(frozen=True, kw_only=True)
class S2MlpV2Config:
    """Sizes of one variant. The defaults are S2-MLPv2-Small/7."""

    image_size: int = 224  # pixels
    patch_sizes: tuple[int, ...] = (7, 2)  # pixels, then tokens, merged at the start of each stage
    dims: tuple[int, ...] = (192, 384)  # width per stage
    depths: tuple[int, ...] = (4, 14)  # blocks per stage
    mlp_ratio: int = 3  # hidden width of the channel MLP over its width
    num_classes: int = 1000

    def __post_init__(self) -> None:
        if not len(self.patch_sizes) == len(self.dims) == len(self.depths):
            raise ValueError(
                f"{len(self.patch_sizes)} patch_sizes, {len(self.dims)} dims and {len(self.depths)} depths; "
                "every stage needs all three"
            )
        for dim in self.dims:
            four_groups(dim)


def spatial_shift_2(x: Float[Tensor, "b h w c"]) -> Float[Tensor, "b h w c"]:
    """The other shift of eq. (1): the four quarters move right, left, down and up."""
    turned = spatial_shift(rearrange(x, "b h w c -> b w h c"))
    return rearrange(turned, "b w h c -> b h w c")


class SplitAttention(nn.Module):
    """Blend branches channel by channel, with shares from their sum over all places (eq. 2 to 4)."""

    def __init__(self, dim: int, branches: tuple[str, ...] = BRANCHES, hidden_dim: int | None = None) -> None:
        super().__init__()
        self.branches = Probe(Kind.BRANCHES, "branches b h w c -> b branches h w c", branches=branches)
        self.reweight = Mlp(dim, hidden_dim or dim // 4, len(branches) * dim, bias=False)
        self.branch_logits = Probe(Kind.BRANCH_LOGITS, "branches b 1 1 c -> b branches c", branches=branches)
        self.branch_weights = Probe(
            Kind.BRANCH_WEIGHTS, "branches b 1 1 c -> b branches c", branches=branches
        )
        self.blended = table_map(role=Role.BLENDED)

    def forward(self, parts: list[Tensor]) -> Float[Tensor, "b h w c"]:
        parts = self.branches(parts)
        # eq. 2: a = Σ_k 1 X_k
        # Summed, not averaged: the equation multiplies by a row of ones.
        pooled = reduce(sum(parts), "b h w c -> b c", "sum")
        # eq. 3: â = σ(a W₁) W₂
        logits = rearrange(self.reweight(pooled), "b (branches c) -> branches b 1 1 c", branches=len(parts))
        logits = self.branch_logits(logits)
        # eq. 4: ā_k = softmax(â)_k over the branches k, for every channel
        shares = self.branch_weights(logits.softmax(dim=0))
        # eq. 4: X̂ = Σ_k X_k ⊙ ā_k
        blended = shares[0] * parts[0]
        for share, part in zip(shares[1:], parts[1:], strict=True):
            blended = torch.addcmul(blended, share, part)
        return self.blended(blended)


class S2Attention(nn.Module):
    """Expand, shift two of the three parts, blend, project (eq. 5, first line)."""

    def __init__(self, dim: int, hidden_dim: int | None = None) -> None:
        super().__init__()
        four_groups(dim)
        self.dim = dim
        self.expand = nn.Linear(dim, 3 * dim)
        self.split_attention = SplitAttention(dim, hidden_dim=hidden_dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x: Float[Tensor, "b h w c"]) -> Float[Tensor, "b h w c"]:
        first, second, third = self.expand(x).chunk(3, dim=-1)
        # eq. 1: shift the first third one way, the second the other way, leave the last
        parts = [spatial_shift(first), spatial_shift_2(second), third]
        return self.proj(self.split_attention(parts))

    def mixing_steps(self) -> tuple[MixingStep, ...]:
        """What happens to each third of the expanded channels."""
        runs: tuple[Callable[[Tensor], Tensor], ...] = (spatial_shift, spatial_shift_2, nn.Identity())
        sizes = "b h w c", self.dim, self.expand, self.split_attention.branches
        return tuple(MixingStep(name, run, *sizes) for name, run in zip(BRANCHES, runs, strict=True))


class S2BlockV2(nn.Module):
    """Spatial mixing, then channel mixing, each normalised first and added back (eq. 5)."""

    def __init__(self, dim: int, mlp_ratio: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim)
        self.token_mixing = S2Attention(dim)
        self.after_tokens = table_map(role=Role.MIXED)
        self.norm2 = nn.LayerNorm(dim)
        self.channel_mixing = Mlp(dim, mlp_ratio * dim, dim)
        self.output = table_map(role=Role.BLOCK)

    def forward(self, x: Float[Tensor, "b h w c"]) -> Float[Tensor, "b h w c"]:
        # eq. 5: Y = S²-MLPv2(LN(X)) + X
        x = self.after_tokens(x + self.token_mixing(self.norm1(x)))
        # eq. 5: Z = CM-MLP(LN(Y)) + Y
        return self.output(x + self.channel_mixing(self.norm2(x)))


class S2Stage(nn.Module):
    """Merging, then blocks of one width."""

    def __init__(self, cfg: S2MlpV2Config, stage: int) -> None:
        super().__init__()
        dim = cfg.dims[stage]
        self.downsample = Patches(cfg.dims[stage - 1] if stage else 3, dim, cfg.patch_sizes[stage])
        self.blocks = nn.Sequential(*(S2BlockV2(dim, cfg.mlp_ratio) for _ in range(cfg.depths[stage])))
        self.output = table_map(role=Role.STAGE)

    def forward(self, x: Float[Tensor, "b h w c"]) -> Float[Tensor, "b h2 w2 c2"]:
        return self.output(self.blocks(self.downsample(x)))


class S2MlpV2(nn.Module):
    def __init__(self, cfg: S2MlpV2Config) -> None:
        super().__init__()
        self.stages = nn.Sequential(*(S2Stage(cfg, stage) for stage in range(len(cfg.dims))))
        self.pooled = Probe(Kind.VECTOR, "b c -> b c")
        self.head = nn.Linear(cfg.dims[-1], cfg.num_classes)

    def forward(self, image: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b classes"]:
        x = self.stages(rearrange(image, "b c h w -> b h w c"))
        return self.head(self.pooled(reduce(x, "b h w c -> b c", "mean")))


def published(cfg: S2MlpV2Config, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Our keys for those of Jittor-MLP, the layout S2-MLPv2 checkpoints circulate in."""
    prefixes = {"mlp_head.1.": "head."}
    for stage, depth in enumerate(cfg.depths):
        prefixes[f"stages.{stage}.0."] = f"stages.{stage}.downsample.proj."
        for block in range(depth):
            theirs, ours = f"stages.{stage}.1.model.{block}.", f"stages.{stage}.blocks.{block}."
            attention = f"{ours}token_mixing.split_attention.reweight."
            prefixes |= {
                f"{theirs}0.fn.split_attention.mlp1.": f"{attention}fc1.",
                f"{theirs}0.fn.split_attention.mlp2.": f"{attention}fc2.",
                f"{theirs}0.fn.mlp1.": f"{ours}token_mixing.expand.",
                f"{theirs}0.fn.mlp2.": f"{ours}token_mixing.proj.",
                f"{theirs}0.norm.": f"{ours}norm1.",
                f"{theirs}1.fn.0.": f"{ours}channel_mixing.fc1.",
                f"{theirs}1.fn.3.": f"{ours}channel_mixing.fc2.",
                f"{theirs}1.norm.": f"{ours}norm2.",
            }
    return renamed(tensors, prefixes)


VARIANTS = {
    "s2mlpv2_small": S2MlpV2Config(),
    "s2mlpv2_medium": S2MlpV2Config(dims=(256, 512), depths=(7, 17)),
    "s2mlpv2_nano": S2MlpV2Config(
        image_size=64, patch_sizes=(4, 2), dims=(64, 128), depths=(2, 4), num_classes=12
    ),
}

for name, cfg in VARIANTS.items():
    announce(
        name,
        cfg,
        family="S2-MLPv2",
        paper="https://arxiv.org/abs/2108.01072",
        source="https://github.com/liuruiyang98/Jittor-MLP",
        network=S2MlpV2,
        published=published,
        preprocess=Preprocess(size=cfg.image_size, crop=0.875),
        step=math.prod(cfg.patch_sizes),
        unpublished="No trained weights of {name} have been published; the paper's were never released.",
    )
