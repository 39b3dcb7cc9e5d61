"""MLP-Mixer: An all-MLP Architecture for Vision (Tolstikhin et al., 2021).

Paper: https://arxiv.org/abs/2105.01601
Official code: https://github.com/google-research/vision_transformer, vit_jax/models_mixer.py

The image is cut into patches and each patch becomes one row of a table, tokens x channels. A block first
mixes tokens, one MLP applied to every column, then channels, one MLP applied to every row.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from einops import rearrange, reduce
from jaxtyping import Float
from torch import Tensor, nn

from models.layers import Mlp, Patches, only_size, renamed, table_map
from models.mixing import Between, MixingMatrix
from models.probe import Kind, Probe, Role
from models.registry import Preprocess, Released, announce
from models.sources import FirstOf, Hub, Link


@dataclass(frozen=True, kw_only=True)
class MixerConfig:
    """Sizes of one variant. The defaults are Mixer-B/16."""

    image_size: int = 224  # pixels
    patch_size: int = 16  # pixels
    depth: int = 12  # number of blocks
    dim: int = 768  # C in the paper
    tokens_dim: int = 384  # D_S, hidden width of the token-mixing MLP
    channels_dim: int = 3072  # D_C, hidden width of the channel-mixing MLP
    num_classes: int = 1000

    def __post_init__(self) -> None:
        if self.image_size % self.patch_size:
            raise ValueError(f"image_size {self.image_size} is no multiple of patch_size {self.patch_size}")

    @property
    def grid(self) -> int:
        """Patches along one side of the image."""
        return self.image_size // self.patch_size


class MixerBlock(nn.Module):
    """Token mixing, then channel mixing, each normalised first and added back (eq. 1)."""

    def __init__(self, cfg: MixerConfig) -> None:
        super().__init__()
        self.grid = cfg.grid
        self.norm1 = nn.LayerNorm(cfg.dim, eps=1e-6)
        self.token_mixing = Mlp(cfg.grid**2, cfg.tokens_dim, cfg.grid**2)
        self.after_tokens = table_map(role=Role.MIXED)
        self.norm2 = nn.LayerNorm(cfg.dim, eps=1e-6)
        self.channel_mixing = Mlp(cfg.dim, cfg.channels_dim, cfg.dim)
        self.output = table_map(role=Role.BLOCK)

    def forward(self, x: Float[Tensor, "b h w c"]) -> Float[Tensor, "b h w c"]:
        if x.shape[1:3] != (self.grid, self.grid):
            raise ValueError(
                f"a table of {x.shape[1]} x {x.shape[2]} tokens does not fit weights for "
                f"{self.grid} x {self.grid}"
            )
        columns = rearrange(self.norm1(x), "b h w c -> b c (h w)")
        # eq. 1: U = X + W₂ σ(W₁ LayerNorm(X)), for every channel
        mixed = rearrange(self.token_mixing(columns), "b c (h w) -> b h w c", h=self.grid)
        x = self.after_tokens(x + mixed)
        # eq. 1: Y = U + W₄ σ(W₃ LayerNorm(U)), for every place
        return self.output(x + self.channel_mixing(self.norm2(x)))

    def mixing_matrices(self) -> tuple[MixingMatrix, ...]:
        """What every hidden unit reads from the places, and what it writes to them."""
        read, write = (self.token_mixing.get_parameter(f"{part}.weight") for part in ("fc1", "fc2"))
        sizes = {"h": self.grid}
        return (
            MixingMatrix("reads", Between.UNITS, read, "unit (h w)", sizes),
            MixingMatrix("writes", Between.UNITS, write, "(h w) unit", sizes),
        )


class MlpMixer(nn.Module):
    def __init__(self, cfg: MixerConfig) -> None:
        super().__init__()
        self.image_size = cfg.image_size
        self.stem = Patches(3, cfg.dim, cfg.patch_size)
        self.blocks = nn.Sequential(*(MixerBlock(cfg) for _ in range(cfg.depth)))
        self.norm = nn.LayerNorm(cfg.dim, eps=1e-6)
        self.normed = table_map()
        self.pooled = Probe(Kind.VECTOR, "b c -> b c")
        self.head = nn.Linear(cfg.dim, cfg.num_classes)

    def forward(self, image: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b classes"]:
        only_size(image, self.image_size)
        x = self.stem(rearrange(image, "b c h w -> b h w c"))
        x = self.normed(self.norm(self.blocks(x)))
        return self.head(self.pooled(reduce(x, "b h w c -> b c", "mean")))


def published(cfg: MixerConfig, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Our keys for those of timm, which also holds the converted official weights."""
    blocks = {
        f"blocks.{block}.mlp_{axis}s.": f"blocks.{block}.{axis}_mixing."
        for block in range(cfg.depth)
        for axis in ("token", "channel")
    }
    return renamed(tensors, blocks)


def small(patch_size: int) -> MixerConfig:
    return MixerConfig(patch_size=patch_size, depth=8, dim=512, tokens_dim=256, channels_dim=2048)


def large(patch_size: int) -> MixerConfig:
    return MixerConfig(patch_size=patch_size, depth=24, dim=1024, tokens_dim=512, channels_dim=4096)


VARIANTS = {
    "mixer_s32": small(32),
    "mixer_s16": small(16),
    "mixer_b32": MixerConfig(patch_size=32),
    "mixer_b16": MixerConfig(),
    "mixer_l32": large(32),
    "mixer_l16": large(16),
    "mixer_nano": MixerConfig(
        image_size=64, patch_size=8, depth=6, dim=128, tokens_dim=128, channels_dim=512, num_classes=12
    ),
}
HALF = (0.5, 0.5, 0.5)
RELEASE = "https://github.com/rwightman/pytorch-image-models/releases/download/v0.1-vitjx/"


def converted(name: str, sha256: str) -> FirstOf:
    """Google's weights as timm keeps them; the release names its files by the start of their checksum."""
    file = f"jx_{name}-{sha256}.pth"
    return FirstOf((Hub(f"timm/{name}.goog_in21k_ft_in1k"), Link(RELEASE + file, file, sha256)))


IMAGENET = {
    "mixer_b16": Released(converted("mixer_b16_224", "76587d61"), 76.6, "Apache-2.0"),
    "mixer_l16": Released(converted("mixer_l16_224", "92f9adc4"), 72.1, "Apache-2.0"),
}

for name, cfg in VARIANTS.items():
    announce(
        name,
        cfg,
        family="MLP-Mixer",
        paper="https://arxiv.org/abs/2105.01601",
        source="https://github.com/google-research/vision_transformer",
        network=MlpMixer,
        published=published,
        preprocess=Preprocess(size=cfg.image_size, crop=0.875, mean=HALF, std=HALF),
        mixing=(
            "MLP-Mixer has one branch only: one MLP mixes the tokens of every "
            "channel, the same for every picture. There is nothing to reweight."
        ),
        imagenet=IMAGENET.get(name),
        unpublished=(
            "ImageNet weights of {name} are published as npz for JAX, in Google's bucket "
            "gs://mixer_models/gsam; that cannot be read here."
        ),
    )
