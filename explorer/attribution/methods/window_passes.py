"""Passes of pictures with one window changed, where only what the window reaches is computed anew.

A convolution looks around a place only so far. A crop around what changed gives the same numbers there as the
whole map, and elsewhere the next map is that of the picture as it was. So it goes from block to block, until
too little of a map is spared; the rest of the network runs on whole maps put together so. Equal to rounding.
How far a block looks the theoretical field tells; a network that looks at the whole picture from the start
has no such block.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from einops import rearrange, repeat
from torch import Tensor, nn

from explorer.attribution.methods.batches import images_at_once
from explorer.attribution.methods.window_reach import Step, Window, window_steps
from explorer.capture import hooked, probes
from explorer.engine.replay import Replay
from explorer.mixing.theoretical_field import up_to


@dataclass(frozen=True)
class Changed:
    """Parts of a map, each made for a picture with a window changed: `[n, h, w, c]`."""

    parts: Tensor
    lie: Sequence[Window]  # where in the map
    windows: Sequence[Window]  # what of the map changed

    def within(self, whole: Tensor, crops: Sequence[Window]) -> Tensor:
        """Crops of the map `[h, w, c]` of the picture as it was, with what changed: `[n, h, w, c]`."""
        made = torch.stack([whole[crop.rows, crop.columns] for crop in crops])
        for into, crop, part, lies, window in zip(
            made, crops, self.parts, self.lie, self.windows, strict=True
        ):
            shared = window.within(crop)
            into[shared.counted_from(crop)] = part[shared.counted_from(lies)]
        return made


class WindowPasses:
    """One picture's way through a network, ready to be computed anew around windows."""

    def __init__(self, network: nn.Module, image: Tensor, steps: Sequence[Step]) -> None:
        self.network, self.image, self.steps = network, image, steps
        self.probes = [probes(network)[step.layer] for step in steps]
        self.replay = Replay(network, image, [step.layer for step in steps])
        self.wholes = [rearrange(image, "1 c h w -> h w c")]
        for number in range(len(steps)):
            self.wholes.append(self.made(number, self.wholes[number][None])[0])

    @torch.no_grad()
    def logits(self, other: Tensor, windows: Sequence[Window]) -> Tensor:
        """Of the picture with a window of another `[1, 3, h, w]` in it, for each window `[n, classes]`."""
        parts = repeat(other, "1 c h w -> n h w c", n=len(windows))
        changed = Changed(parts, self.all_of(0, len(windows)), windows)
        for number, step in enumerate(self.steps):
            felt = [step.felt(window) for window in changed.windows]
            crops = [step.crop_around(places) for places in felt]
            given = changed.within(self.wholes[number], [step.under(crop) for crop in crops])
            changed = Changed(self.made(number, given), crops, felt)
        last = len(self.steps)
        return self.rest(changed.within(self.wholes[last], self.all_of(last, len(windows))))

    @torch.no_grad()
    def rest(self, maps: Tensor) -> Tensor:
        """The logits `[n, classes]` of whole maps `[n, h, w, c]` behind the last step."""
        with self.going_on_from(len(self.steps), maps):
            return self.network(self.image)

    @property
    def at_once(self) -> int:
        """How many windows go into one call: of those behind the last step, which is most of the work."""
        whole = self.wholes[-1][None]
        return images_at_once(self.network, self.image, self.steps[-1].layer, lambda: self.rest(whole))

    def all_of(self, number: int, count: int) -> list[Window]:
        """Whole maps, as windows."""
        rows, columns, _ = self.wholes[number].shape
        return [Window(slice(0, rows), slice(0, columns))] * count

    @torch.no_grad()
    def made(self, number: int, given: Tensor) -> Tensor:
        """What a step makes `[n, h2, w2, c2]` of crops of the map before it `[n, h, w, c]`."""
        if number == 0:
            image = rearrange(given, "n h w c -> n c h w")
            return up_to(lambda: self.network(image), self.probes[0], {})
        with self.going_on_from(number, given):
            return up_to(lambda: self.network(self.image), self.probes[number], {})

    @contextmanager
    def going_on_from(self, number: int, given: Tensor) -> Iterator[None]:
        """Let other maps `[n, h, w, c]` go on after so many steps, and run nothing that is before."""
        probe = self.probes[number - 1]
        native = probe.native(given)
        with self.replay.up_to(self.steps[number - 1].layer), hooked({probe: lambda *_: native}):
            yield


def window_passes(network: nn.Module, image: Tensor, windows: Sequence[Window]) -> WindowPasses | None:
    """For some windows of a picture, in any order and number; None where no crop is worth its while."""
    steps = tuple(window_steps(network, image, windows))
    return WindowPasses(network, image, steps) if steps else None
