"""The catalogue of single blocks: each alone, with hyper-parameters to change and an input of its own.

`create_block("WeightedPermuteMLP", dim=512, seg_dim=8)` gives the bare module; how a picture reaches it is
in `models.single`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import torch
from torch import Tensor, nn

from models import (
    as_mlp,
    efficientnet_lite,
    fasternet,
    mlp_mixer,
    mobilevit,
    mobilevit_attention,
    s2_mlp,
    s2_mlp_v2,
    vision_permutator,
)
from models.random_state import seeded

MOST = 2048  # of any hyper-parameter


class BlockError(ValueError):
    """A block nobody listed, or hyper-parameters that do not go together."""


@dataclass(frozen=True, kw_only=True)
class BlockCard:
    """One row of the catalogue."""

    name: str  # as the papers and the seeds print it
    family: str
    paper: str
    settings: Mapping[str, int]  # hyper-parameters with their defaults
    axes: str  # of what goes in: "b h w c", "b c h w", or "branches b h w c"
    build: Callable[..., nn.Module]
    shape: Callable[[Mapping[str, int]], tuple[int, ...]]  # of the default input, for given settings
    nano: str = ""  # the model that has such a block trained
    place: str = ""  # where in it
    stem: str = "stem"  # the patch embedding there
    norm: str = ""  # what normalises the block's input there
    trained: Mapping[str, int] = field(default_factory=dict)  # the settings it has there


def vip(name: str, build: Callable, place: str = "", **more) -> BlockCard:
    return BlockCard(
        name=name,
        family="Vision Permutator",
        paper="https://arxiv.org/abs/2106.12368",
        settings={"dim": 512, "seg_dim": 8},
        axes="b h w c",
        build=lambda dim, seg_dim: build(dim, seg_dim),
        shape=lambda given: (1, given["seg_dim"], given["seg_dim"], given["dim"]),
        nano="vip_nano",
        place=place,
        **more,
    )


def faster(name: str, settings: dict[str, int], build: Callable, **more) -> BlockCard:
    return BlockCard(
        name=name,
        family="FasterNet",
        paper="https://arxiv.org/abs/2303.03667",
        settings=settings,
        axes="b c h w",
        build=build,
        shape=lambda given: (1, given.get("in_dim", given["dim"]), 14, 14),
        nano="fasternet_nano",
        **more,
    )


def mobile(name: str, settings: dict[str, int], build: Callable, shape: Callable, **more) -> BlockCard:
    return BlockCard(
        name=name,
        family="MobileViT",
        paper="https://arxiv.org/abs/2110.02178",
        settings=settings,
        axes="b c h w",
        build=build,
        shape=shape,
        nano="mobilevit_nano",
        **more,
    )


def partial_conv(dim: int, n_div: int, slicing: int) -> nn.Module:
    return fasternet.PartialConv(dim, n_div, "slicing" if slicing else "split_cat")


def mlp_block(dim: int, n_div: int, mlp_ratio: int) -> nn.Module:
    return fasternet.MLPBlock(fasternet.FasterNetConfig(n_div=n_div, mlp_ratio=mlp_ratio), dim, 0.0)


def basic_stage(dim: int, depth: int, n_div: int, mlp_ratio: int) -> nn.Module:
    cfg = fasternet.FasterNetConfig(dim=dim, depths=(depth,), n_div=n_div, mlp_ratio=mlp_ratio)
    return fasternet.BasicStage(cfg, 0)


def mixer_block(dim: int, grid: int, tokens_dim: int, channels_dim: int) -> nn.Module:
    return mlp_mixer.MixerBlock(
        mlp_mixer.MixerConfig(
            image_size=grid, patch_size=1, dim=dim, tokens_dim=tokens_dim, channels_dim=channels_dim
        )
    )


def split_attention(dim: int, branches: int, hidden_dim: int) -> nn.Module:
    names = s2_mlp_v2.BRANCHES if branches == 3 else tuple(f"branch {k + 1}" for k in range(branches))
    return s2_mlp_v2.SplitAttention(dim, names, hidden_dim)


S2_V1, S2_V2 = "https://arxiv.org/abs/2106.07477", "https://arxiv.org/abs/2108.01072"
AXIAL = "https://arxiv.org/abs/2107.08391"
CARDS = (
    vip(
        "WeightedPermuteMLP",
        vision_permutator.WeightedPermuteMlp,
        "stages.0.blocks.0.token_mixing",
        norm="stages.0.blocks.0.norm1",
        trained={"dim": 64, "seg_dim": 16},
    ),
    vip("PermuteMLP", vision_permutator.PermuteMlp),
    BlockCard(
        name="MixerBlock",
        family="MLP-Mixer",
        paper="https://arxiv.org/abs/2105.01601",
        settings={"dim": 512, "grid": 14, "tokens_dim": 256, "channels_dim": 2048},
        axes="b h w c",
        build=mixer_block,
        shape=lambda given: (1, given["grid"], given["grid"], given["dim"]),
        nano="mixer_nano",
        place="blocks.0",
        trained={"dim": 128, "grid": 8, "tokens_dim": 128, "channels_dim": 512},
    ),
    BlockCard(
        name="S2Block",
        family="S2-MLP",
        paper=S2_V1,
        settings={"dim": 384, "mlp_ratio": 4},
        axes="b h w c",
        build=s2_mlp.S2Block,
        shape=lambda given: (1, 14, 14, given["dim"]),
        nano="s2mlp_nano",
        place="blocks.0",
        trained={"dim": 128, "mlp_ratio": 4},
    ),
    BlockCard(
        name="S2Attention",
        family="S2-MLPv2",
        paper=S2_V2,
        settings={"dim": 512, "hidden_dim": 128},
        axes="b h w c",
        build=s2_mlp_v2.S2Attention,
        shape=lambda given: (1, 7, 7, given["dim"]),
        nano="s2mlpv2_nano",
        place="stages.0.blocks.0.token_mixing",
        stem="stages.0.downsample",
        norm="stages.0.blocks.0.norm1",
        trained={"dim": 64, "hidden_dim": 16},
    ),
    BlockCard(
        name="SplitAttention",
        family="S2-MLPv2",
        paper=S2_V2,
        settings={"dim": 64, "branches": 3, "hidden_dim": 16},
        axes="branches b h w c",
        build=split_attention,
        shape=lambda given: (given["branches"], 1, 14, 14, given["dim"]),
    ),
    BlockCard(
        name="AxialShift",
        family="AS-MLP",
        paper=AXIAL,
        settings={"dim": 96, "shift_size": 5},
        axes="b c h w",
        build=as_mlp.AxialShift,
        shape=lambda given: (1, given["dim"], 56, 56),
        nano="as_mlp_nano",
        place="stages.0.blocks.0.axial_shift",
        norm="stages.0.blocks.0.norm1",
        trained={"dim": 48, "shift_size": 5},
    ),
    mobile(
        "InvertedResidual",
        {"dim": 32, "out_dim": 32, "stride": 1, "expansion": 4},
        mobilevit.InvertedResidual,
        lambda given: (1, given["dim"], 32, 32),
        place="stages.0.0",
        trained={"dim": 16, "out_dim": 16, "stride": 1, "expansion": 2},
    ),
    mobile(
        "MobileViTBlock",
        {"dim": 96, "transformer_dim": 144, "depth": 2, "num_heads": 4, "patch": 2},
        mobilevit.MobileViTBlock,
        lambda given: (1, given["dim"], 32, 32),
    ),
    mobile(
        "MobileViTAttention",
        {"dim": 3, "transformer_dim": 512, "patch": 7, "kernel": 3, "depth": 3},
        mobilevit_attention.MobileViTAttention,
        lambda given: (1, given["dim"], 7 * given["patch"], 7 * given["patch"]),
    ),
    BlockCard(
        name="MBConv",
        family="EfficientNet-Lite",
        paper="https://arxiv.org/abs/1905.11946",
        settings={"dim": 40, "out_dim": 40, "kernel": 5, "stride": 1, "expansion": 6},
        axes="b c h w",
        build=efficientnet_lite.MBConv,
        shape=lambda given: (1, given["dim"], 28, 28),
        nano="efficientnet_lite_nano",
        place="stages.0.0",
        trained={"dim": 16, "out_dim": 8, "kernel": 3, "stride": 1, "expansion": 1},
    ),
    faster(
        "PartialConv",
        {"dim": 64, "n_div": 4, "slicing": 0},
        partial_conv,
        place="stages.0.blocks.0.spatial_mixing",
        trained={"dim": 32, "n_div": 4, "slicing": 0},
    ),
    faster(
        "MLPBlock",
        {"dim": 64, "n_div": 4, "mlp_ratio": 2},
        mlp_block,
        place="stages.0.blocks.0",
        trained={"dim": 32, "n_div": 4, "mlp_ratio": 2},
    ),
    faster(
        "BasicStage",
        {"dim": 64, "depth": 2, "n_div": 4, "mlp_ratio": 2},
        basic_stage,
        place="stages.0",
        trained={"dim": 32, "depth": 1, "n_div": 4, "mlp_ratio": 2},
    ),
    faster(
        "PatchEmbed",
        {"in_dim": 3, "dim": 40, "patch_size": 4},
        lambda in_dim, dim, patch_size: fasternet.PatchEmbed(in_dim, dim, patch_size),
    ),
    faster(
        "PatchMerging", {"in_dim": 40, "dim": 80}, lambda in_dim, dim: fasternet.PatchMerging(in_dim, dim)
    ),
)
BLOCKS = MappingProxyType({found.name: found for found in CARDS})


def list_blocks(family: str | None = None) -> list[str]:
    return [name for name, found in BLOCKS.items() if family in (None, found.family)]


def block_card(name: str) -> BlockCard:
    if name not in BLOCKS:
        raise BlockError(f"There is no block {name!r}; the blocks are {', '.join(BLOCKS)}.")
    return BLOCKS[name]


def create_block(name: str, *, seed: int = 0, **settings: int) -> nn.Module:
    """The bare block in eval mode, random from `seed`; settings that are not given have their default.

    Raises BlockError, with the numbers, for settings it does not have or that do not go together.
    """
    found = block_card(name)
    given = complete(found, settings)
    with seeded(seed):
        try:
            return found.build(**given).eval()
        except (ValueError, RuntimeError, ZeroDivisionError) as error:
            raise BlockError(f"{spelled(name, given)} cannot be built: {error}.") from error


def default_input(name: str, seed: int = 0, **settings: int) -> Tensor:
    """A random input of the shape a block expects, `[b, h, w, c]` or `[b, c, h, w]` as its card says."""
    found = block_card(name)
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(found.shape(complete(found, settings)), generator=generator)


def complete(found: BlockCard, settings: Mapping[str, int]) -> dict[str, int]:
    """All settings of a block, those not given at their default."""
    for name, value in settings.items():
        if name not in found.settings:
            known = ", ".join(found.settings)
            raise BlockError(f"{found.name} has no hyper-parameter {name!r}; it has {known}.")
        least = 0 if name == "slicing" else 1
        if not least <= value <= MOST:
            raise BlockError(f"{name} {value} of {found.name} is not between {least} and {MOST}.")
    return {**found.settings, **settings}


def spelled(name: str, settings: Mapping[str, int]) -> str:
    """A block with its hyper-parameters as the name of a model."""
    return f"{name}({', '.join(f'{key}={value}' for key, value in settings.items())})"
