"""What may take the place of a gate: all alike, all open, or closed.

Each change is a value that names a gate by its probe, and goes through it: no parameter changes, and without
the change the result is that of before, bit for bit.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from explorer.capture import Edit, probes
from explorer.errors import ChoiceError
from explorer.reweighting.gates import KINDS
from models.probe import Kind


@dataclass(frozen=True)
class Flattened:
    """All alike: every channel as far open as all are on average; a modulation the same at all places.

    Attention takes from every place alike.
    """

    gate: str

    def apply(self, values: Tensor, kind: Kind) -> Tensor:
        if kind is Kind.MODULATION and values[0, ..., 0].numel() > 1:
            return values.mean(dim=(1, 2), keepdim=True).expand_as(values)
        axis = -1 if kind is Kind.ATTENTION else values.ndim - 1
        return values.mean(dim=axis, keepdim=True).expand_as(values)


@dataclass(frozen=True)
class Opened:
    """Everything passes as if there were no gate."""

    gate: str

    def apply(self, values: Tensor, kind: Kind) -> Tensor:
        if kind is Kind.ATTENTION:
            raise ChoiceError("Attention shares out a whole among places; it can be flattened or closed.")
        return torch.ones_like(values)


@dataclass(frozen=True)
class Closed:
    """Nothing passes: of one channel or head, or of all."""

    gate: str
    channel: int | None = None

    def apply(self, values: Tensor, kind: Kind) -> Tensor:
        if self.channel is None:
            return torch.zeros_like(values)
        axis = 1 if kind in (Kind.ATTENTION, Kind.CHANNEL_GATE) else values.ndim - 1
        count = values.shape[axis]
        if not 0 <= self.channel < count:
            raise ChoiceError(
                f"{self.gate} has channels 0 to {count - 1}; there is no channel {self.channel}."
            )
        kept = torch.arange(count, device=values.device) != self.channel
        shape = [1] * values.ndim
        shape[axis] = count
        return values * kept.view(shape)


GateChange = Flattened | Opened | Closed
MODES: dict[str, Callable[[str], GateChange]] = {"flattened": Flattened, "opened": Opened, "closed": Closed}


def fits(change: GateChange, kind: Kind) -> bool:
    """Whether a change means something for gates of a kind."""
    return not (isinstance(change, Opened) and kind is Kind.ATTENTION)


def gate_edit(model: nn.Module, one: GateChange) -> dict[str, Edit]:
    """The change by the probe it goes through. Raises ChoiceError for a gate that is not there."""
    there = {name: probe for name, probe in probes(model).items() if probe.kind in KINDS}
    if one.gate not in there:
        raise ChoiceError(f"There is no gate {one.gate!r} to change; there are {', '.join(there) or 'none'}.")
    return {one.gate: partial(one.apply, kind=there[one.gate].kind)}
