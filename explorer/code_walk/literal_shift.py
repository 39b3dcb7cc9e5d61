"""What the shift of published listings does to a block, beside the equation, on the same tensors."""

from collections import ChainMap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from einops import rearrange
from torch import Tensor, nn

from explorer.capture import hooked
from explorer.code_walk.listed_shifts import LISTED, assignments, run_listed
from explorer.errors import ChoiceError
from explorer.mixing.mixers import mixers
from models.mixing import HasSteps, MixingStep


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

    name: str  # of the step, "shift 1"
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


def shifting(model: nn.Module) -> dict[str, tuple[MixingStep, ...]]:
    """The steps of every module that shifts by an equation that circulates as a listing."""
    known = {name: cast(HasSteps, module).mixing_steps() for name, module in mixers(model, "shifts").items()}
    return {name: steps for name, steps in known.items() if any(step.run in LISTED for step in steps)}


def shifts_of(model: nn.Module, block: str) -> tuple[MixingStep, ...]:
    """The steps of the one module that shifts in a part; none where no module does, or more than one."""
    start = f"{block}." if block else ""
    within = [steps for name, steps in shifting(model).items() if f"{name}.".startswith(start)]
    return within[0] if len(within) == 1 else ()


@torch.no_grad()
def literal_shift(model: nn.Module, image: Tensor, block: str) -> LiteralShift:
    """Run the shifts of the part of that name by the equation and as listed, on the same tensors.

    Hold the lock of the loaded model. Nothing in it is changed: hooks replace what a shift gives. Raises
    ChoiceError for a part in which no module shifts, or more than one.
    """
    steps = shifts_of(model, block)
    if not steps:
        raise ChoiceError(f"{block or 'The whole network'} has no spatial shift of its own to look at.")
    seen: list[tuple[MixingStep, Tensor, Tensor]] = []
    plain, logits = outputs(model, image, block, standing(steps, seen))
    listed, _ = outputs(model, image, block, standing(steps))
    everywhere = [standing(one) for one in shifting(model).values()]
    _, changed = outputs(model, image, block, dict(ChainMap(*everywhere)))
    return LiteralShift(
        block=block,
        shifts=tuple(compared(*each) for each in seen),
        change=float((listed - plain).norm() / plain.norm()),
        logits=logits.cpu(),
        logits_listed=changed.cpu(),
    )


def outputs(model: nn.Module, image: Tensor, block: str, hooks: Mapping) -> tuple[Tensor, Tensor]:
    """What a part and the whole network put out, with hooks on what stands around the shifts."""
    found: list[Tensor] = []
    watched = model.get_submodule(block)
    with hooked(hooks), hooked({watched: lambda _module, _args, value: found.append(value)}):
        logits = model(image)
    return found[0], logits


def standing(steps: Sequence[MixingStep], seen: list | None = None) -> dict[nn.Module, Callable]:
    """Hooks around steps side by side, that put what their listings give in the place of what they give.

    seen: where every step, what it takes and what it gives are noted instead.
    """
    taken: list[Tensor] = []

    def takes(_module: nn.Module, _args: tuple, value: Tensor) -> None:
        taken[:] = value.chunk(len(steps), dim=-1)

    def gives(_module: nn.Module, _args: tuple, value: Tensor | list[Tensor]) -> Tensor | list[Tensor] | None:
        each = zip(steps, taken, value if isinstance(value, list) else [value], strict=True)
        if seen is not None:
            seen.extend(one for one in each if one[0].run in LISTED)
            return None
        made = [run_listed(LISTED[step.run], x) if step.run in LISTED else same for step, x, same in each]
        return made if isinstance(value, list) else made[0]

    around = {steps[0].takes_from: takes, steps[0].gives_to: gives}
    return {module: hook for module, hook in around.items() if module is not None}


def compared(step: MixingStep, before: Tensor, right: Tensor) -> ShiftAsListed:
    """The four quarters of what a shift took and gave, beside what its listing gives."""
    listed = LISTED[step.run]
    literal = run_listed(listed, before)
    maps = [rearrange(one[0].cpu(), "h w (four c) -> four h w c", four=4) for one in (before, right, literal)]
    first = (number * maps[0].shape[-1] for number in range(4))
    return ShiftAsListed(
        step.name,
        tuple(
            Quarter(line, channel, *(one.numpy() for one in each))
            for line, channel, *each in zip(assignments(listed), first, *maps, strict=False)
        ),
    )
