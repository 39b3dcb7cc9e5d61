"""Passes of pictures with one window changed, where only what the window reaches is computed anew.

A convolution looks around a place only so far. Up to some map a crop around the window gives the same numbers
as the whole picture there, and elsewhere the map is that of the picture as it was; the rest of the network
then runs on maps put together so. Equal to rounding. Which maps these are the theoretical field tells; a
network that looks at the whole picture from the start has none.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from explorer.attribution.methods.window_reach import Reach, Window, window_reach
from explorer.capture import hooked, probes
from explorer.engine.replay import Replay
from explorer.mixing.theoretical_field import up_to


class WindowPasses:
    """One picture's way through a network, ready to be computed anew around windows."""

    def __init__(self, network: nn.Module, image: Tensor, reach: Reach, longest: int) -> None:
        self.network, self.image, self.reach = network, image, reach
        self.sizes = reach.rows.crop_for(longest), reach.columns.crop_for(longest)
        self.probe = probes(network)[reach.layer]
        self.rest = Replay(network, image, [reach.layer])
        self.whole = self.map_of(image)

    @torch.no_grad()
    def map_of(self, images: Tensor) -> Tensor:
        """What passes the probe `[n, h, w, c]`."""
        return up_to(lambda: self.network(images), self.probe, {})

    @torch.no_grad()
    def logits(self, images: Tensor, windows: Sequence[Window]) -> Tensor:
        """Of images `[n, 3, h, w]`, each like the picture but for a window of its own, `[n, classes]`."""
        placed = [self.placed(window) for window in windows]
        crops = [
            image[:, self.reach.rows.pixels(rows), self.reach.columns.pixels(columns)]
            for image, (_, (rows, columns)) in zip(images, placed, strict=True)
        ]
        maps = self.whole.repeat(len(images), 1, 1, 1)
        for whole, made, (felt, crop) in zip(maps, self.map_of(torch.stack(crops)), placed, strict=True):
            rows, columns = (within(*both) for both in zip(felt, crop, strict=True))
            whole[felt.rows, felt.columns] = made[rows, columns]
        together = self.probe.native(maps)
        with self.rest.up_to(self.reach.layer), hooked({self.probe: lambda *_: together}):
            return self.network(self.image)

    def placed(self, window: Window) -> tuple[Window, Window]:
        """The places that feel a window, and those of the crop around it."""
        axes = self.reach.rows, self.reach.columns
        felt = [axis.felt(pixels) for axis, pixels in zip(axes, window, strict=True)]
        crops = [axes[at].crop(felt[at], self.sizes[at]) for at in range(2)]
        return Window(*felt), Window(*crops)


def within(places: slice, crop: slice) -> slice:
    """The same places, counted from where a crop begins."""
    return slice(places.start - crop.start, places.stop - crop.start)


def window_passes(network: nn.Module, image: Tensor, longest: int) -> WindowPasses | None:
    """For windows with sides of at most `longest` pixels; None where no crop is worth its while."""
    reach = window_reach(network, image, longest)
    return None if reach is None else WindowPasses(network, image, reach, longest)
