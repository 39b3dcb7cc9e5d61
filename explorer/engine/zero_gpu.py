"""A GPU that a Space is lent for single calls (ZeroGPU), where the package `spaces` is there and says so.

It is lent to a process of its own: a question goes there with its weights, pickled, and its parts come back.
Nothing is kept there; what is remembered is remembered here, where models stay on the CPU. Visitors have two
minutes of it a day without an account, so what takes less than a second on the CPU stays there.
"""

import math
import os
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

DEVICE = "cuda"  # of the process that has one
WORTH = 1.0  # seconds on the CPU from which a GPU is asked for
MOST = 120  # seconds it is asked for at most: what a visitor without an account has in a day
START = 10  # seconds until the process is there and has the weights
FASTER = 4  # times it is faster than the CPU, at least; there was none at hand to measure more


def is_lent() -> bool:
    """Whether this is a Space whose GPU is lent for single calls."""
    said = os.environ.get("SPACES_ZERO_GPU", "").lower()
    return said in ("1", "t", "true") and find_spec("spaces") is not None


def seconds_there(seconds: float) -> int | None:
    """How long to ask for what takes `seconds` on the CPU; None where it is better done there."""
    asked = START + math.ceil(seconds / FASTER)
    return asked if is_lent() and seconds >= WORTH and asked <= MOST else None


def lent(work: Callable[P, Iterator[T]]) -> Callable[P, Iterator[T]]:
    """The work on a lent GPU, for the number of seconds that is its first argument; elsewhere as it is.

    `work` is a generator function at the top of a module, whose arguments and parts can be pickled.
    """
    if not is_lent():
        return work
    return import_module("spaces").GPU(work, duration=lambda seconds, *_, **__: seconds)
