"""The page in a browser: from the start of the process, and from an upload to a complete Overview."""

import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from benchmarks.timing import Row
from models.scenes import draw

UPLOADED = (("vip_nano", 0.6), ("efficientnet_lite0", 0.9), ("vip_s7", 1.5))  # and the seconds to reach
DONE = "#overview .why .heat"
SLID = """share => new Promise(done => {
  const slider = document.querySelectorAll('#sliders input[type=range]')[1];
  const told = () => document.querySelector('#what-if').textContent;  // its shares are never alike
  const began = performance.now(), was = told();
  slider.value = share;
  slider.dispatchEvent(new Event('input', {bubbles: true}));
  const look = () => {
    if (told() != was) done(performance.now() - began); else requestAnimationFrame(look);
  };
  look();
})"""
AGAIN = """name => new Promise(done => {
  const heat = () => document.querySelector('#overview .why .heat')?.src, was = heat();
  const began = performance.now();
  document.querySelector(`#examples button[aria-label=${name}]`).click();
  const look = () => {
    const now = heat(), whole = !document.querySelector('#overview .why .advance');
    if (now && now != was && whole) done(performance.now() - began); else requestAnimationFrame(look);
  };
  look();
})"""
FINISHED = """was => {
  const heat = document.querySelector('#overview .why .heat');
  return heat && heat.src != was && !document.querySelector('#overview .why .advance');
}"""


def page() -> Iterator[Row]:
    yield start()
    yield from (overview(name, limit) for name, limit in UPLOADED)
    yield from (slider(name, limit) for name, limit in (("vip_nano", 100), ("vip_s7", 400)))
    yield remembered()


@contextmanager
def app() -> Iterator[tuple[str, float, int]]:
    """The running app: its address, the seconds until it answered, and the number of its process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "app.py"],
        env={**os.environ, "GRADIO_SERVER_PORT": str(port), "GRADIO_SERVER_NAME": "127.0.0.1"},
        stdout=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}/"
    try:
        while True:
            try:
                urllib.request.urlopen(url, timeout=20)
                break
            except OSError:
                time.sleep(0.02)
        yield url, time.perf_counter() - began, process.pid
    finally:
        process.terminate()
        process.wait()


def megabytes(process: int) -> float:
    """Resident memory."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1e3


def launched(play: Playwright) -> Browser:
    """The browser all benchmarks of the page are taken in."""
    path = shutil.which("chromium-headless-shell") or "/usr/bin/chromium"
    return play.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])


@contextmanager
def opened(query: str) -> Iterator[Page]:
    """A page of a running app."""
    with app() as (url, _, _), sync_playwright() as play:
        browser = launched(play)
        shown = browser.new_page()
        shown.goto(f"{url}{query}")
        yield shown
        browser.close()


def start() -> Row:
    imports, answers = [], []
    for _ in range(4):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", "import gradio, torch"], check=True)
        imports.append(time.perf_counter() - began)
        with app() as (_, seconds, _):
            answers.append(seconds)
    alone, answered = statistics.median(imports[1:]), statistics.median(answers[1:])
    return Row(
        "app.py answers / import gradio, torch", f"{answered / alone:.2f} ({answered:.1f} s)", "at most 1.15"
    )


def overview(model: str, limit: float) -> Row:
    with (
        opened(f"?model={model}&weights={weights_of(model)}") as shown,
        tempfile.TemporaryDirectory() as folder,
    ):
        shown.wait_for_selector(DONE)
        seconds = [uploaded(shown, Path(folder) / f"{seed}.jpg", seed) for seed in range(8)]
    median = statistics.median(seconds[1:])
    return Row(f"12 megapixels to complete Overview, {model}", f"{median:.2f} s", f"at most {limit} s")


def weights_of(model: str) -> str:
    """A name of weights that are here without a download."""
    bundled = {"efficientnet_lite0": "imagenet"}
    return bundled.get(model, "scenes" if model.endswith("nano") else "random")


def uploaded(shown: Page, path: Path, seed: int) -> float:
    """Seconds from a new picture to its finished attribution on the screen."""
    Image.fromarray(draw(seed, 640).picture).resize((4000, 3000)).save(path, quality=90)
    shown.locator("[aria-label='Remove Image']").click()
    before = shown.locator(".why .heat").get_attribute("src")
    began = time.perf_counter()
    shown.locator("#picture input[type=file]").set_input_files(str(path))
    shown.wait_for_function(FINISHED, arg=before, polling=20)
    return time.perf_counter() - began


def slider(model: str, limit: int) -> Row:
    """From a slider's move to the new probabilities on the page."""
    with opened(
        f"?tab=reweighting&lens=what_if&picture=2-star&model={model}&weights={weights_of(model)}"
    ) as shown:
        shown.wait_for_selector("#what-if .shift")
        shown.wait_for_timeout(1_000)
        times = []
        for turn in range(21):
            times.append(shown.evaluate(SLID, 10 + 4 * turn))
            shown.wait_for_timeout(400)
    return Row(
        f"a slider moved to new probabilities, {model}",
        f"{statistics.median(times[1:]):.0f} ms",
        f"at most {limit} ms",
    )


def remembered() -> Row:
    """From the press on an example that was looked at before to its whole Overview, by turns of two."""
    with opened("?picture=2-star&weights=scenes") as shown:
        shown.wait_for_selector(DONE)
        times = []
        for turn in range(16):
            shown.wait_for_timeout(1_500 if turn < 2 else 400)
            times.append(shown.evaluate(AGAIN, ("ring", "star")[turn % 2]))
    return Row(
        "an Overview looked at before, shown again", f"{statistics.median(times[2:]):.0f} ms", "at most 60 ms"
    )
