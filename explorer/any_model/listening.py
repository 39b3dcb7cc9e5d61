"""Hand over the tensors that are met at places while a model runs, and put others in their place.

Hooks belong to a module and modes to a thread; both are taken off again whatever happens.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any

from torch import nn
from torch.overrides import TorchFunctionMode

from explorer.any_model.functions import FUSED, GLU, MULTIHEAD, SUMS, in_order, plain
from explorer.any_model.hooks import attaching
from explorer.any_model.opened_attention import Change, multihead, read_later, unfused, unglued
from explorer.any_model.outputs import changed_by_all
from explorer.any_model.places import Parts, Place, Plan
from explorer.reading import Reading

OPENED: dict[str, Callable] = {FUSED: unfused, MULTIHEAD: multihead, GLU: unglued}


@dataclass
class Running:
    """One run of a module's forward, while it lasts."""

    wanted: Mapping[tuple[str, int], list[tuple[int | None, Change]]]
    functions: frozenset[str]
    calls: Counter[str] = field(default_factory=Counter)


class Listener(TorchFunctionMode):
    """Hands the tensors at some places to whoever listens there, and puts in what comes back."""

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.outputs, self.wanted, self.given = plan.outputs, plan.wanted, plan.given
        self.stack: list[Running | None] = [None]  # None where nobody listens
        self.visits: Counter[str] = Counter()
        self.taken: Counter[str] = Counter()
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
        if wanted and (kwargs or name == "einsum"):
            args, kwargs = in_order(name, args, kwargs)
        for part, change in wanted:
            if part is not None:
                given = change(args[part])
                args = args if given is None else (*args[:part], given, *args[part + 1 :])
        result = func(*args, **kwargs)
        for part, change in wanted:
            if part is None and (given := change(result)) is not None:
                in_place = name in SUMS and args and result is args[0]  # nobody may look at what comes back
                result = result.copy_(given) if in_place else given
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

    def takes(self, name: str, args: tuple) -> tuple | None:
        """A module is given something; other things may take the place of the first."""
        change = self.given.get((name, self.taken[name]))
        self.taken[name] += 1
        if change is None:
            return None
        self.stack.append(None)
        made = change(args[0])
        self.stack.pop()
        return None if made is None else (made, *args[1:])

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


def listening(model: nn.Module, routes: Mapping[Place, Change]) -> AbstractContextManager[None]:
    """For the length of a `with` block, passes of this thread hand over what is met at the places."""
    return heard(Plan(routes, Parts(model)))


@contextmanager
def heard(plan: Plan) -> Iterator[None]:
    """The same, where it has been sorted before."""
    listener = Listener(plan)
    with attaching() as hooks:
        for name, part in plan.takers:
            hooks.before(part, lambda _m, args, n=name: listener.takes(n, args))
        for name, part in plan.framed:
            hooks.before(part, lambda _m, _a, n=name: listener.begins(n))
            hooks.after(part, lambda _m, _a, value, n=name: listener.ends(n, value))
        for name, part in plan.others:
            hooks.after(part, lambda _m, _a, value, n=name: listener.gave(n, value))
        try:
            yield
        finally:
            if listener.on:  # an error came out of a module, which then has not ended
                listener.__exit__(None, None, None)
