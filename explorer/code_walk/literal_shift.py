"""What becomes of a spatial shift written as published listings write it: into the tensor it is read from.

The papers' pseudo-code, and the PyTorch code that circulates, assign a quarter of the channels to itself, one
place further. PyTorch copies line after line, so that what moves down or right is read after it was written
over: the first row, or column, ends up everywhere. `models.s2_mlp.spatial_shift` is the equation; what is
written here is an error, run to be looked at and for nothing else.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from einops import rearrange
from torch import Tensor, nn

from explorer.capture import hooked
from explorer.errors import ChoiceError
from models.s2_mlp import SpatialShift, spatial_shift
from models.s2_mlp_v2 import spatial_shift_2

MOST = 2  # shifts of a part that are looked at together


def listed_shift(x: Tensor) -> Tensor:
    """Down, up, right and left, as listings of S2-MLP print it."""
    _, h, w, c = x.shape
    x[:, 1:, :, : c // 4] = x[:, : h - 1, :, : c // 4]
    x[:, : h - 1, :, c // 4 : c // 2] = x[:, 1:, :, c // 4 : c // 2]
    x[:, :, 1:, c // 2 : c * 3 // 4] = x[:, :, : w - 1, c // 2 : c * 3 // 4]
    x[:, :, : w - 1, c * 3 // 4 :] = x[:, :, 1:, c * 3 // 4 :]
    return x


def listed_shift_2(x: Tensor) -> Tensor:
    """Right, left, down and up, as listings of S2-MLPv2 print the second one."""
    _, h, w, c = x.shape
    x[:, :, 1:, : c // 4] = x[:, :, : w - 1, : c // 4]
    x[:, :, : w - 1, c // 4 : c // 2] = x[:, :, 1:, c // 4 : c // 2]
    x[:, 1:, :, c // 2 : c * 3 // 4] = x[:, : h - 1, :, c // 2 : c * 3 // 4]
    x[:, : h - 1, :, c * 3 // 4 :] = x[:, 1:, :, c * 3 // 4 :]
    return x


Shift = Callable[[Tensor], Tensor]
LISTED: Mapping[Shift, Shift] = {spatial_shift: listed_shift, spatial_shift_2: listed_shift_2}


@dataclass(frozen=True)
class Quarter:
    """A quarter of the channels, which one line of the listing moves; maps are `[h, w, c / 4]`."""

    line: str
    first: int  # channel
    before: np.ndarray
    right: np.ndarray  # by the equation
    literal: np.ndarray  # by the line

    @property
    def wrong(self) -> float:
        """Share of the values that are not those of the equation."""
        return float((self.literal != self.right).mean())

    @property
    def smeared(self) -> str:
        """What became the same everywhere: "row", "column" or nothing."""
        if not self.wrong:
            return ""
        same = {axis: bool((self.literal == self.literal.take([0], axis)).all()) for axis in (0, 1)}
        return "row" if same[0] else "column" if same[1] else ""

    @property
    def telling(self) -> int:
        """The channel of the quarter in which the two differ most, else the one with most to see."""
        apart = np.abs(self.literal - self.right).sum(axis=(0, 1))
        return int(apart.argmax() if apart.any() else self.before.std(axis=(0, 1)).argmax())


@dataclass(frozen=True)
class ShiftAsListed:
    """One shift on what it was given."""

    name: str  # the module
    quarters: tuple[Quarter, ...]

    @property
    def wrong(self) -> float:
        return float(np.mean([quarter.wrong for quarter in self.quarters]))


@dataclass(frozen=True)
class LiteralShift:
    """The shifts of a part as equation and as listing, and what the difference does."""

    block: str
    shifts: tuple[ShiftAsListed, ...]
    change: float  # length of the change of what the part puts out, over the length of what it puts out
    logits: Tensor  # `[1, classes]`, of the network as it is
    logits_listed: Tensor  # of the network with every shift as listed


def shifts_of(model: nn.Module, block: str) -> dict[str, SpatialShift]:
    """The shifts in a part, by name; none where there are too many to look at together."""
    within = {
        name: module
        for name, module in model.named_modules()
        if isinstance(module, SpatialShift) and f"{name}.".startswith(f"{block}." if block else "")
    }
    return within if len(within) <= MOST else {}


@torch.no_grad()
def literal_shift(model: nn.Module, image: Tensor, block: str) -> LiteralShift:
    """Run the shifts of the part of that name by the equation and as listed, on the same tensors.

    Hold the lock of the loaded model. Nothing in it is changed: hooks replace what a shift gives. Raises
    ChoiceError for a part without shifts, or with more than are looked at together.
    """
    shifts = shifts_of(model, block)
    if not shifts:
        raise ChoiceError(f"{block or 'The whole network'} has no spatial shift of its own to look at.")
    taken: dict[str, tuple[Tensor, Tensor]] = {}
    plain, logits = outputs(model, image, block, {one: keeping(taken, name) for name, one in shifts.items()})
    listed, _ = outputs(model, image, block, dict.fromkeys(shifts.values(), as_listed))
    everywhere = [one for one in model.modules() if isinstance(one, SpatialShift)]
    _, changed = outputs(model, image, block, dict.fromkeys(everywhere, as_listed))
    return LiteralShift(
        block=block,
        shifts=tuple(compared(name, one.run, *taken[name]) for name, one in shifts.items()),
        change=float((listed - plain).norm() / plain.norm()),
        logits=logits.cpu(),
        logits_listed=changed.cpu(),
    )


def outputs(model: nn.Module, image: Tensor, block: str, hooks: Mapping) -> tuple[Tensor, Tensor]:
    """What a part and the whole network put out, with hooks on the shifts."""
    found: list[Tensor] = []
    watched = model.get_submodule(block)
    with hooked(hooks), hooked({watched: lambda _module, _args, value: found.append(value)}):
        logits = model(image)
    return found[0], logits


def keeping(taken: dict[str, tuple[Tensor, Tensor]], name: str) -> Callable:
    """A hook that notes what a shift takes and gives."""

    def note(_shift: nn.Module, args: tuple, value: Tensor) -> None:
        taken[name] = args[0], value

    return note


def as_listed(shift: SpatialShift, args: tuple, _value: Tensor) -> Tensor:
    """The hook that puts what the listing makes in the place of what the shift gives."""
    return run_listed(LISTED[shift.run], args[0])


def run_listed(listed: Shift, x: Tensor) -> Tensor:
    """What a listing makes of a table `[b, h, w, c]`, on a copy and on the CPU.

    One channel of each quarter at a time: large copies are shared among threads, and nobody knows which of
    them reads what another has written over.
    """
    fours = rearrange(x.cpu(), "b h w (four c) -> c b h w four", four=4)
    made = [listed(one.clone(memory_format=torch.contiguous_format)) for one in fours]
    return rearrange(made, "c b h w four -> b h w (four c)").to(x.device)


def compared(name: str, shift: Shift, before: Tensor, right: Tensor) -> ShiftAsListed:
    """The four quarters of what a shift took and gave, beside what its listing gives."""
    listed = LISTED[shift]
    literal = run_listed(listed, before)
    maps = [rearrange(one[0].cpu(), "h w (four c) -> four h w c", four=4) for one in (before, right, literal)]
    first = (number * maps[0].shape[-1] for number in range(4))
    return ShiftAsListed(
        name,
        tuple(
            Quarter(line, channel, *(one.numpy() for one in each))
            for line, channel, *each in zip(assignments(listed), first, *maps, strict=False)
        ),
    )


def assignments(listed: Shift) -> tuple[str, ...]:
    """The four lines of a listing that move something, as they stand in its source."""
    lines = (line.strip() for line in inspect.getsource(listed).splitlines())
    return tuple(line for line in lines if line.startswith("x["))
