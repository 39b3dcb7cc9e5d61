"""Medians of calls taken in turns, so that whatever else the machine does hits all of them alike."""

import statistics
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple


def medians(*calls: Callable[[], object], rounds: int) -> list[float]:
    """Median seconds of each call over `rounds` turns, after one turn that does not count."""
    return [statistics.median(seconds) for seconds in in_turns(calls, rounds, time.perf_counter)]


def processor_seconds(*calls: Callable[[], object], rounds: int) -> list[float]:
    """The least seconds of the processor of each call; what else the machine does moves these less."""
    return [min(seconds) for seconds in in_turns(calls, rounds, time.process_time)]


def in_turns(
    calls: Sequence[Callable[[], object]], rounds: int, clock: Callable[[], float]
) -> list[list[float]]:
    """Seconds of each call in each turn, after one turn that does not count."""
    times: list[list[float]] = [[] for _ in calls]
    for turn in range(rounds + 1):
        for call, seconds in zip(calls, times, strict=True):
            start = clock()
            call()
            if turn:
                seconds.append(clock() - start)
    return times


class Row(NamedTuple):
    """One line of the table."""

    what: str
    measured: str
    limit: str

    def __str__(self) -> str:
        return f"{self.what:<52} {self.measured:>22}   {self.limit}"


def ratio(ours: float, theirs: float) -> str:
    """Of seconds, and what the other takes."""
    taken = f"{1000 * theirs:.0f} ms" if theirs < 1 else f"{theirs:.1f} s"
    return f"{ours / theirs:.2f} ({taken})"
