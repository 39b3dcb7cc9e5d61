"""How far the logits of gates are apart: a softmax of logits far apart is saturated, and learns no more."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch
from torch import Tensor, nn

from models.probe import Kind, Probe

FREE = 2.0  # how far a logit may be from the mean of its branches; one of three then has up to 91 %


@contextmanager
def spreads(model: nn.Module) -> Iterator[list[Tensor]]:
    """A list that each pass fills with the spread of every gate, in the order of the pass."""
    found: list[Tensor] = []

    def note(_probe: nn.Module, _given: tuple, logits: Tensor) -> None:
        found.append(spread(logits))

    with ExitStack() as hooks:
        for probe in model.modules():
            if isinstance(probe, Probe) and probe.kind is Kind.BRANCH_LOGITS:
                hooks.callback(probe.register_forward_hook(note).remove)
        yield found


def spread(logits: Tensor) -> Tensor:
    """Mean square of how far logits `[branches, ...]` are beyond `FREE` from the mean of their branches."""
    apart = (logits.float() - logits.float().mean(dim=0)).abs()
    return (apart - FREE).clamp(min=0).square().mean()


def penalty(found: list[Tensor], weight: float) -> Tensor:
    """What is added to the loss for the spreads of one pass; they are forgotten then."""
    total = weight * torch.stack(found).sum() if found else torch.zeros(())
    found.clear()
    return total
