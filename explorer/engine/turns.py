"""A lock that takes turns: it goes to whoever has waited longest.

`threading.Lock` goes to anybody, and mostly to the thread that has just given it back. Work in many parts,
which takes the lock again for each, would let nobody in between.
"""

from collections import deque
from threading import Lock


class Turns:
    """Held by one thread at a time in a `with` block; those who wait get it in the order they came."""

    def __init__(self) -> None:
        self._changing = Lock()
        self._taken = False
        self._waiting: deque[Lock] = deque()

    def __enter__(self) -> None:
        with self._changing:
            if not self._taken:
                self._taken = True
                return
            mine = Lock()
            mine.acquire()
            self._waiting.append(mine)
        mine.acquire()  # given back by whoever has it now

    def __exit__(self, *_: object) -> None:
        with self._changing:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._taken = False

    def locked(self) -> bool:
        """Whether somebody has it."""
        return self._taken
