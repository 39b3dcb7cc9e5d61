"""Where in a pass a tensor is met: at a call inside a module's own forward, or as what a module puts out.

Hooks belong to a module and modes to a thread; both are taken off again whatever happens.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from explorer.any_model.functions import FUSED, GLU, MULTIHEAD, plain
from explorer.any_model.opened_attention import Change, multihead, read_later, unfused, unglued
from explorer.any_model.outputs import changed_by_all
from explorer.reading import Reading

OPENED: dict[str, Callable] = {FUSED: unfused, MULTIHEAD: multihead, GLU: unglued}


@dataclass(frozen=True)
class Place:
    """Where a tensor is met; the numbers count from 0 and only what the module itself calls."""

    module: str  # whose forward it is, "" for the whole model
    visit: int = 0  # which of the times that module runs in a pass
    function: str = ""  # of torch, by its plain name; "" for what the module puts out
    call: int = 0  # which of its calls of that function
    part: int | None = None  # number of an argument, or of a map among several put out; None for the result


@dataclass
class Running:
    """One run of a module's forward, while it lasts."""

    wanted: Mapping[tuple[str, int], list[tuple[int | None, Change]]]
    functions: frozenset[str]
    calls: Counter[str] = field(default_factory=Counter)


class Listener(TorchFunctionMode):
    """Hands the tensors at some places to whoever listens there, and puts in what comes back."""

    def __init__(self, plan: "Plan") -> None:
        super().__init__()
        self.outputs, self.wanted = plan.outputs, plan.wanted
        self.stack: list[Running | None] = [None]  # None where nobody listens
        self.visits: Counter[str] = Counter()
        self.on = 0  # how many that call something of interest are running; only then calls are seen

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        running = self.stack[-1]
        if running is None:
            return func(*args, **kwargs)
        if (name := plain(func)) not in running.functions:
            return func(*args, **kwargs)
        number = running.calls[name]
        running.calls[name] += 1
        wanted = running.wanted.get((name, number), ())
        if name in OPENED and wanted:
            change = wanted[0][1]
            if name == FUSED and isinstance(change, Reading) and not change.copied:
                read_later(change, *args, **kwargs)
                return func(*args, **kwargs)
            return OPENED[name](*args, change=change, **kwargs)
        for part, change in wanted:
            if part is not None and part < len(args):
                given = change(args[part])
                args = args if given is None else (*args[:part], given, *args[part + 1 :])
            elif part == 0:  # given by its name
                given = change(kwargs["input"])
                kwargs = kwargs if given is None else {**kwargs, "input": given}
        result = func(*args, **kwargs)
        for part, change in wanted:
            if part is None:
                given = change(result)
                result = result if given is None else given
        return result

    def begins(self, name: str) -> None:
        """A module that calls something of interest itself, or a part of one, begins."""
        visit = self.visits[name]
        self.visits[name] += 1
        wanted = self.wanted.get((name, visit))
        functions = frozenset(function for function, _ in wanted or ())
        self.stack.append(Running(wanted, functions) if wanted else None)
        if wanted:
            self.on += 1
            if self.on == 1:
                self.__enter__()

    def gave(self, name: str, value: Any) -> Any:
        """A module of which only what it puts out matters has ended."""
        self.visits[name] += 1
        changes = self.outputs.get((name, self.visits[name] - 1))
        if changes is None:
            return None
        self.stack.append(None)  # whoever listens may call torch as well, which counts for nobody
        made = changed_by_all(value, changes)
        self.stack.pop()
        return made

    def ends(self, name: str, value: Any) -> Any:
        """It has ended; what it puts out may be changed."""
        running = self.stack[-1]
        self.stack[-1] = None
        made = changed_by_all(value, self.outputs.get((name, self.visits[name] - 1), ()))
        self.stack.pop()
        if running is not None:
            self.on -= 1
            if not self.on:
                self.__exit__(None, None, None)
        return made


NOTHING: Mapping[str, Collection[str]] = MappingProxyType({})


class Parts:
    """The parts of a model by name, gathered once; one that is shared has the last of its names.

    calls: by name of a part, the functions that it and its own parts call, as far as that is known.
    """

    def __init__(self, model: nn.Module, calls: Mapping[str, Collection[str]] = NOTHING) -> None:
        self.calls = calls
        self.modules = dict(hookable(model))
        names = {id(part): name for name, part in self.modules.items()}
        self.inside = {
            name: {names[id(child)] for child in part.children() if id(child) in names}
            for name, part in self.modules.items()
        }

    def framed(self, routes: Mapping[Place, Change]) -> set[str]:
        """Where it matters who runs, as calls are counted: who calls, and what in it may call the same."""
        wanted: dict[str, set[str]] = {}
        for place in routes:
            if place.function:
                wanted.setdefault(place.module, set()).add(place.function)
        inside = {
            child
            for name, functions in wanted.items()
            for child in self.inside[name]
            if child not in self.calls or not functions.isdisjoint(self.calls[child])
        }
        return inside | wanted.keys()


def hookable(model: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """The parts by name; those that TorchScript compiled run elsewhere and take no hooks."""
    for name, part in model.named_modules():
        if not isinstance(part, torch.jit.ScriptModule):
            yield name, part


class Plan:
    """Who is handed what in a pass, sorted by where it is met."""

    def __init__(self, routes: Mapping[Place, Change], parts: Parts) -> None:
        self.outputs: dict[tuple[str, int], list[tuple[int | None, Change]]] = {}
        self.wanted: dict[tuple[str, int], dict[tuple[str, int], list[tuple[int | None, Change]]]] = {}
        for place, change in routes.items():
            run = place.module, place.visit
            if not place.function:
                self.outputs.setdefault(run, []).append((place.part, change))
            else:
                calls = self.wanted.setdefault(run, {})
                calls.setdefault((place.function, place.call), []).append((place.part, change))
        self.framed = [(name, parts.modules[name]) for name in parts.framed(routes)]
        others = dict.fromkeys(name for name, _ in self.outputs if name not in dict(self.framed))
        self.others = [(name, parts.modules[name]) for name in others]


def listening(model: nn.Module, routes: Mapping[Place, Change]) -> AbstractContextManager[None]:
    """For the length of a `with` block, passes of this thread hand over what is met at the places."""
    return heard(Plan(routes, Parts(model)))


@contextmanager
def heard(plan: Plan) -> Iterator[None]:
    """The same, where it has been sorted before."""
    listener = Listener(plan)
    hooks = []
    try:
        for name, part in plan.framed:
            hooks.append(part.register_forward_pre_hook(lambda *_, n=name: listener.begins(n)))
            hooks.append(part.register_forward_hook(lambda _m, _a, value, n=name: listener.ends(n, value)))
        for name, part in plan.others:
            hooks.append(part.register_forward_hook(lambda _m, _a, value, n=name: listener.gave(n, value)))
        yield
    finally:
        if listener.on:  # an error came out of a module, which then has not ended
            listener.__exit__(None, None, None)
        for hook in hooks:
            hook.remove()
