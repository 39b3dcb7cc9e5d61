"""MobileViT: Light-weight, General-purpose, and Mobile-friendly Vision Transformer (Mehta & Rastegari, 2021).

Paper: https://arxiv.org/abs/2110.02178
Official code: https://github.com/apple/ml-cvnets

Convolutions, and in three places a small transformer: the map is unfolded into patches of 2 x 2 places,
and attention runs among all places that have the same position in their patch.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from einops import einsum, rearrange, reduce
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import interpolate, scaled_dot_product_attention

from models.layers import image_map, renamed
from models.preprocess import PHOTOGRAPHS, Preprocess
from models.probe import Kind, Later, Probe, Role
from models.registry import Released, announce
from models.sources import Hub


@dataclass(frozen=True, kw_only=True)
class MobileViTConfig:
    """Sizes of one variant. The defaults are MobileViT-S."""

    image_size: int = 256  # pixels
    stem_dim: int = 16
    dims: tuple[int, ...] = (32, 64, 96, 128, 160)  # channels of the five stages
    depths: tuple[int, ...] = (1, 3)  # inverted residuals of the first two stages
    transformer_dims: tuple[int, ...] = (144, 192, 240)  # d of the last three stages
    transformer_depths: tuple[int, ...] = (2, 4, 3)  # L of the last three stages
    expansion: int = 4  # of the inverted residuals
    num_heads: int = 4
    patch: int = 2  # places along a side of an unfolded patch
    final_dim: int = 640
    num_classes: int = 1000

    def __post_init__(self) -> None:
        for dim in self.transformer_dims:
            if dim % self.num_heads:
                raise ValueError(f"transformer dim {dim} cannot be shared by {self.num_heads} heads")


class ConvNorm(nn.Sequential):
    """Convolution without bias, batch norm, and SiLU unless told otherwise."""

    def __init__(
        self, dim: int, out_dim: int, kernel: int, stride: int = 1, groups: int = 1, act: bool = True
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(dim, out_dim, kernel, stride, kernel // 2, groups=groups, bias=False)
        self.bn = nn.BatchNorm2d(out_dim)
        self.act = nn.SiLU() if act else nn.Identity()


class InvertedResidual(nn.Module):
    """MobileNetV2's block: widen, convolve each channel alone, narrow (MV2 in the paper)."""

    def __init__(self, dim: int, out_dim: int, stride: int, expansion: int) -> None:
        super().__init__()
        self.residual = stride == 1 and dim == out_dim
        hidden = expansion * dim
        self.conv1_1x1 = ConvNorm(dim, hidden, 1)
        self.conv2_kxk = ConvNorm(hidden, hidden, 3, stride, groups=hidden)
        self.conv3_1x1 = ConvNorm(hidden, out_dim, 1, act=False)
        self.output = image_map(role=Role.BLOCK)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c2 h2 w2"]:
        made = self.conv3_1x1(self.conv2_kxk(self.conv1_1x1(x)))
        return self.output(x + made if self.residual else made)


def attended(query_and_key: list[Float[Tensor, "b heads n d"]]) -> Float[Tensor, "b heads q k"]:
    """How much the value of every token weighs in what a token becomes."""
    query, key = query_and_key
    scores = einsum(query * query.shape[-1] ** -0.5, key, "b heads q d, b heads k d -> b heads q k")
    return scores.softmax(dim=-1)


class Attention(nn.Module):
    """Multi-head self-attention among `n` places; its softmax is made where something may change it."""

    def __init__(self, dim: int, num_heads: int, head_dim: int | None = None, bias: bool = True) -> None:
        super().__init__()
        self.num_heads = num_heads
        head_dim = head_dim or dim // num_heads
        self.qkv = nn.Linear(dim, 3 * num_heads * head_dim, bias=bias)
        self.attention = Probe(Kind.ATTENTION, "b heads q k -> b heads q k")
        self.proj = nn.Linear(num_heads * head_dim, dim)

    def forward(self, x: Float[Tensor, "b n c"]) -> Float[Tensor, "b n c"]:
        split = "b n (three heads d) -> three b heads n d"
        query, key, value = rearrange(self.qkv(x), split, three=3, heads=self.num_heads)
        if self.attention.has_hooks:
            attention = self.attention(attended([query, key]))
            mixed = einsum(attention, value, "b heads q k, b heads k d -> b heads q d")
        else:
            mixed = scaled_dot_product_attention(query, key, value)
            size = query[..., 0].nbytes * key.shape[2]
            self.attention.told_later(Later([query, key], attended, size))
        return self.proj(rearrange(mixed, "b heads n d -> b n (heads d)"))


class TransformerBlock(nn.Module):
    """Attention, then an MLP with SiLU, each normalised first and added back."""

    def __init__(self, dim: int, attn: Attention, hidden_dim: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim)
        self.attn = attn
        self.norm2 = nn.LayerNorm(dim)
        self.fc1 = nn.Linear(dim, hidden_dim)
        self.act = nn.SiLU()
        self.fc2 = nn.Linear(hidden_dim, dim)

    def forward(self, x: Float[Tensor, "b n c"]) -> Float[Tensor, "b n c"]:
        x = x + self.attn(self.norm1(x))
        return x + self.fc2(self.act(self.fc1(self.norm2(x))))


class MobileViTBlock(nn.Module):
    """Local convolution, transformer over unfolded patches, fusion with the input (§3.1, fig. 1b)."""

    def __init__(
        self, dim: int, transformer_dim: int, depth: int, num_heads: int = 4, patch: int = 2
    ) -> None:
        super().__init__()
        if transformer_dim % num_heads:
            raise ValueError(f"transformer dim {transformer_dim} cannot be shared by {num_heads} heads")
        self.patch = patch
        self.conv_kxk = ConvNorm(dim, dim, 3)
        self.conv_1x1 = nn.Conv2d(dim, transformer_dim, kernel_size=1, bias=False)
        self.local = image_map()
        self.transformer = nn.Sequential(
            *(
                TransformerBlock(transformer_dim, Attention(transformer_dim, num_heads), 2 * transformer_dim)
                for _ in range(depth)
            )
        )
        self.norm = nn.LayerNorm(transformer_dim)
        self.mixed = image_map(role=Role.MIXED)
        self.conv_proj = ConvNorm(transformer_dim, dim, 1)
        self.projected = image_map()
        self.conv_fusion = ConvNorm(2 * dim, dim, 3)
        self.output = image_map(role=Role.BLOCK)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        local = self.local(self.conv_1x1(self.conv_kxk(x)))
        size = local.shape[-2:]
        whole = [-(-length // self.patch) * self.patch for length in size]
        even = resized(local, whole)
        sizes = {"nh": whole[0] // self.patch, "ph": self.patch, "pw": self.patch}
        tokens = rearrange(even, "b c (nh ph) (nw pw) -> (b ph pw) (nh nw) c", ph=self.patch, pw=self.patch)
        # eq. 1: X_G(p) = Transformer(X_U(p)), for every position p in a patch
        tokens = self.norm(self.transformer(tokens))
        folded = rearrange(tokens, "(b ph pw) (nh nw) c -> b c (nh ph) (nw pw)", **sizes)
        mixed = self.mixed(resized(folded, size))
        projected = self.projected(self.conv_proj(mixed))
        joined = rearrange([x, projected], "two b c h w -> b (two c) h w")
        return self.output(self.conv_fusion(joined))


def resized(x: Float[Tensor, "b c h w"], size: Sequence[int]) -> Float[Tensor, "b c h2 w2"]:
    """The map at another size, linearly; itself where it has that size already."""
    return x if list(x.shape[-2:]) == list(size) else interpolate(x, size=list(size), mode="bilinear")


class MobileViT(nn.Module):
    def __init__(self, cfg: MobileViTConfig) -> None:
        super().__init__()
        self.stem = ConvNorm(3, cfg.stem_dim, 3, stride=2)
        self.stem_output = image_map(role=Role.PATCHES)
        self.stages = nn.Sequential(*stages(cfg))
        self.final_conv = ConvNorm(cfg.dims[-1], cfg.final_dim, 1)
        self.final = image_map()
        self.pooled = Probe(Kind.VECTOR, "b c -> b c")
        self.head = nn.Linear(cfg.final_dim, cfg.num_classes)

    def forward(self, image: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b classes"]:
        x = self.stages(self.stem_output(self.stem(image)))
        x = self.final(self.final_conv(x))
        return self.head(self.pooled(reduce(x, "b c h w -> b c", "mean")))


def stages(cfg: MobileViTConfig) -> list[nn.Sequential]:
    """Two stages of inverted residuals, then three of one inverted residual and a MobileViT block each."""
    before = (cfg.stem_dim, *cfg.dims)
    made = []
    for stage, (dim, out_dim) in enumerate(zip(before, cfg.dims, strict=False)):
        first = InvertedResidual(dim, out_dim, 2 if stage else 1, cfg.expansion)
        if stage < 2:
            more: list[nn.Module] = [
                InvertedResidual(out_dim, out_dim, 1, cfg.expansion) for _ in range(cfg.depths[stage] - 1)
            ]
        else:
            sizes = cfg.transformer_dims[stage - 2], cfg.transformer_depths[stage - 2]
            more = [MobileViTBlock(out_dim, *sizes, cfg.num_heads, cfg.patch)]
        made.append(nn.Sequential(first, *more))
    return made


def published(cfg: MobileViTConfig, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Our keys for those of timm and of cvnets."""
    prefixes = {"head.fc.": "head."}
    for stage, depth in enumerate(cfg.transformer_depths, 2):
        for block in range(depth):
            key = f"stages.{stage}.1.transformer.{block}."
            prefixes[f"{key}mlp."] = key
    return renamed(from_cvnets(cfg, tensors), prefixes)


def from_cvnets(cfg: MobileViTConfig, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """timm's keys for those of cvnets; others pass."""
    prefixes = {}
    convs = {"conv.": "conv.", "norm.": "bn."}
    residual = {"exp_1x1": "conv1_1x1", "conv_3x3": "conv2_kxk", "red_1x1": "conv3_1x1"}

    def add(theirs: str, ours: str) -> None:
        prefixes.update({f"{theirs}{part}": f"{ours}{name}" for part, name in convs.items()})

    add("conv_1.block.", "stem.")
    add("conv_1x1_exp.block.", "final_conv.")
    prefixes["classifier.fc."] = "head.fc."
    for stage in range(5):
        for block in range(cfg.depths[stage] if stage < 2 else 1):
            for theirs, ours in residual.items():
                add(f"layer_{stage + 1}.{block}.block.{theirs}.block.", f"stages.{stage}.{block}.{ours}.")
    for stage, depth in enumerate(cfg.transformer_depths, 2):
        theirs, ours = f"layer_{stage + 1}.1.", f"stages.{stage}.1."
        add(f"{theirs}local_rep.conv_3x3.block.", f"{ours}conv_kxk.")
        add(f"{theirs}conv_proj.block.", f"{ours}conv_proj.")
        add(f"{theirs}fusion.block.", f"{ours}conv_fusion.")
        prefixes[f"{theirs}local_rep.conv_1x1.block.conv."] = f"{ours}conv_1x1."
        for block in range(depth):
            old, new = f"{theirs}global_rep.{block}.", f"{ours}transformer.{block}."
            prefixes |= {
                f"{old}pre_norm_mha.0.": f"{new}norm1.",
                f"{old}pre_norm_mha.1.qkv_proj.": f"{new}attn.qkv.",
                f"{old}pre_norm_mha.1.out_proj.": f"{new}attn.proj.",
                f"{old}pre_norm_ffn.0.": f"{new}norm2.",
                f"{old}pre_norm_ffn.1.": f"{new}mlp.fc1.",
                f"{old}pre_norm_ffn.4.": f"{new}mlp.fc2.",
            }
        prefixes[f"{theirs}global_rep.{depth}."] = f"{ours}norm."
    return renamed(tensors, prefixes)


VARIANTS = {
    "mobilevit_xxs": MobileViTConfig(
        dims=(16, 24, 48, 64, 80), transformer_dims=(64, 80, 96), expansion=2, final_dim=320
    ),
    "mobilevit_xs": MobileViTConfig(
        dims=(32, 48, 64, 80, 96), transformer_dims=(96, 120, 144), final_dim=384
    ),
    "mobilevit_s": MobileViTConfig(),
    "mobilevit_nano": MobileViTConfig(
        image_size=64,
        dims=(16, 24, 48, 64, 80),
        transformer_dims=(64, 80, 96),
        expansion=2,
        final_dim=320,
        num_classes=12,
    ),
}

IMAGENET = {
    name: Released(Hub(f"timm/{name}.cvnets_in1k"), accuracy, "Apple sample licence")
    for name, accuracy in (("mobilevit_s", 78.4), ("mobilevit_xs", 74.8), ("mobilevit_xxs", 69.0))
}
UNIT: dict[str, Any] = {"mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0)}

for name, cfg in VARIANTS.items():
    announce(
        name,
        cfg,
        family="MobileViT",
        paper="https://arxiv.org/abs/2110.02178",
        source="https://github.com/apple/ml-cvnets",
        network=MobileViT,
        published=published,
        preprocess=Preprocess(size=cfg.image_size, crop=0.9, **UNIT),
        step=32,
        # The files of cvnets were trained on pictures as OpenCV reads them; timm's are made for RGB.
        layouts={
            "layer_1.": Preprocess(
                size=cfg.image_size, crop=256 / 288, interpolation="bilinear", channels="bgr", **UNIT
            )
        },
        # At 64 x 64 its last stage has 2 x 2 places, which is one patch: attention would have nothing to mix.
        photographs=replace(PHOTOGRAPHS, size=128),
        mixing=(
            "MobileViT mixes places by attention and has no branches to blend; what it weighs are places."
        ),
        imagenet=IMAGENET.get(name),
    )
