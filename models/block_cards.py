"""All single blocks: each a row of hyper-parameters, how it is built, and where a nano has it trained."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import nn

from models import (
    as_mlp,
    efficientnet_lite,
    mlp_mixer,
    mobilevit,
    mobilevit_attention,
    s2_mlp,
    s2_mlp_v2,
    vision_permutator,
)
from models.block_settings import MOST, Fraction, Setting, Switch, Whole, Wholes
from models.fasternet import PatchEmbed
from models.fasternet_blocks import (
    NORM,
    OF_BLOCKS,
    basic_stage,
    faster_maps,
    mlp_block,
    partial_conv,
    side_for_stages,
)

Sizes = Mapping[str, int]
DEEPEST = 64  # blocks one after another; thousands of them take minutes to lay out, before any limit is known


@dataclass(frozen=True, kw_only=True)
class BlockCard:
    """One row of the catalogue."""

    name: str  # as the papers and the seeds print it
    family: str
    paper: str
    settings: Sizes  # the usual few hyper-parameters, whole numbers, with their defaults
    more: Mapping[str, Setting] = field(default_factory=dict)  # the further ones
    axes: str  # of what goes in: "b h w c", "b c h w", or "branches b h w c"
    build: Callable[..., nn.Module]
    shape: Callable[[Mapping[str, Any]], tuple[int, ...]]  # of the default input, for given settings
    least: Callable[[Mapping[str, Any]], int] = lambda given: 1  # places along a side it needs at least
    nano: str = ""  # the model that has such a block trained
    place: str = ""  # where in it
    stem: str = "stem"  # the patch embedding there
    norm: str = ""  # what normalises the block's input there
    trained: Sizes = field(default_factory=dict)  # the settings it has there

    def kind(self, name: str) -> Setting:
        """What a hyper-parameter may be; raises KeyError for one the block does not have."""
        if name in self.more:
            return self.more[name]
        return Whole(self.settings[name], most=DEEPEST if name == "depth" else MOST)


def vip(name: str, build: Callable, place: str = "", **more) -> BlockCard:
    return BlockCard(
        name=name,
        family="Vision Permutator",
        paper="https://arxiv.org/abs/2106.12368",
        settings={"dim": 512, "seg_dim": 8},
        more={"qkv_bias": Switch(), "proj_drop": Fraction()},
        axes="b h w c",
        build=lambda dim, seg_dim, **more: build(dim, seg_dim, **more),
        shape=lambda given: (1, given["seg_dim"], given["seg_dim"], given["dim"]),
        nano="vip_nano",
        place=place,
        **more,
    )


def faster(name: str, settings: dict[str, int], build: Callable, **more: Any) -> BlockCard:
    usual: dict[str, Any] = {"shape": lambda given: (1, given.get("in_dim", given["dim"]), 14, 14)}
    return BlockCard(
        name=name,
        family="FasterNet",
        paper="https://arxiv.org/abs/2303.03667",
        settings=settings,
        axes="b c h w",
        build=build,
        nano="fasternet_nano",
        **(usual | more),
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
        more={"num_heads": Whole(8), "head_dim": Whole(64), "mlp_dim": Whole(1024)},
    ),
    mobile(
        "MobileViT_Attention",
        {"dim": 3, "transformer_dim": 144, "patch": 2, "depth": 4, "num_heads": 16},
        mobilevit_attention.NormedMobileViTAttention,
        lambda given: (1, given["dim"], 16 * given["patch"], 16 * given["patch"]),
        more={"kernel": Whole(3), "dropout": Fraction(0.1)},
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
        {"dim": 64, "n_div": 4},
        partial_conv,
        more={"slicing": Switch()},
        place="stages.0.blocks.0.spatial_mixing",
        trained={"dim": 32, "n_div": 4},
    ),
    faster(
        "MLPBlock",
        {"dim": 64, "n_div": 4, "mlp_ratio": 2},
        mlp_block,
        more=OF_BLOCKS,
        place="stages.0.blocks.0",
        trained={"dim": 32, "n_div": 4, "mlp_ratio": 2},
    ),
    faster(
        "BasicStage",
        {"dim": 64, "depth": 2, "n_div": 4, "mlp_ratio": 2},
        basic_stage,
        more=OF_BLOCKS,
        place="stages.0",
        trained={"dim": 32, "depth": 1, "n_div": 4, "mlp_ratio": 2},
    ),
    faster(
        "PatchEmbed",
        {"in_dim": 3, "dim": 40, "patch_size": 4},
        lambda in_dim, dim, patch_size, patch_stride, norm_layer: PatchEmbed(
            in_dim, dim, patch_size, patch_stride, norm_layer
        ),
        more={"patch_stride": Whole(None), "norm_layer": NORM},
        least=lambda given: given["patch_size"],
    ),
    faster(
        "PatchMerging",
        {"in_dim": 40, "dim": 80},
        lambda in_dim, dim, patch_size2, patch_stride2, norm_layer: PatchEmbed(
            in_dim, dim, patch_size2, patch_stride2, norm_layer
        ),
        more={"patch_size2": Whole(2), "patch_stride2": Whole(2), "norm_layer": NORM},
        least=lambda given: given["patch_size2"],
    ),
    faster(
        "FasterNet",
        {"dim": 40, "patch_size": 4, "n_div": 4, "mlp_ratio": 2},
        faster_maps,
        more={
            "depths": Wholes((1, 2, 8, 2)),
            "patch_stride": Whole(None),
            "patch_size2": Whole(2),
            "patch_stride2": Whole(2),
            "patch_norm": Switch(True),
            "drop_path_rate": Fraction(),
            **{name: kind for name, kind in OF_BLOCKS.items() if name != "drop_path"},
            "fork_feat": Switch(),
        },
        shape=lambda given: (1, 3, 64, 64),
        least=side_for_stages,
    ),
)
