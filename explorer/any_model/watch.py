"""Watch one pass of a model: which module runs when, and what becomes of every activation.

A mode of this thread sees each call of a function of torch, wherever in a forward it is made; hooks tell
which module makes it. What a call does to the facts of its tensors is told in `explorer.any_model.rules`.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from explorer.any_model.calls import Call
from explorer.any_model.functions import in_order, plain
from explorer.any_model.hooks import attaching
from explorer.any_model.ledger import Candidate, Ledger
from explorer.any_model.noting import noted
from explorer.any_model.outputs import fewest_rows, tensors_in
from explorer.any_model.places import Place, hookable
from models.random_state import lent

SILENT = {"get", "set", "size", "dim", "numel", "stride", "is_contiguous", "is_floating_point", "item", "len"}


class Other(NamedTuple):
    """One map of several that a module puts out."""

    number: int  # among them
    shape: tuple[int, ...]
    given: int  # its origin


@dataclass
class Ran:
    """One run of a module."""

    name: str
    visit: int
    parent: int | None  # number of the run it was part of
    given: int | None = None  # origin of the map it puts out
    shape: tuple[int, ...] = ()
    others: tuple["Other", ...] = ()  # maps of other shapes it puts out as well
    begun: int = 0  # after how many calls of the pass
    ended: int = -1
    taken: tuple[int, tuple[int, ...]] = (-1, ())  # origin and shape of the tensor it is given first
    vector: tuple[int, tuple[int, ...]] = (-1, ())  # the same of what it puts out, where that has no places
    hands_on: bool = False  # it puts out the very tensor it was given
    calls: dict[str, int] = field(default_factory=dict)  # of each function of torch, how many


@dataclass(frozen=True)
class Pass:
    """What was seen of one pass."""

    runs: tuple[Ran, ...]  # in the order they began
    candidates: tuple[Candidate, ...]
    hidden: tuple[Place, ...]  # attention that cannot be opened
    output: Any
    written: Mapping[int, int]  # by which call something was last written into the values of an origin
    sums: Mapping[int, Place]  # where the values of an origin were added up
    ends: Mapping[int, tuple[int, ...]]  # shapes of what the model puts out, by origin
    is_random: bool = False  # numbers were drawn, so that the next pass would be another one

    def calls(self) -> dict[str, frozenset[str]]:
        """The functions that each module and its parts call, by its name."""
        made: dict[str, set[str]] = {}
        for run in self.runs:
            above = run.parent
            made.setdefault(run.name, set()).update(run.calls)
            while above is not None:
                made[self.runs[above].name].update(run.calls)
                above = self.runs[above].parent
        return {name: frozenset(functions) for name, functions in made.items()}


class Watch(TorchFunctionMode):
    """Sees every call while it is on."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger = Ledger()
        self.runs: list[Ran] = []
        self.stack: list[int] = []
        self.visits: Counter[str] = Counter()
        self.candidates: list[Candidate] = []
        self.hidden: list[Place] = []

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        name = plain(func)
        if name in SILENT or not self.stack:
            return func(*args, **kwargs)
        if kwargs or name == "einsum":
            args, kwargs = in_order(name, args, kwargs)
        running = self.runs[self.stack[-1]]
        number = running.calls.get(name, 0)
        running.calls[name] = number + 1
        self.ledger.calls += 1
        met = tensors_in(args) + tensors_in(kwargs) if kwargs else tensors_in(args)
        given = [(one, self.ledger.of(one)) for one in met]
        result = func(*args, **kwargs)
        noted(self, Call(name, (running.name, running.visit, name, number), args, kwargs, given, result))
        return result

    def begins(self, name: str, args: tuple) -> None:
        parent = self.stack[-1] if self.stack else None
        self.stack.append(len(self.runs))
        run = Ran(name, self.visits[name], parent, begun=self.ledger.calls)
        if args and isinstance(args[0], Tensor):
            facts, shape = self.ledger.met(args[0])
            run.taken = facts.origin, shape
        self.runs.append(run)
        self.visits[name] += 1

    def ended(self, value: Any, args: tuple) -> None:
        run = self.runs[self.stack.pop()]
        self.ledger.calls += 1
        run.ended = self.ledger.calls
        met = [self.ledger.met(one) for one in tensors_in(value)]
        run.hands_on = bool(args) and value is args[0]
        maps = [(shape, facts.origin) for facts, shape in met if len(shape) > 2]
        if met and not maps:
            run.vector = met[0][0].origin, met[0][1]
        if maps:
            run.shape, run.given = min(maps, key=fewest_rows)
            run.others = tuple(
                Other(number, shape, given)
                for number, (shape, given) in enumerate(maps)
                if shape != run.shape and shape[0] == run.shape[0]
            )


@contextmanager
def watching(model: nn.Module) -> Iterator[Watch]:
    """For the length of a `with` block, passes of this thread through the model are watched."""
    watch = Watch()
    with attaching() as hooks:
        for name, part in hookable(model):
            if type(part) is not nn.Identity:
                hooks.before(part, lambda _m, args, n=name: watch.begins(n, args))
                hooks.after(part, lambda _m, args, value: watch.ended(value, args))
        with watch:
            yield watch


@torch.no_grad()
def watched(model: nn.Module, image: Tensor) -> Pass:
    """One pass of `image` `[b, 3, h, w]`, watched; nothing stays on the model, also after an error."""
    with watching(model) as watch, lent():
        watch.ledger.put(image, watch.ledger.new(True))
        before = torch.get_rng_state()
        output = model(image)
        drawn = not torch.equal(before, torch.get_rng_state())
    met = tuple(watch.runs), tuple(watch.candidates), tuple(watch.hidden)
    ledger = watch.ledger
    ends = {ledger.of(one).origin: tuple(one.shape) for one in tensors_in(output)}
    return Pass(*met, output, ledger.overwritten(), ledger.sums, ends, drawn)
