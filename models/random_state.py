"""One lock for whatever must draw from the random generators that a whole process shares.

PyTorch's initialisers and Captum's noise take no generator of their own. Two threads that seed the shared
ones in turn get each other's numbers, so they are lent to one thread at a time and put back as they were.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock

import numpy as np
import torch

LOCK = RLock()


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """For the length of a `with` block, the shared generators of torch and numpy start from `seed`."""
    with lent():
        start(seed)
        yield


class RandomStream:
    """A stream of random numbers that goes on where it was left, block after block."""

    def __init__(self, seed: int) -> None:
        with lent():
            start(seed)
            self.state = current()

    @contextmanager
    def drawing(self) -> Iterator[None]:
        """For the length of a `with` block, the shared generators are this stream."""
        with lent():
            restore(self.state)
            yield
            self.state = current()


@contextmanager
def lent() -> Iterator[None]:
    """The shared generators, for this thread alone; afterwards they are as they were."""
    with LOCK:
        before = current()
        try:
            yield
        finally:
            restore(before)


def start(seed: int) -> None:
    """Seed the shared generators of torch and numpy."""
    torch.manual_seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - the generator Captum draws from


def current() -> tuple:
    """The state of the shared generators of torch, of each CUDA device in use, and of numpy."""
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    return torch.get_rng_state(), cuda, np.random.get_state()  # noqa: NPY002


def restore(state: tuple) -> None:
    """Put the shared generators into a state that `current` gave."""
    torch.set_rng_state(state[0])
    if state[1]:
        torch.cuda.set_rng_state_all(state[1])
    np.random.set_state(state[2])  # noqa: NPY002
