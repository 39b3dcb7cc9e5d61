"""The theoretical receptive field: which pixels can reach a place of a layer, whatever the weights are.

The network is run with every weight the same positive number, every bias zero, and without norms and
activations. Nothing can cancel then, so a place is reached exactly where something positive arrives, and a
pixel reaches exactly where the gradient is positive. What matters is only whether a value is positive; at
every feature map it becomes one again, so that no path is lost however deep the network.

Left out on purpose is what looks at the whole map to weigh it: the shares of a split attention and of
attention, which become constants, and the statistics of norms.
"""

from collections.abc import Callable, Mapping
from itertools import chain
from types import MappingProxyType

import torch
from torch import Tensor, nn
from torch.func import functional_call

from explorer.capture import hooked, probes
from explorer.errors import ChoiceError
from models.layers import LayerScale
from models.probe import Kind, Probe

PASSING = (nn.LayerNorm, nn.GroupNorm, nn.BatchNorm2d, LayerScale, nn.GELU, nn.SiLU, nn.ReLU, nn.ReLU6)
NO_HOOKS: Mapping[nn.Module, Callable] = MappingProxyType({})


class ReachedError(Exception):
    """Ends a pass at the probe that was asked for; never leaves this module."""


def up_to(run: Callable[[], object], probe: Probe, hooks: dict[nn.Module, Callable]) -> Tensor:
    """What passes a probe `[b, h, w, c]`; nothing behind it is computed."""
    found: list[Tensor] = []

    def stop(probe: Probe, args: tuple, value: Tensor) -> None:
        seen = hooks[probe](probe, args, value) if probe in hooks else None
        found.append(probe.canonical(value if seen is None else seen))
        raise ReachedError

    try:
        with hooked({**hooks, probe: stop}):
            run()
    except ReachedError:
        pass
    return found[0]


def probe_at(model: nn.Module, layer: str) -> Probe:
    """The probe of a feature map; raises ChoiceError for any other name."""
    maps = probes(model, Kind.FEATURE_MAP)
    if layer not in maps:
        raise ChoiceError(
            f"There is no feature map {layer!r} in this model; the first is {next(iter(maps))}."
        )
    return maps[layer]


def unit_of(values: Tensor, layer: str, place: tuple[int, int], channel: int | None) -> Tensor:
    """The vector at a place, or one number of it, of a map `[1, h, w, c]`: `[channels]`."""
    rows, columns = values.shape[1:3]
    row, column = place
    if not (0 <= row < rows and 0 <= column < columns):
        raise ChoiceError(f"{layer} has {rows} × {columns} places; there is no place {row}, {column}.")
    return of_channel(values, layer, channel)[0, row, column]


def of_channel(values: Tensor, layer: str, channel: int | None) -> Tensor:
    """All channels of a map `[..., c]`, or one of them, with the axis kept."""
    channels = values.shape[-1]
    if channel is None:
        return values
    if not 0 <= channel < channels:
        raise ChoiceError(f"{layer} has channels 0 to {channels - 1}; there is no channel {channel}.")
    return values[..., channel : channel + 1]


def theoretical_field(
    model: nn.Module,
    shape: tuple[int, int],
    layer: str,
    place: tuple[int, int],
    channel: int | None = None,
) -> Tensor:
    """The pixels that can move a place (row, column) of a layer, or one channel there: bool `[h, w]`.

    shape: height and width of the image in pixels.
    """
    image = torch.ones(1, 3, *shape, requires_grad=True)  # at zero, ReLUs and products have no slope
    with torch.enable_grad():
        unit = unit_of(positive_pass(model, image, layer), layer, place, channel)
        (gradient,) = torch.autograd.grad(unit.sum(), image)
    return gradient[0].sum(dim=0) > 0


def reachable_places(model: nn.Module, square: Tensor, layer: str, channel: int | None = None) -> Tensor:
    """The places of a layer that can feel a set of pixels, `square` bool `[h, w]`: bool `[rows, columns]`."""
    image = square[None, None].expand(1, 3, -1, -1).float()
    with torch.no_grad():
        reached = of_channel(positive_pass(model, image, layer), layer, channel)
    return reached[0].sum(dim=-1) > 0


def positive_pass(
    model: nn.Module, image: Tensor, layer: str, hooks: Mapping[nn.Module, Callable] = NO_HOOKS
) -> Tensor:
    """What arrives at a layer `[1, h, w, c]` when all weights are positive; always on the CPU.

    There a sum of zeros is zero, which the fast convolutions of other devices do not promise.

    hooks: for some parts, what to do instead of what lets everything pass that is positive.
    """
    weights, plain = constants(model), OwnNames(model)
    every = ways(model) | dict(hooks)
    return up_to(lambda: functional_call(plain, weights, (image,)), probe_at(model, layer), every)


class OwnNames(nn.Module):
    """Runs a model, and has its parts alone: names that a facade has for itself may be theirs as well."""

    MODEL = ".model"  # no part can be called so

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        shared = {one: model.__dict__[one] for one in ("_modules", "_parameters", "_buffers")}
        self.__dict__.update({self.MODEL: model, **shared})

    def forward(self, image: Tensor) -> Tensor:
        return self.__dict__[self.MODEL](image)


def constants(model: nn.Module) -> dict[str, Tensor]:
    """For every weight one over what it sums up, for everything else zero; none takes any memory."""
    made = {}
    for name, tensor in chain(model.named_parameters(), model.named_buffers()):
        value = 1 / tensor[0].numel() if tensor.ndim > 1 else 0
        made[name] = torch.full((1,) * tensor.ndim, float(value)).expand(tensor.shape)
    return made


def ways(model: nn.Module) -> dict[nn.Module, Callable]:
    """Hooks that let everything pass that is positive, and weigh nothing by what it is."""
    hooks: dict[nn.Module, Callable] = {
        module: passing for module in model.modules() if isinstance(module, PASSING)
    }
    hooks |= dict.fromkeys(probes(model, Kind.FEATURE_MAP).values(), ones_where_positive)
    for kind in (Kind.BRANCH_WEIGHTS, Kind.ATTENTION, Kind.CHANNEL_GATE):
        hooks |= dict.fromkeys(probes(model, kind).values(), equal)
    return hooks


def passing(_module: nn.Module, args: tuple, _value: Tensor) -> Tensor:
    return args[0]


def equal(_probe: Probe, _args: tuple, value: Tensor) -> Tensor:
    """Shares that are the same for all; any positive number would do."""
    return torch.full_like(value, 1 / value.shape[-1])


def ones_where_positive(_probe: Probe, _args: tuple, value: Tensor) -> Tensor | None:
    """One where something arrived, on the way there as on the way back."""
    if value.requires_grad:
        value.register_hook(lambda gradient: (gradient > 0).to(gradient.dtype))
        return value / value.detach().where(value.detach() > 0, 1)
    return (value > 0).to(value.dtype)
