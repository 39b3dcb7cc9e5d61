"""One bounded store for everything that is remembered: pictures, models, passes, maps, tables."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import fields, is_dataclass
from threading import Lock
from typing import TypeVar, cast
from weakref import WeakValueDictionary

import numpy as np
from PIL import Image
from torch import Tensor

from explorer.errors import NotRememberedError

T = TypeVar("T")
SMALL = 200  # bytes any value is counted with at least


_only_remembered: ContextVar[bool] = ContextVar("only what is remembered", default=False)


@contextmanager
def remembered_only() -> Iterator[None]:
    """Inside, whatever would have to be computed or loaded raises NotRememberedError; nothing waits."""
    token = _only_remembered.set(True)
    try:
        yield
    finally:
        _only_remembered.reset(token)


def about_to_compute() -> None:
    """Raises NotRememberedError inside of `remembered_only`."""
    if _only_remembered.get():
        raise NotRememberedError


class KeyLock:
    """A lock that a weak dictionary can hold."""

    def __init__(self) -> None:
        self.lock = Lock()


class Cache:
    """The values used last, within one budget in bytes; the newest is kept even where it alone is larger.

    most_bytes: the budget.
    largest: the budget is at least so many times the largest value, so that a large model is remembered
        together with some of its passes.

    Safe to share between threads. A key is any hashable value; by custom a tuple that starts with what the
    value is.
    """

    def __init__(self, most_bytes: int, largest: int = 1) -> None:
        self.most_bytes = most_bytes
        self.largest = largest
        self.bytes = 0
        self._lock = Lock()
        self._values: OrderedDict[Hashable, tuple[object, int]] = OrderedDict()
        self._computing: WeakValueDictionary[Hashable, KeyLock] = WeakValueDictionary()

    def __len__(self) -> int:
        return len(self._values)

    def keys(self) -> list[Hashable]:
        """What is remembered, least recently used first."""
        with self._lock:
            return list(self._values)

    def get(self, key: Hashable) -> object | None:
        """The remembered value, which now counts as used last; None where there is none."""
        with self._lock:
            if key not in self._values:
                return None
            self._values.move_to_end(key)
            return self._values[key][0]

    def keep(self, key: Hashable, value: T) -> T:
        """Remember a value, and forget what was used longest ago until the budget holds again."""
        size = bytes_of(value)
        with self._lock:
            self.bytes += size - self._values.pop(key, (None, 0))[1]
            self._values[key] = value, size
            while self.bytes > self._budget() and len(self._values) > 1:
                _, (_, freed) = self._values.popitem(last=False)
                self.bytes -= freed
        return value

    def _budget(self) -> int:
        largest = max(size for _, size in self._values.values())
        return max(self.most_bytes, self.largest * largest)

    def forget(self, name: str) -> None:
        """Forget every value whose key holds a name, however deep in it."""
        with self._lock:
            for key in [key for key in self._values if holds(key, name)]:
                self.bytes -= self._values.pop(key)[1]

    def once(self, key: Hashable, compute: Callable[[], T], lock: AbstractContextManager | None = None) -> T:
        """The remembered value, or the one computed now, by one thread while others who ask for it wait.

        compute: gives anything but None, which is not remembered.
        lock: held while computing; None for a lock of this key alone.
        """
        known = self.get(key)
        if known is None:
            about_to_compute()
            with self._lock:
                own = self._computing.setdefault(key, KeyLock())
            with lock or own.lock:
                known = self.get(key)  # another thread may have computed it meanwhile
                if known is None:
                    known = self.keep(key, compute())
        return cast(T, known)


def holds(key: Hashable, name: str) -> bool:
    return key == name or (isinstance(key, tuple) and any(holds(part, name) for part in key))


def bytes_of(value: object) -> int:
    """Memory a value takes, roughly: its own `bytes` where it says so, else its arrays and tensors."""
    told = getattr(value, "bytes", None)
    if isinstance(told, int):
        return max(told, SMALL)
    if isinstance(value, np.ndarray):
        return SMALL + value.nbytes
    if isinstance(value, Tensor):
        return SMALL + value.untyped_storage().nbytes()
    if isinstance(value, Image.Image):
        return SMALL + value.width * value.height * len(value.getbands())
    if isinstance(value, Mapping):
        return SMALL + sum(map(bytes_of, value.values()))
    if isinstance(value, tuple | list):
        return SMALL + sum(map(bytes_of, value))
    if is_dataclass(value):
        return SMALL + sum(bytes_of(getattr(value, one.name)) for one in fields(value))
    return SMALL
