"""How often work that goes on is drawn: a page that is told too often has no time left to hear Stop."""

import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")
PATIENCE = 0.25  # seconds between two parts


def throttled(parts: Iterable[T]) -> Iterator[T]:
    """The first part, the last, and in between not more than one every `PATIENCE` seconds."""
    waiting, last = [], float("-inf")
    for part in parts:
        waiting = [part]
        if time.monotonic() - last >= PATIENCE:
            yield waiting.pop()
            last = time.monotonic()
    yield from waiting
