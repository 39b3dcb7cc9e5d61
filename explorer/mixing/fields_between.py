"""What a place of a layer sees of the layer before it, whatever the weights are: see `theoretical_field`."""

from collections.abc import Callable, Sequence
from functools import partial

import torch
from einops import rearrange
from torch import Tensor, nn

from explorer.capture import probes
from explorer.mixing.theoretical_field import ones_where_positive, positive_pass
from models.probe import Probe


def fields_between(
    model: nn.Module, shape: Sequence[int], layers: Sequence[str]
) -> list[tuple[Tensor, tuple[int, int]]]:
    """For each of some layers, the places of the one before it that can move its middle place: bool `[h, w]`.

    With it comes how many places the layer has itself, down and across, of which the middle one is
    `rows // 2, columns // 2`. One pass there, and one back in pieces.

    shape: height and width of the image in pixels, which are the places before the first layer.
    layers: feature maps, in the order of the pass, each made of nothing but the one before it.
    """
    wanted = [probes(model)[layer] for layer in layers]
    met: dict[Probe, Tensor] = {}

    def note(probe: Probe, args: tuple, value: Tensor) -> Tensor:
        seen = ones_where_positive(probe, args, value)
        met[probe] = value if seen is None else seen
        return met[probe]

    found = []
    before = torch.ones(1, 3, *shape, requires_grad=True)
    read: Callable[[Tensor], Tensor] = partial(rearrange, pattern="b c h w -> b h w c")
    with torch.enable_grad():
        positive_pass(model, before, layers[-1], dict.fromkeys(wanted, note))
        for probe in wanted:
            (values,) = probe.canonical(met[probe])
            rows, columns = values.shape[:2]
            middle = values[rows // 2, columns // 2].sum()
            (gradient,) = torch.autograd.grad(middle, before, retain_graph=True)
            found.append((read(gradient)[0].sum(dim=-1) > 0, (rows, columns)))
            before, read = met[probe], probe.canonical
    return found
