"""From where every channel gets its values: measured with impulses, not drawn from memory.

A one is put into one channel at the middle of an empty map, channel after channel, and what comes out is
what that channel gives to every channel around it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from einops import rearrange, reduce, repeat
from torch import Tensor, nn

from explorer.errors import ChoiceError
from explorer.in_notebook import InNotebook
from models.mixing import MixingStep

AT_ONCE = 32  # impulses in one batch
WIDEST = 65  # side of the map that is tried, in places


def span(line: np.ndarray) -> int:
    """How many numbers lie between the least and the largest, both counted; none of none."""
    return int(line.max() - line.min()) + 1 if len(line) else 0


@dataclass(frozen=True)
class Group:
    """Neighbouring channels that get their values in the same way."""

    first: int
    last: int
    footprint: np.ndarray  # bool [side, side]: the places read; the middle is the place itself
    reads: int  # channels each of them reads
    own: bool  # whether each reads itself alone, and gets the very same values

    @property
    def source(self) -> tuple[int, int] | None:
        """The one place the values come from, as (rows down, columns right); None where they are mixed."""
        middle = len(self.footprint) // 2
        places = np.argwhere(self.footprint) - middle
        return tuple(places[0].tolist()) if self.own and len(places) == 1 else None

    @property
    def channels(self) -> int:
        return self.last - self.first + 1

    @property
    def extent(self) -> tuple[int, int]:
        """Rows and columns of the smallest box around the places read."""
        rows, columns = (np.flatnonzero(self.footprint.any(axis=axis)) for axis in (1, 0))
        return span(rows), span(columns)


@dataclass(frozen=True)
class Impulses(InNotebook):
    """What a step does to places, channel by channel."""

    step: str
    strength: np.ndarray  # [channels, side, side], length over the channels read of what comes from a place
    reads: np.ndarray  # int [channels], how many channels each reads
    own: np.ndarray  # bool [channels], whether it reads itself alone and gets the very same value

    @property
    def groups(self) -> tuple[Group, ...]:
        """The channels in their order, cut where the way of getting values changes."""
        marks = self.strength > 0
        same = (marks[1:] == marks[:-1]).all(axis=(1, 2)) & (self.own[1:] == self.own[:-1])
        same &= self.own[1:] | (self.reads[1:] == self.reads[:-1])
        starts = [0, *(np.flatnonzero(~same) + 1).tolist(), len(marks)]
        return tuple(
            Group(first, end - 1, marks[first], int(self.reads[first]), bool(self.own[first]))
            for first, end in pairwise(starts)
        )

    @property
    def untouched(self) -> np.ndarray:
        """bool `[channels]`: comes out as it went in, at every place."""
        middle = self.strength.shape[1] // 2
        return self.own & (self.strength[:, middle, middle] > 0)


@torch.no_grad()
def impulses(step: MixingStep) -> Impulses:
    """Send an impulse through every channel, on a map just wide enough for what comes out.

    What comes out of an empty map, as from a bias, is taken off.
    """
    side = wide_enough(step)
    squared = torch.zeros(step.channels, side, side, dtype=torch.float64)
    reads = torch.zeros(step.channels, dtype=torch.int64)
    own = torch.zeros(step.channels, dtype=torch.bool)
    for first, answers in answered(step, side):
        squared = squared + reduce(answers.double() ** 2, "n c h w -> c h w", "sum")
        answering = reduce(answers != 0, "n c h w -> n c", "any")
        reads = reads + answering.sum(dim=0)
        for number, answer in enumerate(answers, first):
            copied = answer[number].count_nonzero() == 1 and answer[number].max() == 1
            own = torch.where(torch.arange(step.channels) == number, copied, own)
    # An impulse travels from where it is read to where it is written; a footprint looks back.
    strength = squared.sqrt().flip(1, 2).numpy()
    return Impulses(step.name, strength, reads.numpy(), (own & (reads == 1)).numpy())


def answered(step: MixingStep, side: int) -> Iterator[tuple[int, Tensor]]:
    """Number of the first channel of a batch, and what its impulses give `[impulses, channels, h, w]`."""
    empty = run(step, torch.zeros(1, step.channels, side, side))
    for chosen in torch.eye(step.channels).split(AT_ONCE):
        yield int(chosen[0].argmax()), run(step, at_the_middle(chosen, side)) - empty


def wide_enough(step: MixingStep) -> int:
    """Side of the smallest map at whose border nothing of an impulse arrives; at least five places."""
    for side in range(5, WIDEST + 1, 2):
        values = torch.rand(step.channels, generator=torch.Generator().manual_seed(0))
        empty, full = run(step, at_the_middle(torch.stack([0 * values, values]), side))
        marks = reduce(full != empty, "c h w -> h w", "any")
        if not torch.cat([marks[0], marks[-1], marks[:, 0], marks[:, -1]]).any():
            return side
    raise ChoiceError(f"{step.name} reaches further than {WIDEST // 2} places; that is too far to measure.")


def at_the_middle(values: Tensor, side: int) -> Tensor:
    """Maps `[n, c, side, side]` with `values` `[n, c]` at their middle and nothing else."""
    place = (torch.arange(side) == side // 2).float()
    return torch.einsum("nc,h,w->nchw", values, place, place)


def run(step: MixingStep, given: Tensor) -> Tensor:
    """What a step makes of a map `[b, c, h, w]`, in the same axes, on the CPU."""
    learned = step.run.parameters() if isinstance(step.run, nn.Module) else ()
    device = next((one.device for one in learned), given.device)
    made = step.run(rearrange(given.to(device), f"b c h w -> {step.axes}"))
    return rearrange(made, f"{step.axes} -> b c h w").cpu()


@torch.no_grad()
def sent_through(step: MixingStep, values: np.ndarray) -> np.ndarray:
    """What every channel becomes `[channels, h, w]` if all of them hold the same map `values` `[h, w]`."""
    given = repeat(torch.from_numpy(values).float(), "h w -> 1 c h w", c=step.channels)
    return run(step, given)[0].numpy()
