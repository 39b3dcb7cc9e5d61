"""The Mixing tab: what a click on a place costs, from the question to the page."""

import statistics
import time

import torch

from benchmarks.timing import Row
from explorer.engine.device import choose_threads
from explorer.explorer import Explorer
from explorer.ui.events import MIDDLE, Place
from explorer.ui.selection import Selection
from explorer.ui.tabs.mixing.field import draw
from explorer.ui.tabs.mixing.place import ALL, FEELS, MOVES
from models.registry import ASSETS

PICTURE = str(ASSETS / "examples" / "2-star.png")
CASES = (("vip_nano", "scenes", 0.3, 8), ("vip_s7", "random", 2.0, 5))
# On a grid of eight no two are the same place, nor is one the middle.
PLACES = [Place.of_cell(row, 5 * row % 8, 8, 8) for row in range(8)]


def mixing() -> list[Row]:
    torch.set_num_threads(choose_threads())
    return [click(*case, direction) for case in CASES for direction in (MOVES, FEELS)]


def click(model: str, weights: str, limit: float, clicks: int, direction: str) -> Row:
    """The median over places of the last layer, the dearest; nothing of them is remembered."""
    explorer, selection = Explorer(), Selection(PICTURE, model, weights, "", None)
    layer = explorer.depth(model, weights)[-1]
    asks = {"direction": direction, "layer": layer, "channel": ALL}
    draw(explorer, selection, place=MIDDLE, **asks)
    times = []
    for place in PLACES[:clicks]:
        start = time.perf_counter()
        draw(explorer, selection, place=place, **asks)
        times.append(time.perf_counter() - start)
    what = "a place and its field" if direction == MOVES else "a pixel and who feels it"
    return Row(
        f"{what}, {model}, drawn",
        f"{1000 * statistics.median(times):.0f} ms",
        f"at most {1000 * limit:.0f} ms",
    )
