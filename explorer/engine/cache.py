"""A bounded memory: whatever was used last, up to a number of bytes."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")


class Remembered(Generic[T]):
    """The values used last, up to a number of bytes; the newest is always kept."""

    def __init__(self, most_bytes: int, size: Callable[[T], int]) -> None:
        self.most_bytes = most_bytes
        self.size = size
        self.lock = Lock()
        self.values: OrderedDict[Hashable, T] = OrderedDict()

    def get(self, key: Hashable) -> T | None:
        with self.lock:
            if key in self.values:
                self.values.move_to_end(key)
            return self.values.get(key)

    def keep(self, key: Hashable, value: T) -> T:
        with self.lock:
            self.values[key] = value
            self.values.move_to_end(key)
            while len(self.values) > 1 and sum(map(self.size, self.values.values())) > self.most_bytes:
                self.values.popitem(last=False)
        return value
