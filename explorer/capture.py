"""Run a model once and keep what its probes saw."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

import torch
from torch import Tensor, nn

from models.probe import Kind, Probe


@dataclass(frozen=True)
class Activation:
    """One probed tensor on the CPU, its axes in the order `kind` names them."""

    name: str
    kind: Kind
    value: Tensor
    branches: tuple[str, ...] = ()  # names along the axis `branches`, where the kind has one


@dataclass(frozen=True)
class Run:
    """One forward pass: logits `[b, classes]` and the probed tensors, in execution order."""

    logits: Tensor
    activations: Mapping[str, Activation]
    seconds: float  # of the pass, with the probes listening

    def of(self, kind: Kind) -> list[Activation]:
        return [activation for activation in self.activations.values() if activation.kind is kind]

    @property
    def bytes(self) -> int:
        return sum(activation.value.untyped_storage().nbytes() for activation in self.activations.values())


def probes(model: nn.Module, kind: Kind | None = None) -> dict[str, Probe]:
    """All probes by name, or those of one kind, in execution order."""
    found = {name: module for name, module in model.named_modules() if isinstance(module, Probe)}
    return {name: probe for name, probe in found.items() if kind in (None, probe.kind)}


@contextmanager
def hooked(hooks: Mapping[nn.Module, Callable]) -> Iterator[None]:
    """Attach forward hooks for the length of a `with` block, and take them off whatever happens."""
    handles = []
    try:
        for module, hook in hooks.items():
            handles.append(module.register_forward_hook(hook))
        yield
    finally:
        for handle in handles:
            handle.remove()


def run(model: nn.Module, image: Tensor) -> Run:
    """Classify `image` `[b, 3, h, w]` and record every probe. The model must be in eval mode.

    Nothing in `models/` writes into a tensor it has handed out, so a probed tensor is kept as it is,
    without a copy, wherever its layout allows.

    Hooks belong to the module, not to the caller: two calls at once on one model would record each
    other's tensors. Callers take turns, see `explorer.session`.
    """
    seen: dict[str, Activation] = {}

    def keep(probe: Probe, _args: tuple, value: Tensor | list[Tensor], *, name: str) -> None:
        seen[name] = Activation(name, probe.kind, probe.canonical(value).cpu(), probe.branches)

    start = time.perf_counter()
    with torch.no_grad(), hooked({p: partial(keep, name=n) for n, p in probes(model).items()}):
        logits = model(image).cpu()
    return Run(logits, MappingProxyType(seen), time.perf_counter() - start)
