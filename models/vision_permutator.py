"""Vision Permutator: A Permutable MLP-Like Architecture for Visual Recognition (Hou et al., 2021).

Paper: https://arxiv.org/abs/2106.12368
Official code: https://github.com/houqb/VisionPermutator, models/vip.py

Tokens keep their place in a table of rows, columns and channels. A block mixes them three times in
parallel, along the height, along the width and along the channels, and a split attention decides for
every channel of every picture how much of each of the three goes on.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from einops import rearrange, reduce
from jaxtyping import Float
from torch import Tensor, nn

from models.layers import Mlp, Patches, only_size, renamed, table_map
from models.mixing import Between, MixingMatrix
from models.probe import Kind, Probe, Role
from models.registry import Preprocess, Released, announce
from models.sources import Link

BRANCHES = ("height", "width", "channel")  # the order of the published checkpoints


@dataclass(frozen=True, kw_only=True)
class VipConfig:
    """Sizes of one variant. The defaults are ViP-Small/7."""

    image_size: int = 224  # pixels
    patch_size: int = 7  # pixels
    dims: tuple[int, ...] = (192, 384, 384, 384)  # width per stage; where it changes, 2x2 tokens are merged
    depths: tuple[int, ...] = (4, 3, 8, 3)  # blocks per stage
    mlp_ratio: int = 3  # hidden width of the channel MLP over its width
    num_classes: int = 1000

    def __post_init__(self) -> None:
        if len(self.dims) != len(self.depths):
            raise ValueError(f"{len(self.dims)} dims and {len(self.depths)} depths; every stage needs both")
        if self.image_size % self.patch_size:
            raise ValueError(f"image_size {self.image_size} is no multiple of patch_size {self.patch_size}")
        for dim, grid in zip(self.dims, self.grids, strict=True):
            if dim % grid:
                raise ValueError(f"dim {dim} cannot be cut into {grid} segments, one for each row of tokens")

    @property
    def grids(self) -> tuple[int, ...]:
        """Tokens along one side, per stage."""
        merges = [sum(self.merges[: stage + 1]) for stage in range(len(self.dims))]
        return tuple(self.image_size // self.patch_size // 2**count for count in merges)

    @property
    def merges(self) -> tuple[bool, ...]:
        """Whether a stage starts by merging 2x2 tokens."""
        return tuple(
            before != after for before, after in zip(self.dims[:1] + self.dims, self.dims, strict=False)
        )


class PermuteMlp(nn.Module):
    """Mix along height, width and channels at once and add the three up (§3.1).

    The table must be square with `segments` tokens a side: the channels are cut into as many segments
    as there are rows, so that one segment of one column, rows x channels, is as wide as `dim`.

    qkv_bias: whether the three mixing layers have biases; the published networks have none.
    proj_drop: share of the result that is zeroed while training.
    """

    def __init__(self, dim: int, segments: int, *, qkv_bias: bool = False, proj_drop: float = 0.0) -> None:
        super().__init__()
        if dim % segments:
            raise ValueError(f"dim {dim} cannot be cut into {segments} segments of equal width")
        self.dim = dim
        self.segments = segments
        self.mlp_h = nn.Linear(dim, dim, bias=qkv_bias)
        self.mlp_w = nn.Linear(dim, dim, bias=qkv_bias)
        self.mlp_c = nn.Linear(dim, dim, bias=qkv_bias)
        self.branches = Probe(Kind.BRANCHES, "branches b h w c -> b branches h w c", branches=BRANCHES)
        self.proj = nn.Linear(dim, dim)
        self.proj_drop = nn.Dropout(proj_drop) if proj_drop else nn.Identity()

    def mixed(self, x: Float[Tensor, "b h w c"]) -> tuple[Tensor, Tensor, Tensor]:
        """The table mixed along its height, its width and its channels, each `[b, h, w, c]`."""
        if x.shape[1:] != (self.segments, self.segments, self.dim):
            raise ValueError(
                f"a table of {x.shape[1]} x {x.shape[2]} tokens with {x.shape[3]} channels does not fit "
                f"{self.segments} segments of {self.dim} channels; both sides must be {self.segments}"
            )
        columns = rearrange(x, "b h w (g s) -> b g w (h s)", g=self.segments)
        height = rearrange(self.mlp_h(columns), "b g w (h s) -> b h w (g s)", h=self.segments)
        rows = rearrange(x, "b h w (g s) -> b h g (w s)", g=self.segments)
        width = rearrange(self.mlp_w(rows), "b h g (w s) -> b h w (g s)", w=self.segments)
        height, width, channel = self.branches([height, width, self.mlp_c(x)])
        return height, width, channel

    def forward(self, x: Float[Tensor, "b h w c"]) -> Float[Tensor, "b h w c"]:
        height, width, channel = self.mixed(x)
        # eq. 3: X̂ = FC(X_H + X_W + X_C)
        return self.proj_drop(self.proj(height + width + channel))

    def mixing_matrices(self) -> tuple[MixingMatrix, ...]:
        """The weights between rows, and those between columns."""
        cut = "(to s) (source t)", {"to": self.segments, "source": self.segments}
        return (
            MixingMatrix("height", Between.LINES, self.mlp_h.weight, *cut),
            MixingMatrix("width", Between.LINES, self.mlp_w.weight, *cut),
        )


class WeightedPermuteMlp(PermuteMlp):
    """The same, the three blended per channel as a split attention decides (§3.2, Algorithm 1)."""

    def __init__(self, dim: int, segments: int, *, qkv_bias: bool = False, proj_drop: float = 0.0) -> None:
        super().__init__(dim, segments, qkv_bias=qkv_bias, proj_drop=proj_drop)
        self.reweight = Mlp(dim, dim // 4, 3 * dim)
        self.branch_logits = Probe(Kind.BRANCH_LOGITS, "branches b 1 1 c -> b branches c", branches=BRANCHES)
        self.branch_weights = Probe(
            Kind.BRANCH_WEIGHTS, "branches b 1 1 c -> b branches c", branches=BRANCHES
        )
        self.blended = table_map(role=Role.BLENDED)

    def forward(self, x: Float[Tensor, "b h w c"]) -> Float[Tensor, "b h w c"]:
        height, width, channel = self.mixed(x)
        # §3.2: â = mean over all places of X_H + X_W + X_C
        # The mean of the sum is the sum of the means, which need no table of their own.
        pooled = sum(reduce(branch, "b h w c -> b c", "mean") for branch in (height, width, channel))
        # Channel-major: the checkpoints keep the three logits of a channel side by side.
        logits = rearrange(self.reweight(pooled), "b (c branches) -> branches b 1 1 c", branches=3)
        logits = self.branch_logits(logits)
        # §3.2: ā_k = softmax(MLP(â)_k) over the three branches k, for every channel
        of_height, of_width, of_channel = self.branch_weights(logits.softmax(dim=0))
        blended = torch.addcmul(of_height * height, of_width, width)
        # §3.2: X̂ = FC(ā_H ⊙ X_H + ā_W ⊙ X_W + ā_C ⊙ X_C)
        return self.proj_drop(self.proj(self.blended(torch.addcmul(blended, of_channel, channel))))


class VipBlock(nn.Module):
    """Permute-MLP, then channel MLP, each normalised first and added back (eq. 1 and 2)."""

    def __init__(self, dim: int, segments: int, mlp_ratio: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim)
        self.token_mixing = WeightedPermuteMlp(dim, segments)
        self.after_tokens = table_map(role=Role.MIXED)
        self.norm2 = nn.LayerNorm(dim)
        self.channel_mixing = Mlp(dim, mlp_ratio * dim, dim)
        self.output = table_map(role=Role.BLOCK)

    def forward(self, x: Float[Tensor, "b h w c"]) -> Float[Tensor, "b h w c"]:
        # eq. 1: Y = Permute-MLP(LN(X)) + X
        x = self.after_tokens(x + self.token_mixing(self.norm1(x)))
        # eq. 2: Z = Channel-MLP(LN(Y)) + Y
        return self.output(x + self.channel_mixing(self.norm2(x)))


class VipStage(nn.Module):
    """Merging where the width changes, then blocks of one width."""

    def __init__(self, cfg: VipConfig, stage: int) -> None:
        super().__init__()
        dim = cfg.dims[stage]
        self.downsample = Patches(cfg.dims[stage - 1], dim, 2) if cfg.merges[stage] else nn.Identity()
        self.blocks = nn.Sequential(
            *(VipBlock(dim, cfg.grids[stage], cfg.mlp_ratio) for _ in range(cfg.depths[stage]))
        )
        self.output = table_map(role=Role.STAGE)

    def forward(self, x: Float[Tensor, "b h w c"]) -> Float[Tensor, "b h2 w2 c2"]:
        return self.output(self.blocks(self.downsample(x)))


class VisionPermutator(nn.Module):
    def __init__(self, cfg: VipConfig) -> None:
        super().__init__()
        self.image_size = cfg.image_size
        self.stem = Patches(3, cfg.dims[0], cfg.patch_size)
        self.stages = nn.Sequential(*(VipStage(cfg, stage) for stage in range(len(cfg.dims))))
        self.norm = nn.LayerNorm(cfg.dims[-1])
        self.normed = table_map()
        self.pooled = Probe(Kind.VECTOR, "b c -> b c")
        self.head = nn.Linear(cfg.dims[-1], cfg.num_classes)

    def forward(self, image: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b classes"]:
        only_size(image, self.image_size)
        x = self.stages(self.stem(rearrange(image, "b c h w -> b h w c")))
        x = self.normed(self.norm(x))
        return self.head(self.pooled(reduce(x, "b h w c -> b c", "mean")))


def published(cfg: VipConfig, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Our keys for the official ones; keys that are not official pass unchanged.

    Files of the seed block, known by their `reweighting`, are put in the official order first. The
    official `network` counts stages and the merging between them in one list.
    """
    renames = {"patch_embed.": "stem."}
    entry = 0
    for stage, merges in enumerate(cfg.merges):
        if merges:
            renames[f"network.{entry}.proj."] = f"stages.{stage}.downsample.proj."
            entry += 1
        for block in range(cfg.depths[stage]):
            ours = f"stages.{stage}.blocks.{block}."
            renames[f"network.{entry}.{block}.attn."] = f"{ours}token_mixing."
            renames[f"network.{entry}.{block}.mlp."] = f"{ours}channel_mixing."
            renames[f"network.{entry}.{block}.norm"] = f"{ours}norm"
        entry += 1
    return renamed(in_official_order(tensors), renames)


def in_official_order(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The block that circulates (xmu-xiaoma666/External-Attention-pytorch) as the official one.

    There the attention is called `reweighting`, and the three logits of a channel stand in the order
    channel, width, height: rows 3c and 3c + 2 of its last layer change places.
    """

    def ordered(key: str, value: Tensor) -> Tensor:
        if "reweighting.fc2." not in key:
            return value
        triples = rearrange(value, "(c branches) ... -> c branches ...", branches=3)
        return rearrange(triples.flip(1), "c branches ... -> (c branches) ...")

    return {key.replace("reweighting.", "reweight."): ordered(key, value) for key, value in tensors.items()}


VARIANTS = {
    "vip_s14": VipConfig(patch_size=14, dims=(384, 384, 384, 384)),
    "vip_s7": VipConfig(),
    "vip_m7": VipConfig(dims=(256, 256, 512, 512), depths=(4, 3, 14, 3)),
    "vip_l7": VipConfig(dims=(256, 512, 512, 512), depths=(8, 8, 16, 4)),
    "vip_nano": VipConfig(image_size=64, patch_size=4, dims=(64, 128), depths=(2, 4), num_classes=12),
}
CROPS = {"vip_m7": 0.9, "vip_l7": 0.875}  # of the official evaluation; 0.9 otherwise

DRIVE = "https://drive.google.com/uc?id="
IMAGENET = {
    name: Released(Link(f"{DRIVE}{key}", f"{name}.pth"), accuracy, "non-commercial use")
    for name, key, accuracy in (
        ("vip_s7", "1cX6eauDrsGsLSZnqsX7cl0oiKX8Dzv5z", 81.5),
        ("vip_m7", "15y5WMypthpbBFdc01E3mJCZit7q0Yn8m", 82.7),
        ("vip_l7", "14F5IXGXmB_3jrwK33Efae-WEb5D_G85c", 83.2),
    )
}

for name, cfg in VARIANTS.items():
    announce(
        name,
        cfg,
        family="Vision Permutator",
        paper="https://arxiv.org/abs/2106.12368",
        source="https://github.com/houqb/VisionPermutator",
        network=VisionPermutator,
        published=published,
        preprocess=Preprocess(size=cfg.image_size, crop=CROPS.get(name, 0.9)),
        imagenet=IMAGENET.get(name),
    )
