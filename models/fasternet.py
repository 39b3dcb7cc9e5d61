"""FasterNet: Run, Don't Walk: Chasing Higher FLOPS for Faster Neural Networks (Chen et al., 2023).

Paper: https://arxiv.org/abs/2303.03667
Official code: https://github.com/JierunChen/FasterNet, models/fasternet.py

A block convolves a quarter of the channels and lets the rest pass untouched, then mixes all channels
with two 1 x 1 convolutions.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from einops import reduce
from jaxtyping import Float
from torch import Tensor, nn

from models.layers import DropPath, LayerScale, PlaceNorm, drop_rates, image_map, renamed
from models.mixing import MixingStep
from models.probe import Kind, Probe, Role
from models.registry import Preprocess, Released, announce
from models.sources import FirstOf, Hub, Link

ACTIVATIONS = {"gelu": nn.GELU, "relu": nn.ReLU}
NORMS = {"bn": nn.BatchNorm2d, "ln": PlaceNorm, "none": nn.Identity}
Form = Literal["split_cat", "slicing"]


@dataclass(frozen=True, kw_only=True)
class FasterNetConfig:
    """Sizes of one variant. The defaults are FasterNet-T0."""

    image_size: int = 224  # pixels
    patch_size: int = 4  # pixels
    patch_stride: int | None = None  # pixels from patch to patch; None: as many as patch_size
    merge_size: int = 2  # places along a side of what is merged between stages
    merge_stride: int = 2  # places from one to the next
    patch_norm: bool = True  # whether patches are normalised, when embedded and when merged
    dim: int = 40  # width of the first stage; it doubles from stage to stage
    depths: tuple[int, ...] = (1, 2, 8, 2)  # blocks per stage
    n_div: int = 4  # one channel in n_div is convolved
    mlp_ratio: int = 2
    feature_dim: int = 1280  # width before the classifier
    act: Literal["gelu", "relu"] = "gelu"
    norm: Literal["bn", "ln", "none"] = "bn"  # the published networks have batch norms
    form: Form = "split_cat"  # how the partial convolution is written; both give the same
    layer_scale: float = 0.0  # learned factors of each block's branch start here; 0: there are none
    drop_path: float = 0.0  # of the last block, while training
    num_classes: int = 1000

    @property
    def windows(self) -> tuple[tuple[int, int], ...]:
        """Size and stride of what becomes one place, for the patches and for every merging."""
        patches = self.patch_size, self.patch_stride or self.patch_size
        return patches, *[(self.merge_size, self.merge_stride)] * (len(self.depths) - 1)

    @property
    def norm_of_patches(self) -> str:
        return self.norm if self.patch_norm else "none"


class PartialConv(nn.Module):
    """A 3 x 3 convolution of the first channels; the others pass (§3.2).

    `split_cat` joins two tensors, `slicing` writes into a copy, as the official code does for inference;
    both give the same bits.
    """

    def __init__(self, dim: int, n_div: int, form: Form = "split_cat") -> None:
        super().__init__()
        if dim < n_div:
            raise ValueError(f"one channel in {n_div} of {dim} is none")
        self.form = form
        self.dim = dim
        self.mixed = dim // n_div
        self.conv = nn.Conv2d(self.mixed, self.mixed, kernel_size=3, padding=1, bias=False)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        mixed = self.conv(x[:, : self.mixed])
        if self.form == "split_cat":
            return torch.cat([mixed, x[:, self.mixed :]], dim=1)
        return torch.slice_scatter(x, mixed, dim=1, end=self.mixed)

    def mixing_steps(self) -> tuple[MixingStep, ...]:
        return (MixingStep("partial convolution", self, "b c h w", self.dim),)


class MLPBlock(nn.Module):
    """Partial convolution, then two 1 x 1 convolutions, added back (fig. 4)."""

    def __init__(self, cfg: FasterNetConfig, dim: int, drop_path: float) -> None:
        super().__init__()
        self.spatial_mixing = PartialConv(dim, cfg.n_div, cfg.form)
        self.after_conv = image_map(role=Role.MIXED)
        hidden = cfg.mlp_ratio * dim
        self.mlp = nn.Sequential(
            nn.Conv2d(dim, hidden, kernel_size=1, bias=False),
            NORMS[cfg.norm](hidden),
            ACTIVATIONS[cfg.act](),
            nn.Conv2d(hidden, dim, kernel_size=1, bias=False),
        )
        self.layer_scale = LayerScale(dim, cfg.layer_scale) if cfg.layer_scale else nn.Identity()
        self.drop_path = DropPath(drop_path)
        self.output = image_map(role=Role.BLOCK)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        mixed = self.after_conv(self.spatial_mixing(x))
        return self.output(x + self.drop_path(self.layer_scale(self.mlp(mixed))))


class PatchEmbed(nn.Module):
    """A convolution without padding, and a norm; merging between stages is the same.

    stride: places from patch to patch; as wide as the patch, unless given.
    """

    def __init__(
        self, dim: int, out_dim: int, patch_size: int, stride: int | None = None, norm: str = "bn"
    ) -> None:
        super().__init__()
        stride = stride or patch_size
        self.proj = nn.Conv2d(dim, out_dim, kernel_size=patch_size, stride=stride, bias=False)
        self.norm = NORMS[norm](out_dim)
        self.output = image_map(role=Role.PATCHES)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c2 h2 w2"]:
        return self.output(self.norm(self.proj(x)))


class BasicStage(nn.Module):
    """Blocks of one width, after merging where it is not the first stage."""

    def __init__(self, cfg: FasterNetConfig, stage: int) -> None:
        super().__init__()
        dim, before = cfg.dim * 2**stage, sum(cfg.depths[:stage])
        rates = drop_rates(cfg.drop_path, sum(cfg.depths))[before : before + cfg.depths[stage]]
        merging = (cfg.merge_size, cfg.merge_stride, cfg.norm_of_patches)
        self.downsample = PatchEmbed(dim // 2, dim, *merging) if stage else nn.Identity()
        self.blocks = nn.Sequential(*(MLPBlock(cfg, dim, rate) for rate in rates))
        self.output = image_map(role=Role.STAGE)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c2 h2 w2"]:
        return self.output(self.blocks(self.downsample(x)))


class FasterNet(nn.Module):
    def __init__(self, cfg: FasterNetConfig) -> None:
        super().__init__()
        self.stem = PatchEmbed(3, cfg.dim, *cfg.windows[0], cfg.norm_of_patches)
        self.stages = nn.Sequential(*(BasicStage(cfg, stage) for stage in range(len(cfg.depths))))
        dim = cfg.dim * 2 ** (len(cfg.depths) - 1)
        self.conv_head = nn.Conv2d(dim, cfg.feature_dim, kernel_size=1, bias=False)
        self.act = ACTIVATIONS[cfg.act]()
        self.pooled = Probe(Kind.VECTOR, "b c 1 1 -> b c")
        self.head = nn.Linear(cfg.feature_dim, cfg.num_classes)

    def forward(self, image: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b classes"]:
        x = reduce(self.stages(self.stem(image)), "b c h w -> b c 1 1", "mean")
        x = self.pooled(self.act(self.conv_head(x)))
        return self.head(reduce(x, "b c 1 1 -> b c", "mean"))


class NormedMap(nn.Module):
    """The map of a stage as detection takes it."""

    def __init__(self, dim: int, norm: str) -> None:
        super().__init__()
        self.norm = NORMS[norm](dim)
        self.output = image_map()

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        return self.output(self.norm(x))


class FasterNetMaps(nn.Module):
    """Patches and stages without a classifier, as detection uses them: what comes out are maps.

    fork_feat: give the maps of all stages, each normalised, instead of the last stage's alone.
    """

    def __init__(self, cfg: FasterNetConfig, fork_feat: bool = False) -> None:
        super().__init__()
        self.stem = PatchEmbed(3, cfg.dim, *cfg.windows[0], cfg.norm_of_patches)
        self.stages = nn.ModuleList(BasicStage(cfg, stage) for stage in range(len(cfg.depths)))
        dims = [cfg.dim * 2**stage for stage in range(len(cfg.depths))]
        self.maps = nn.ModuleList(NormedMap(dim, cfg.norm) for dim in dims if fork_feat)

    def forward(self, image: Float[Tensor, "b 3 h w"]) -> Tensor | list[Tensor]:
        x, made = self.stem(image), []
        for stage in self.stages:
            x = stage(x)
            made.append(x)
        return [normed(each) for normed, each in zip(self.maps, made, strict=True)] if self.maps else x


def published(cfg: FasterNetConfig, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Our keys for the official ones and for those of timm.

    The official `stages` counts stages and the merging between them in one list.
    """
    official = {
        "patch_embed.": "stem.",
        "avgpool_pre_head.1.": "conv_head.",
    }
    timm = {"patch_embed.": "stem.", "classifier.": "head."}
    for stage, depth in enumerate(cfg.depths):
        if stage:
            official[f"stages.{2 * stage - 1}.reduction."] = f"stages.{stage}.downsample.proj."
            official[f"stages.{2 * stage - 1}.norm."] = f"stages.{stage}.downsample.norm."
            timm[f"stages.{stage}.downsample.reduction."] = f"stages.{stage}.downsample.proj."
        for block in range(depth):
            ours = f"stages.{stage}.blocks.{block}."
            conv = "spatial_mixing.partial_conv3."
            timm[f"{ours}{conv}"] = f"{ours}spatial_mixing.conv."
            official[f"stages.{2 * stage}.blocks.{block}.{conv}"] = f"{ours}spatial_mixing.conv."
            official[f"stages.{2 * stage}.blocks.{block}."] = ours
    return renamed(tensors, official if "avgpool_pre_head.1.weight" in tensors else timm)


VARIANTS = {
    "fasternet_t0": FasterNetConfig(),
    "fasternet_t1": FasterNetConfig(dim=64, drop_path=0.02),
    "fasternet_t2": FasterNetConfig(dim=96, act="relu", drop_path=0.05),
    "fasternet_s": FasterNetConfig(dim=128, depths=(1, 2, 13, 2), act="relu", drop_path=0.1),
    "fasternet_m": FasterNetConfig(dim=144, depths=(3, 4, 18, 3), act="relu", drop_path=0.2),
    "fasternet_l": FasterNetConfig(dim=192, depths=(3, 4, 18, 3), act="relu", drop_path=0.3),
    "fasternet_nano": FasterNetConfig(
        image_size=64, dim=32, depths=(1, 2, 4, 1), feature_dim=256, num_classes=12
    ),
}

RELEASE = "https://github.com/JierunChen/FasterNet/releases/download/v1.0/"
RELEASED = {
    "fasternet_t0": "fasternet_t0-epoch.281-val_acc1.71.9180.pth",
    "fasternet_t1": "fasternet_t1-epoch.291-val_acc1.76.2180.pth",
    "fasternet_t2": "fasternet_t2-epoch.289-val_acc1.78.8860.pth",
    "fasternet_s": "fasternet_s-epoch.299-val_acc1.81.2840.pth",
    "fasternet_m": "fasternet_m-epoch.291-val_acc1.82.9620.pth",
    "fasternet_l": "fasternet_l-epoch.299-val_acc1.83.5060.pth",
}
IMAGENET = {
    name: Released(
        FirstOf((Hub(f"timm/{name}.in1k"), Link(RELEASE + file, file))),
        float(file.partition("acc1.")[2].removesuffix(".pth")),
        "Apache-2.0",
    )
    for name, file in RELEASED.items()
}

for name, cfg in VARIANTS.items():
    announce(
        name,
        cfg,
        family="FasterNet",
        paper="https://arxiv.org/abs/2303.03667",
        source="https://github.com/JierunChen/FasterNet",
        network=FasterNet,
        published=published,
        preprocess=Preprocess(size=cfg.image_size, crop=0.9),
        step=cfg.patch_size * 2 ** (len(cfg.depths) - 1),
        mixing=(
            "FasterNet convolves one channel in four and lets the others "
            "pass, the same for every picture. There is nothing to reweight."
        ),
        imagenet=IMAGENET.get(name),
    )
