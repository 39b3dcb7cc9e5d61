"""What every method starts from and what it gives: a case, and parts of an answer."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import torch
from einops import rearrange
from torch import Tensor, nn

from explorer.attribution.methods.batches import images_at_once
from explorer.attribution.options import Options
from explorer.capture import hooked, probes
from explorer.engine.twins import folded
from explorer.errors import ChoiceError, NoMapError
from models.probe import Kind, Probe

GAP_WORTH_TELLING = 0.01  # of the logit's change


class Contrast(nn.Module):
    """A model whose logits are counted from that of one class."""

    def __init__(self, model: nn.Module, against: int) -> None:
        super().__init__()
        self.model = model
        self.against = against

    def forward(self, image: Tensor) -> Tensor:
        return counted_from(self.model(image), self.against)


def counted_from(logits: Tensor, against: int) -> Tensor:
    """Logits `[n, classes]`, the rival's being zero."""
    return logits - logits[:, against : against + 1]


@dataclass(frozen=True)
class Case:
    """What is to be explained: the logit `target` of `image` `[1, 3, h, w]`, against `baseline` alike."""

    network: nn.Module
    image: Tensor
    baseline: Tensor
    target: int
    options: Options
    every_baseline: Callable[[], tuple[Tensor, ...]] = tuple  # made for methods that take several
    references: Callable[[int], Tensor] = torch.zeros  # so many pictures of the world [n, 3, h, w]
    halved: int = 0  # how often `at_once` was, where memory was short

    @property
    def model(self) -> nn.Module:
        """What is explained: the network, or its logits counted from that of a rival."""
        return self.contrasted(self.network)

    @property
    def for_gradients(self) -> nn.Module:
        """The same to rounding, for passes of which only the gradient at the image counts.

        Where slopes jump, rounding may move a jump; such a network stays as it is.
        """
        jumps = any(isinstance(part, nn.ReLU | nn.ReLU6) for part in self.network.modules())
        return self.model if jumps else self.contrasted(folded(self.network))

    def contrasted(self, network: nn.Module) -> nn.Module:
        against = self.options.against
        return network if against is None else Contrast(network, against)

    def told(self, logits: Tensor) -> Tensor:
        """Of logits of the network `[n, classes]`, the number that is explained `[n]`."""
        against = self.options.against
        return (logits if against is None else counted_from(logits, against))[:, self.target]

    @property
    def at_once(self) -> int:
        """Images in one call of the model; the same for everybody, so that results are."""
        return self.as_memory_allows(images_at_once(self.network, self.image))

    def as_memory_allows(self, images: int) -> int:
        """So many images in one call, or fewer where memory was short."""
        return max(1, images >> self.halved)

    @property
    def probe(self) -> Probe:
        """The feature map that was chosen, or the last."""
        maps = probes(self.network, Kind.FEATURE_MAP)
        if not maps:
            raise NoMapError("No layer with places was found in this model, so there is none to weigh.")
        return maps[self.options.layer or list(maps)[-1]]


class Part(NamedTuple):
    """How far a method is, and its best map `[1, c, h, w]` so far."""

    done: int
    total: int  # may grow while a method finds out how much there is to do
    values: Tensor
    steps: int | None = None  # of the path the map was taken along, where there is one


@contextmanager
def channels_first(probe: Probe) -> Iterator[nn.Module]:
    """A module the probed map passes as `[b, c, h, w]`, the only layout Captum's layers know."""
    through = nn.Identity()

    def detour(_probe: Probe, _args: tuple, value: Tensor) -> Tensor:
        seen = through(rearrange(probe.canonical(value), "b h w c -> b c h w"))
        return probe.native(rearrange(seen, "b c h w -> b h w c"))

    with hooked({probe: detour}):
        yield through


def wanting(image: Tensor) -> Tensor:
    """A copy that gradients are taken for."""
    return image.detach().clone().requires_grad_()


def spread(case: Case) -> float:
    """Standard deviation of the noise, in the image's units."""
    return case.options.noise * float(case.image.max() - case.image.min())


@torch.no_grad()
def logits_of(case: Case, images: Tensor) -> Tensor:
    """What is explained, for several images `[n]`."""
    return case.told(folded(case.network)(images))


def logit_change(case: Case) -> float:
    """What is explained at the image minus that at the baseline."""
    at_image, at_baseline = logits_of(case, torch.cat([case.image, case.baseline])).double()
    return float(at_image - at_baseline)


def refuse(condition: bool, sentence: str) -> None:
    if condition:
        raise ChoiceError(sentence)
