"""Hooks on many parts of a model for the length of one pass, taken off again together."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from torch import nn

Hook = Callable[..., Any]  # as PyTorch calls it: before (part, args), after (part, args, value)


class Hooks:
    """Attaches hooks, each after those its module has.

    They are put among the hooks of a module by hand, under a number nothing else has: to make and to remove a
    handle of PyTorch's takes as long as a small layer.
    """

    def __init__(self) -> None:
        self.attached: list[tuple[dict, Hook]] = []

    def before(self, part: nn.Module, hook: Hook) -> None:
        self.attach(part._forward_pre_hooks, hook)

    def after(self, part: nn.Module, hook: Hook) -> None:
        self.attach(part._forward_hooks, hook)

    def attach(self, hooks: dict, hook: Hook) -> None:
        hooks[id(hook)] = hook
        self.attached.append((hooks, hook))

    def remove(self) -> None:
        for hooks, hook in self.attached:
            hooks.pop(id(hook), None)


@contextmanager
def attaching() -> Iterator[Hooks]:
    """Hooks that are gone after a `with` block, whatever happens in it."""
    hooks = Hooks()
    try:
        yield hooks
    finally:
        hooks.remove()
