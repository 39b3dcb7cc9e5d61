"""What a large picture costs once it is known: a remembered answer, and a slider on it beside a small one."""

import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from benchmarks.page import SLID, app, launched
from benchmarks.timing import Row
from explorer import Explorer

MEGAPIXELS_12 = (4000, 3000)
ROUNDS = 30


def inputs() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        large, small = Path(folder) / "large.jpg", Path(folder) / "small.png"
        photograph(MEGAPIXELS_12).save(large, quality=92)
        photograph((64, 64)).save(small)
        time.sleep(2.5)  # a file changed just now is read again, see `explorer.engine.picture_store`
        return [remembered(large), slider(large, small)]


def photograph(size: tuple[int, int]) -> Image.Image:
    """Smooth colours with some noise, as a camera's file has."""
    random = np.random.default_rng(0)
    coarse = Image.fromarray(random.integers(0, 255, (12, 16, 3), dtype=np.uint8))
    values = np.asarray(coarse.resize(size, Image.Resampling.BICUBIC)).astype(np.int16)
    noise = random.integers(-6, 6, values.shape, dtype=np.int16)
    return Image.fromarray(np.clip(values + noise, 0, 255).astype(np.uint8))


def remembered(path: Path) -> Row:
    """The same question about the same file, as the page asks it."""
    explorer = Explorer(device="cpu")
    began = time.perf_counter()
    explorer.inspect("vip_nano", path, "scenes")
    first = time.perf_counter() - began
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        explorer.inspect("vip_nano", path, "scenes")
        times.append(time.perf_counter() - began)
    megabytes = path.stat().st_size / 1e6
    return Row(
        f"a remembered inspect of 12 megapixels, {megabytes:.0f} MB",
        f"{1000 * statistics.median(times):.2f} ms (first {first:.2f} s)",
        "at most 3 ms",
    )


def slider(large: Path, small: Path) -> Row:
    """From a slider's move to the new probabilities, on two pages whose turns alternate."""
    with app() as (url, _, _), sync_playwright() as play:
        browser = launched(play)
        pages = [looking_at(browser.new_page(), url, path) for path in (large, small)]
        times: list[list[float]] = [[], []]
        for step in range(ROUNDS):
            for index, page in enumerate(pages):
                times[index].append(page.evaluate(SLID, 5 + 3 * step))
                page.wait_for_timeout(300)
        browser.close()
    of_large, of_small = (statistics.median(one[2:]) for one in times)
    return Row(
        "a slider on 12 megapixels / on 64 x 64",
        f"{of_large / of_small:.2f} ({of_large:.0f} ms)",
        "at most 1.15",
    )


def looking_at(page: Page, url: str, path: Path) -> Page:
    """The page with an upload, its What-if lens open."""
    page.goto(f"{url}?tab=reweighting&lens=what_if&model=vip_nano&weights=scenes")
    page.wait_for_selector("#what-if .shift")
    before = page.locator("#what-if .shift").text_content()
    page.locator("[aria-label='Remove Image']").click()
    page.locator("#picture input[type=file]").set_input_files(str(path))
    page.wait_for_function(
        "before => { const now = document.querySelector('#what-if .shift'); "
        "return now && now.textContent !== before; }",
        arg=before,
    )
    page.wait_for_timeout(1_000)
    return page
