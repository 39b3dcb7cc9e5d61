"""Random numbers of one's own, although Captum draws from generators that everybody shares."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

import numpy as np
import torch


class Dice:
    """A stream of random numbers of one's own.

    Captum draws from the process-wide generators of torch and numpy; they are borrowed for one call at a
    time, so that what one visitor draws does not depend on another.
    """

    borrowed = Lock()

    def __init__(self, seed: int) -> None:
        with self.turn_taken():
            torch.manual_seed(seed)
            np.random.seed(seed)  # noqa: NPY002 - the generator Captum uses
            self.state = self.now()

    @contextmanager
    def __call__(self) -> Iterator[None]:
        with self.turn_taken():
            self.set(self.state)
            yield
            self.state = self.now()

    @contextmanager
    def turn_taken(self) -> Iterator[None]:
        with self.borrowed:
            before = self.now()
            try:
                yield
            finally:
                self.set(before)

    @staticmethod
    def now() -> tuple:
        cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
        return torch.get_rng_state(), cuda, np.random.get_state()  # noqa: NPY002

    @staticmethod
    def set(state: tuple) -> None:
        torch.set_rng_state(state[0])
        if state[1]:
            torch.cuda.set_rng_state_all(state[1])
        np.random.set_state(state[2])  # noqa: NPY002
