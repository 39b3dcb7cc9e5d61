"""What a running page takes of a core while nobody is there, and what a question it remembers takes."""

import os
import statistics
import time

from gradio_client import Client, handle_file

from benchmarks.page import app
from benchmarks.timing import Row
from models.registry import ASSETS

SETTLE, WATCH = 15.0, 30.0  # seconds


def idle() -> list[Row]:
    with app() as (url, _, process):
        client = Client(url, verbose=False)
        asked = handle_file(str(ASSETS / "examples" / "2-star.png")), "vip_nano", "scenes"
        times = []
        for _ in range(20):
            began = time.perf_counter()
            client.predict(*asked, api_name="/predict")
            times.append(time.perf_counter() - began)
        time.sleep(SETTLE)
        before = seconds_of(process)
        time.sleep(WATCH)
        share = (seconds_of(process) - before) / WATCH
    answered = statistics.median(times[1:])
    return [
        Row("an idle server, of one core", f"{share:.1%}", "at most 2 %"),
        Row("a remembered /predict, there and back", f"{1000 * answered:.0f} ms", ""),
    ]


def seconds_of(process: int) -> float:
    """Processor time a process has taken so far."""
    with open(f"/proc/{process}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
