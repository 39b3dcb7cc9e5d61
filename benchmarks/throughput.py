"""How many new questions of all kinds the running app answers in a second: to eight clients, and to one."""

import statistics
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from gradio_client import Client

from benchmarks.load import question
from benchmarks.page import app
from benchmarks.timing import Row

CLIENTS, QUESTIONS, ROUNDS = 8, 64, 3


def throughput() -> Iterator[Row]:
    """Both in turn, the same kinds of questions about other pictures; the first turn does not count."""
    with app() as (url, _, _), tempfile.TemporaryDirectory() as folder:
        clients = [Client(url, verbose=False) for _ in range(CLIENTS)]
        alone, together = [], []
        for turn in range(ROUNDS + 1):
            for group, times in ((clients[:1], alone), (clients, together)):
                first = (2 * turn + (group is clients)) * QUESTIONS
                times.append(seconds(group, Path(folder), first))
    one, many = (statistics.median(times[1:]) for times in (alone, together))
    yield Row(
        f"answers a second, {CLIENTS} clients / one",
        f"{one / many:.2f} ({QUESTIONS / one:.1f} a second)",
        "at least 0.95",
    )


def seconds(clients: list[Client], folder: Path, first: int) -> float:
    """What `QUESTIONS` questions take, dealt out to the clients."""

    def ask(number: int) -> None:
        for turn in range(number, QUESTIONS, len(clients)):
            path = folder / f"{first + turn}.png"
            endpoint, _, given = question(turn, first + turn, path)
            clients[number].predict(*given, api_name=f"/{endpoint}")
            path.unlink()

    began = time.perf_counter()
    with ThreadPoolExecutor(len(clients)) as threads:
        list(threads.map(ask, range(len(clients))))
    return time.perf_counter() - began
