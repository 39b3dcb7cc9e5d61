"""What the running app holds: after its start, and after few and many questions of all kinds, each new."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from gradio_client import Client

from benchmarks.load import question
from benchmarks.page import app, megabytes
from benchmarks.timing import Row

FEW, MANY = 50, 500


def memory() -> Iterator[Row]:
    with app() as (url, _, process), tempfile.TemporaryDirectory() as folder:
        client = Client(url, verbose=False)
        yield Row("memory after the start", f"{megabytes(process):.0f} MB", "at most 600 MB")
        held = []
        for number in range(MANY):
            ask(client, Path(folder), number)
            if number + 1 in (FEW, MANY):
                held.append(megabytes(process))
    yield Row(
        f"memory after {MANY} questions / after {FEW}",
        f"{held[1] / held[0]:.2f} ({held[0]:.0f} MB)",
        "at most 1.10",
    )


def ask(client: Client, folder: Path, number: int) -> None:
    """One question; kinds and models take turns."""
    path = folder / f"{number}.png"
    endpoint, _, given = question(number, number, path)
    client.predict(*given, api_name=f"/{endpoint}")
    path.unlink()
