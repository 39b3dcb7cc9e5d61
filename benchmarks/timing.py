"""Medians of calls taken in turns, so that whatever else the machine does hits all of them alike."""

import statistics
import time
from collections.abc import Callable


def medians(*calls: Callable[[], object], rounds: int) -> list[float]:
    """Median seconds of each call over `rounds` turns, after one turn that does not count."""
    times: list[list[float]] = [[] for _ in calls]
    for turn in range(rounds + 1):
        for call, seconds in zip(calls, times, strict=True):
            start = time.perf_counter()
            call()
            if turn:
                seconds.append(time.perf_counter() - start)
    return [statistics.median(seconds) for seconds in times]


def processor_seconds(*calls: Callable[[], object], rounds: int) -> list[float]:
    """The least seconds of the processor of each call; what else the machine does moves these less."""
    times: list[list[float]] = [[] for _ in calls]
    for turn in range(rounds + 1):
        for call, seconds in zip(calls, times, strict=True):
            start = time.process_time()
            call()
            if turn:
                seconds.append(time.process_time() - start)
    return [min(seconds) for seconds in times]


def row(what: str, measured: str, limit: str) -> str:
    return f"{what:<52} {measured:>22}   {limit}"
