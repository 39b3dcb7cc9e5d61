"""The Maps tab in a browser: from a click to everything it changes."""

import statistics

from playwright.sync_api import Page

from benchmarks.page import opened
from benchmarks.timing import Row

# Clicks into the middle of a part of an element, and waits until every watched text is another.
CLICKED = """([selector, across, down, watched]) => new Promise(done => {
  const read = () => watched.map(one => document.querySelector(one)?.textContent);
  const before = read(), element = document.querySelector(selector), box = element.getBoundingClientRect();
  const [clientX, clientY] = [box.left + across * box.width, box.top + down * box.height];
  const began = performance.now();
  element.dispatchEvent(new MouseEvent('click', {bubbles: true, detail: 1, clientX, clientY}));
  const look = () => {
    if (read().every((now, i) => now && now != before[i])) done(performance.now() - began);
    else requestAnimationFrame(look);
  };
  look();
})"""
LAYER = [f"#{view} .note" for view in ("grid", "large", "numbers", "similar-places")]
CLICKS = {  # what is clicked in turn number n, and which texts change
    "place": lambda n: ["#large .cells", (n % 4 + 0.5) / 4, (n // 4 % 4 + 0.5) / 4, ["#similar-places h2"]],
    "channel": lambda n: [f"#grid [data-pick]:nth-child({n + 9})", 0.5, 0.5, ["#large h2", "#depth h2"]],
    "layer": lambda n: [f"#depth .across button:nth-child({n % 5 + 1})", 0.5, 0.5, LAYER],
}


def maps() -> list[Row]:
    """A layer changes all there is on the tab, and may take longer."""
    return [*clicks("vip_nano", "scenes", 100, 300), *clicks("vip_s7", "random", 400, 2_000)]


def clicks(model: str, weights: str, limit: int, of_layers: int) -> list[Row]:
    with opened(f"?tab=maps&picture=2-star&model={model}&weights={weights}") as shown:
        shown.wait_for_selector("#depth .view")
        shown.wait_for_selector("#similar-places .view")
        shown.wait_for_timeout(2_000)
        medians = {what: median(shown, what) for what in CLICKS}
    return [
        Row(
            f"a click on a {what} of the maps, {model}",
            f"{found:.0f} ms",
            f"at most {of_layers if what == 'layer' else limit} ms",
        )
        for what, found in medians.items()
    ]


def median(shown: Page, what: str, rounds: int = 15) -> float:
    """Median milliseconds; the first click does not count."""
    times = []
    for turn in range(rounds + 1):
        times.append(shown.evaluate(CLICKED, CLICKS[what](turn)))
        shown.wait_for_timeout(200)
    return statistics.median(times[1:])
