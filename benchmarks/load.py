"""Sixteen clients and two browsers for minutes: `python -m benchmarks.load 10`.

Every question is new. Asked for are right answers, no error but a full queue, alike times for everybody,
memory that does not grow, and a Stop that stops.
"""

import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from gradio_client import Client, handle_file
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from benchmarks.fairness import by_chance, medians_of
from benchmarks.page import app, launched, megabytes
from benchmarks.timing import Row
from explorer import Explorer
from explorer.ui.endpoints import OFFERED
from models.scenes import draw

CLIENTS, BROWSERS, CHECKED = 16, 2, 60
MODELS = ("vip_nano", "s2mlpv2_nano", "vip_nano", "as_mlp_nano")  # all with branches to change and knock out
SHARES = {"vip_nano": [1, 0, 1], "s2mlpv2_nano": [1, 0, 1], "as_mlp_nano": [1, 0]}
WITH_WEIGHTS = ("vip_nano", "s2mlpv2_nano")
OF_WEIGHTS = ("branch_weights", "knock_out")
CATALOGUE = "models"  # asked of no picture
ASKED: dict[str, Callable] = {  # what is asked beside picture, model and weights
    CATALOGUE: lambda _model, _turn: (),
    "predict": lambda _model, _turn: (),
    "branch_weights": lambda _model, _turn: (),
    "what_if": lambda model, _turn: ("all", SHARES[model]),
    "attribute": lambda _model, turn: (("grad_cam", "integrated_gradients", "occlusion")[turn % 3], None),
    "knock_out": lambda _model, _turn: (None,),
    "code_walk": lambda _model, _turn: ("",),
    "score_card": lambda _model, _turn: ("saliency", None),
}
COUNT, STOP, RUN = "#attribution .count", "#stop:enabled", "#run"
STILL = 1.5  # seconds without another count


@dataclass
class Answers:
    """What came back."""

    times: dict[int, list[tuple[str, float]]] = field(default_factory=dict)  # endpoint, seconds, by client
    kept: list[tuple] = field(default_factory=list)  # endpoint, what was asked, and the answer
    full: int = 0
    errors: list[str] = field(default_factory=list)
    stops: list[float] = field(default_factory=list)  # seconds
    memory: list[tuple[float, float]] = field(default_factory=list)  # when, and megabytes


def load(minutes: float = 10.0) -> Iterator[Row]:
    found = Answers()
    with tempfile.TemporaryDirectory() as folder, app() as (url, _, process):
        end = time.monotonic() + 60 * minutes
        work = [lambda n=n: ask(found, url, Path(folder), n, end) for n in range(CLIENTS)]
        work += [lambda: press(found, url, end) for _ in range(BROWSERS)]
        with ThreadPoolExecutor(len(work) + 1) as threads:
            running = [threads.submit(one) for one in work]
            threads.submit(weigh, found, process, end)
        for one in running:
            if one.exception():
                found.errors.append(repr(one.exception()))
        yield from told(found, minutes)
        yield Row("answers unlike those to a lone client", differing(found.kept), "none")


def question(turn: int, seed: int, path: Path) -> tuple[str, tuple, tuple]:
    """Each kind in turn, then the next model: an endpoint, what it is asked, and the same with a new picture.

    path: where the picture is written.
    """
    names = list(ASKED)
    endpoint, model = names[turn % len(names)], MODELS[(turn // len(names)) % len(MODELS)]
    if endpoint in OF_WEIGHTS and model not in WITH_WEIGHTS:
        model = WITH_WEIGHTS[0]
    Image.fromarray(draw(seed, 96).picture).save(path)
    asked = model, "scenes", *ASKED[endpoint](model, turn)
    return endpoint, asked, () if endpoint == CATALOGUE else (handle_file(str(path)), *asked)


def ask(found: Answers, url: str, folder: Path, number: int, end: float) -> None:
    """One client's questions, one after the other, each kind in turn."""
    client, times, turn = Client(url, verbose=False), found.times.setdefault(number, []), 0
    while time.monotonic() < end:
        seed = 100_000 * number + turn
        path = folder / f"{seed}.png"
        endpoint, asked, given = question(turn, seed, path)
        began = time.monotonic()
        try:
            answer = client.predict(*given, api_name=f"/{endpoint}")
            times.append((endpoint, time.monotonic() - began))
            found.kept.append((endpoint, seed, asked, answer))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is reported
            if "Queue is full" in str(error):
                found.full += 1
            else:
                found.errors.append(f"{endpoint}: {error}"[:200])
        path.unlink()
        turn += 1


def press(found: Answers, url: str, end: float) -> None:
    """A browser in which somebody runs long work and stops it, again and again."""
    with sync_playwright() as play:
        browser = launched(play)
        page = browser.new_page()
        page.set_default_timeout(1_000 * max(60.0, end - time.monotonic()))
        page.goto(f"{url}?tab=attribution&method=shapley_sampling&orders=40&segments=144")
        page.get_by_text("Press Run").wait_for()
        while time.monotonic() < end - 5:
            page.locator(RUN).click()
            page.wait_for_timeout(random.uniform(200, 1_000))
            found.stops.append(stopped(page))
        browser.close()


def stopped(page: Page) -> float:
    """Seconds from a press of Stop to the last count that still came."""
    began = last = time.monotonic()
    page.locator(STOP).click()
    seen = ""
    while time.monotonic() - last < STILL:
        now = page.locator(COUNT).all_inner_texts()
        if now and now[0] != seen:
            seen, last = now[0], time.monotonic()
        page.wait_for_timeout(50)
    return last - began


def weigh(found: Answers, process: int, end: float) -> None:
    """Memory of the server, once a second."""
    began = time.monotonic()
    while time.monotonic() < end:
        found.memory.append((time.monotonic() - began, megabytes(process)))
        time.sleep(1)


def told(found: Answers, minutes: float) -> Iterator[Row]:
    medians = medians_of(found.times)
    count = sum(map(len, found.times.values()))
    yield Row(f"{CLIENTS} clients, {minutes:g} minutes, answers", f"{count} ({found.full} full queues)", "")
    yield Row("errors but a full queue", f"{len(found.errors)} {found.errors[:3] or ''}", "none")
    if medians:
        ratio = f"{max(medians) / min(medians):.2f}"
        yield Row("slowest client's median / the fastest's", ratio, "at most 1.5")
        yield Row("the same, if chance had dealt the answers out", by_chance(found.times), "")
    for endpoint in ASKED:
        waited = sorted(
            seconds for times in found.times.values() for one, seconds in times if one == endpoint
        )
        if waited:
            told = f"{statistics.median(waited):.1f} s, slowest {waited[-1]:.1f} s"
            yield Row(f"/{endpoint}, median of {len(waited)}", told, "")
    first = [megabytes for when, megabytes in found.memory if when < min(60.0, 30 * minutes)]
    grown = statistics.median(one for _, one in found.memory[-5:]) / first[-1]
    yield Row(
        "memory at the end / after the first minute", f"{grown:.2f} ({first[-1]:.0f} MB)", "at most 1.15"
    )
    stops = f"{max(found.stops, default=0):.1f} s of {len(found.stops)}"
    yield Row("the slowest Stop in two browsers", stops, "at most 2 s")


def differing(kept: list[tuple]) -> str:
    """How many of a sample of answers differ from those computed alone, through the library."""
    explorer, wrong = Explorer("cpu"), []
    for endpoint, seed, asked, answer in random.Random(0).sample(kept, min(CHECKED, len(kept))):
        given = () if endpoint == CATALOGUE else (Image.fromarray(draw(seed, 96).picture), *asked)
        alone = OFFERED[endpoint][0](explorer, *given)
        if untimed(answer) != untimed(json.loads(json.dumps(alone))):
            wrong.append(f"{endpoint} {seed} {asked}")
    return f"{len(wrong)} of {min(CHECKED, len(kept))} {wrong[:3] or ''}"


def untimed(answer: dict | list) -> dict | list:
    """The answer but for the seconds it took."""
    return {**answer, "seconds": 0} if isinstance(answer, dict) else answer


if __name__ == "__main__":
    for line in load(float(sys.argv[1]) if len(sys.argv) > 1 else 10.0):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
