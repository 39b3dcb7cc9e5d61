"""Where in a pass a tensor is met: at a call inside a module's own forward, as what a module puts out, or as
what it is given.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import torch
from torch import nn

from explorer.any_model.opened_attention import Change

GIVEN = "given"  # in the place of a function: what a module is handed first


@dataclass(frozen=True)
class Place:
    """Where a tensor is met; the numbers count from 0 and only what the module itself calls."""

    module: str  # whose forward it is, "" for the whole model
    visit: int = 0  # which of the times that module runs in a pass
    function: str = ""  # of torch, by its plain name; "" for what the module puts out, or GIVEN
    call: int = 0  # which of its calls of that function
    part: int | None = None  # number of an argument, or of a map among several put out; None for the result


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
            name: {names[id(child)] for child in part.children() if id(child) in names and is_busy(child)}
            for name, part in self.modules.items()
        }

    def framed(self, routes: Mapping[Place, Change]) -> set[str]:
        """Where it matters who runs, as calls are counted: who calls, and what in it may call the same."""
        wanted: dict[str, set[str]] = {}
        for place in routes:
            if place.function not in ("", GIVEN):
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


def is_busy(part: nn.Module) -> bool:
    """Whether a part may call torch; what hands on what it is given need not be listened to."""
    return type(part) not in (nn.Identity, nn.Dropout)


class Plan:
    """Who is handed what in a pass, sorted by where it is met."""

    def __init__(self, routes: Mapping[Place, Change], parts: Parts) -> None:
        self.outputs: dict[tuple[str, int], list[tuple[int | None, Change]]] = {}
        self.wanted: dict[tuple[str, int], dict[tuple[str, int], list[tuple[int | None, Change]]]] = {}
        self.given: dict[tuple[str, int], Change] = {}
        for place, change in routes.items():
            run = place.module, place.visit
            if place.function == GIVEN:
                self.given[run] = change
            elif not place.function:
                self.outputs.setdefault(run, []).append((place.part, change))
            else:
                calls = self.wanted.setdefault(run, {})
                calls.setdefault((place.function, place.call), []).append((place.part, change))
        self.framed = [(name, parts.modules[name]) for name in parts.framed(routes)]
        others = dict.fromkeys(name for name, _ in self.outputs if name not in dict(self.framed))
        self.others = [(name, parts.modules[name]) for name in others]
        self.takers = [(name, parts.modules[name]) for name in dict.fromkeys(name for name, _ in self.given)]
