"""Run one block of a network and keep, for every line of its source, the tensors that line made."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from inspect import unwrap

import torch
from torch import Tensor, nn

from explorer.capture import hooked, module_of, probes
from explorer.code_walk.shape_axes import ShapeAxes
from explorer.code_walk.source_lines import Statement, listing
from explorer.code_walk.tracing import Call, Made, Tracer
from explorer.errors import ChoiceError
from explorer.in_notebook import InNotebook
from models.probe import Kind, Probe


@dataclass(frozen=True)
class Step:
    """One statement that ran."""

    call: int  # which of the walk's calls it belongs to
    statement: Statement
    made: tuple[Made, ...]
    patterns: tuple[str, ...]  # of einops on this line
    enters: tuple[int, ...]  # calls of helpers this statement made


@dataclass(frozen=True)
class Walk(InNotebook):
    """All that a block did for one picture, line by line, in the order it ran."""

    block: str
    title: str  # name of its class
    calls: tuple[Call, ...]
    steps: tuple[Step, ...]
    seconds: float  # the block took while it was followed

    @property
    def bytes(self) -> int:
        kept = (made.value.untyped_storage() for step in self.steps for made in step.made)
        return sum({storage.data_ptr(): storage.nbytes() for storage in kept}.values())


class Finished(BaseException):  # no error, and nobody on the way up may take it for one
    """The block has run; what comes after it is of no interest."""


def walk(model: nn.Module, image: Tensor, block: str) -> Walk:
    """Follow the block of that name, "" for the whole network, while `image` `[1, 3, h, w]` passes once.

    Hold the lock of the loaded model, as for `explorer.capture.run`. The trace function that was there
    before is put back whatever happens. Raises ChoiceError, with the reason, for a block that is not there,
    has no Python source, or does not run.
    """
    root = traceable(model, block)
    found = getattr(model, "found", None)  # of a model of others
    tracer = Tracer(root, block, ShapeAxes(found, tuple(image.shape)) if found else None)
    clock: dict[str, float] = {}
    looked_at: dict[nn.Module, Callable] = {
        p: lambda *_: None for p in root.modules() if isinstance(p, Probe) and p.kind is Kind.ATTENTION
    }
    with torch.no_grad(), hooked(looked_at), followed(root, tracer, clock), suppress(Finished):
        model(image)
    steps = tracer.told()
    if not steps:
        raise ChoiceError(f"{told(block)} does not run here, so there is nothing to walk through.")
    return Walk(
        block=block,
        title=type(root).__name__,
        calls=tuple(tracer.calls),
        steps=tuple(whole(step, tracer) for step in steps),
        seconds=clock["seconds"],
    )


@contextmanager
def followed(root: nn.Module, tracer: Tracer, clock: dict[str, float]) -> Iterator[None]:
    """For the length of a `with` block, the tracer hears what this thread does in `root`, the first time."""
    before = sys.gettrace()

    def start(*_) -> None:
        clock["began"] = time.perf_counter()
        sys.settrace(tracer.begins)

    def stop(*_) -> None:
        sys.settrace(before)
        clock["seconds"] = time.perf_counter() - clock["began"]
        raise Finished

    handles = [root.register_forward_pre_hook(start), root.register_forward_hook(stop)]
    try:
        yield
    finally:
        sys.settrace(before)
        for handle in handles:
            handle.remove()


def whole(step: dict, tracer: Tracer) -> Step:
    """A step as it is kept; axes that were named only later are named now."""
    made = tuple(
        Made(name, value.cpu(), one.axes if any(one.axes) else tracer.axes_of(value), one.module)
        for one in step["made"]
        for name, value in [drawable(one)]
    )
    return Step(step["call"], step["statement"], made, step["patterns"], tuple(step["enters"]))


def told(block: str) -> str:
    return block or "The whole network"


def drawable(made: Made) -> tuple[str, Tensor]:
    """A tensor in numbers that can be drawn: 32 bits at least, of complex ones how large they are."""
    if made.value.is_complex():
        return f"|{made.name}|", made.value.abs()
    small = made.value.is_floating_point() and made.value.element_size() < 4
    return made.name, made.value.float() if small else made.value


def traceable(model: nn.Module, block: str) -> nn.Module:
    """The part of that name. Raises ChoiceError, with the reason, where it cannot be followed."""
    modules = dict(model.named_modules())
    if block not in modules:
        raise ChoiceError(
            f"This network has no part {block!r}; its parts are {', '.join(blocks(model)[:4])} ..."
        )
    found = modules[block]
    code = getattr(unwrap(type(found).forward), "__code__", None)
    try:
        known = code and listing(code.co_filename, code.co_firstlineno)
    except (OSError, SyntaxError):
        known = None
    if not known:
        raise ChoiceError(
            f"{told(block)} cannot be walked through: "
            f"{type(found).__name__} has no forward in Python, so no lines."
        )
    return found


def blocks(model: nn.Module) -> tuple[str, ...]:
    """Names of the parts that are written in the files of the network, the whole first."""
    return tuple(
        name
        for name, module in model.named_modules()
        if not isinstance(module, Probe)
        and not type(module).__module__.startswith("torch.")
        and type(module).forward is not nn.Sequential.forward
    )


def first_block(model: nn.Module) -> str:
    """Where to begin: the first part that blends or attends, else the one with most tensors worth seeing."""
    names = blocks(model)[1:] or ("",)
    found = getattr(model, "found", None)  # of a model of others: where a gate multiplies
    applied = next((gate.applied_to for gate in found.gates), None) if found else None
    if applied in names:
        return applied
    known = probes(model)

    def worth(name: str) -> tuple[int, int]:
        own = [one for probe, one in known.items() if module_of(probe) == name]
        return sum(one.kind not in (Kind.FEATURE_MAP, Kind.VECTOR) for one in own), len(own)

    return max(names, key=worth)
