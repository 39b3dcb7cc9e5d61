"""Run a model once and keep what its probes saw."""

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from explorer.in_notebook import InNotebook
from explorer.reading import Heard, Unread, kept, reading
from models.probe import OUTPUTS, Kind, Probe, Role

Edit = Callable[[Tensor], Tensor]  # a tensor in the axes of its kind -> what takes its place


@dataclass(frozen=True)
class Activation:
    """One probed tensor on the CPU."""

    name: str
    kind: Kind
    kept: Unread
    branches: tuple[str, ...] = ()  # names along the axis `branches`, where the kind has one
    role: Role = Role.OTHER

    @property
    def value(self) -> Tensor:
        """The tensor, its axes in the order `kind` names them."""
        return self.kept.value

    @property
    def block(self) -> str:
        """Name of the module the probe stands in."""
        return module_of(self.name)


@dataclass(frozen=True)
class Run(InNotebook):
    """One forward pass: logits `[b, classes]` and the probed tensors, in execution order."""

    logits: Tensor
    activations: Mapping[str, Activation]
    seconds: float  # of the pass, with the probes listening
    gradients: Mapping[str, Tensor] = field(default_factory=lambda: MappingProxyType({}))  # of the target

    def of(self, kind: Kind) -> list[Activation]:
        """What was seen of a kind, in the order of the pass."""
        return [found for found in self.activations.values() if found.kind is kind]

    def outputs(self, roles: Collection[Role] = OUTPUTS) -> list[Activation]:
        """The maps that patches, blocks and stages put out, or some of these, in the order of the pass."""
        return [found for found in self.of(Kind.FEATURE_MAP) if found.role in roles]

    def inside(self, block: str, sought: Kind | Role) -> Activation | None:
        """What a probe of a kind or a role saw that stands in the module `block` itself; None without one."""
        seen = (found for found in self.activations.values() if found.block == block)
        return next((found for found in seen if sought in (found.kind, found.role)), None)

    @property
    def bytes(self) -> int:
        kept = [activation.kept for activation in self.activations.values()]
        storages = {place: size for one in kept for place, size in one.storages.items()}
        read = sum(one.more for one in kept)
        gradients = sum(value.untyped_storage().nbytes() for value in self.gradients.values())
        return sum(storages.values()) + read + gradients


sought: WeakKeyDictionary[nn.Module, dict[str, Probe]] = WeakKeyDictionary()


def probes(model: nn.Module, kind: Kind | None = None) -> dict[str, Probe]:
    """All probes by name, or those of one kind, in execution order; looked for the first time only."""
    found = getattr(model, "probed", None)  # of models of others, whose parts are many
    if found is None:
        found = sought.get(model)
    if found is None:
        found = {name: module for name, module in model.named_modules() if isinstance(module, Probe)}
        sought[model] = found
    return {name: probe for name, probe in found.items() if kind is None or probe.kind is kind}


def module_of(probe: str) -> str:
    """Name of the module a probe of this name stands in."""
    return probe.rpartition(".")[0]


def probe_inside(model: nn.Module, block: str, sought: Kind | Role) -> str | None:
    """Name of the probe of a kind or a role that stands in the module `block` itself; None without one."""
    there = {name: probe for name, probe in probes(model).items() if module_of(name) == block}
    return next((name for name, probe in there.items() if sought in (probe.kind, probe.role)), None)


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


def activation(name: str, heard: Heard) -> Activation:
    probe, _ = heard
    return Activation(name, probe.kind, kept(heard), probe.branches, probe.role)


def editing(edit: Edit) -> Callable:
    """The hook that puts something else in a tensor's place."""
    return lambda probe, _args, value: probe.native(edit(probe.canonical(value)))


def differentiable(value: Tensor | list[Tensor]) -> Tensor | list[Tensor]:
    """The same numbers, which a gradient reaches, even if they are a constant, as a learned gate may be."""
    if isinstance(value, list):
        return [one if one.requires_grad else one.detach().requires_grad_() for one in value]
    return value if value.requires_grad else value.detach().requires_grad_()


NO_EDITS: Mapping[str, Edit] = MappingProxyType({})


def run(
    model: nn.Module,
    image: Tensor,
    *,
    edits: Mapping[str, Edit] = NO_EDITS,
    target: int | None = None,
    gradients_at: Collection[str] = (),
) -> Run:
    """Classify `image` `[b, 3, h, w]` and record every probe. The model must be in eval mode.

    edits: by name of a probe, what to put in the place of the tensor that passes it; what is recorded is
        what goes on. No parameter is changed.
    gradients_at: names of the probes at which the gradient of the logit `target` is kept as well.

    Nothing in `models/` writes into a tensor it has handed out, so a probed tensor is kept as it is,
    without a copy; its axes are named when it is read.

    Hooks belong to the module, not to the caller: two calls at once on one model would record each
    other's tensors. Hold the lock of the loaded model, as `explorer.engine.engine` does.
    """
    found = probes(model)
    heard: list[Heard] = []
    live: dict[str, Tensor | list[Tensor]] = {}

    def change(probe: Probe, _args: tuple, value: Tensor | list[Tensor], *, name: str):
        edited = editing(edits[name])(probe, _args, value) if name in edits else value
        if name in gradients_at:
            live[name] = edited = differentiable(edited)
        return None if edited is value else edited

    hooks: dict[nn.Module, Callable] = {
        probe: partial(change, name=name) for name, probe in found.items() if name in {*edits, *gradients_at}
    }
    start = time.perf_counter()
    with torch.set_grad_enabled(bool(gradients_at)), hooked(hooks), reading(found.values(), heard.append):
        logits = model(image.detach().requires_grad_(bool(gradients_at)))
        explained = None if target is None else logits[:, target].sum()
    told = logits.detach().cpu()  # which waits for a GPU
    seconds = time.perf_counter() - start
    names = {probe: name for name, probe in found.items()}
    seen = {names[one[0]]: activation(names[one[0]], one) for one in heard}
    gradients: dict[str, Tensor] = {}
    if live and explained is not None:
        parts = {n: value if isinstance(value, list) else [value] for n, value in live.items()}
        flat = [part for value in parts.values() for part in value]
        made = iter(torch.autograd.grad(explained, flat, materialize_grads=True))  # zeros where it has no say
        for name, value in parts.items():
            gradient = [next(made) for _ in value]
            whole = gradient if isinstance(live[name], list) else gradient[0]
            gradients[name] = found[name].canonical(whole).cpu()
    return Run(told, MappingProxyType(seen), seconds, MappingProxyType(gradients))


def listened(
    model: nn.Module, image: Tensor, wanted: Mapping[str, Probe], hear: Callable[[Activation], None]
) -> Tensor:
    """Classify `image` `[b, 3, h, w]`, hand over what passes some probes as it passes, and give the logits.

    Nothing is kept: a tensor is read while it is warm, and its memory serves the next part of the pass, where
    `run` asks for new memory for every tensor. Hold the lock of the loaded model, as for `run`.

    wanted: of the probes of the model, by name.
    """
    names = {probe: name for name, probe in wanted.items()}

    def tell(heard: Heard) -> None:
        hear(activation(names[heard[0]], heard))

    with torch.no_grad(), reading(wanted.values(), tell):
        return model(image).detach().cpu()
