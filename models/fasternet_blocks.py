"""FasterNet's parts as single blocks, with hyper-parameters by the names that articles give them."""

from collections.abc import Iterable, Mapping
from typing import Any

from torch import nn

from models.block_settings import Choice, Fraction
from models.fasternet import BasicStage, FasterNetConfig, FasterNetMaps, MLPBlock, PartialConv

FORM = Choice(("split_cat", "slicing"))
NORM, ACT = Choice(("bn", "ln", "none")), Choice(("gelu", "relu"))
OF_BLOCKS = {
    "drop_path": Fraction(),
    "layer_scale_init_value": Fraction(most=10.0),
    "norm_layer": NORM,
    "act_layer": ACT,
    "pconv_fw_type": FORM,
}


def partial_conv(dim: int, n_div: int, slicing: bool) -> nn.Module:
    return PartialConv(dim, n_div, "slicing" if slicing else "split_cat")


def faster_config(
    *, layer_scale_init_value: float, norm_layer: Any, act_layer: Any, pconv_fw_type: Any, **sizes: Any
) -> FasterNetConfig:
    """The configuration that hyper-parameters say by the names of the article."""
    return FasterNetConfig(
        layer_scale=layer_scale_init_value, norm=norm_layer, act=act_layer, form=pconv_fw_type, **sizes
    )


def mlp_block(dim: int, drop_path: float, **more: Any) -> nn.Module:
    return MLPBlock(faster_config(**more), dim, drop_path)


def basic_stage(depth: int, **more: Any) -> nn.Module:
    return BasicStage(faster_config(depths=(depth,), **more), 0)


def faster_maps(fork_feat: bool, **more: Any) -> nn.Module:
    return FasterNetMaps(faster_net(**more), fork_feat)


def faster_net(
    patch_size2: int = 2, patch_stride2: int = 2, drop_path_rate: float = 0.0, **more: Any
) -> FasterNetConfig:
    sizes = {"merge_size": patch_size2, "merge_stride": patch_stride2, "drop_path": drop_path_rate}
    return faster_config(**sizes, **more)


def side_for(windows: Iterable[tuple[int, int]]) -> int:
    """Places along a side of the smallest map that windows (size, stride), one after another, make one of."""
    side = 1
    for size, stride in reversed(list(windows)):
        side = (side - 1) * stride + size
    return side


def side_for_stages(given: Mapping[str, Any]) -> int:
    """Pixels along a side of the smallest picture of which the last stage has one place."""
    return side_for(faster_net(**{name: given[name] for name in given if name != "fork_feat"}).windows)
