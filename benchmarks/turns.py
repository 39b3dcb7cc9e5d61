"""What one visitor waits for another: a quick question while long work about the same model goes on."""

import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import Image

from benchmarks.timing import Row
from explorer.attribution.options import Options
from explorer.explorer import Explorer
from models.scenes import draw

MODELS = (
    *("vip_nano", "mixer_nano", "s2mlp_nano", "s2mlpv2_nano", "as_mlp_nano", "mobilevit_nano"),
    *("fasternet_nano", "efficientnet_lite_nano", "vip_s7", "mixer_b16", "mobilevit_s", "fasternet_s"),
)
QUESTIONS = 6
MUCH = Options(orders=40)


def turns() -> Iterator[Row]:
    for model in MODELS:
        explorer = Explorer("cpu")
        weights = "scenes" if model.endswith("_nano") else "random"
        alone = [seconds(explorer, model, weights, seed) for seed in range(QUESTIONS + 1)][1:]
        with worked_on(explorer, model, weights):
            beside = [seconds(explorer, model, weights, 100 + seed) for seed in range(QUESTIONS)]
        told = f"{1000 * statistics.median(alone):.0f}, {1000 * statistics.median(beside):.0f} ms"
        waited = max(beside) - statistics.median(alone)
        yield Row(
            f"a quick question, {model}, alone and beside long work", told, f"{waited:.2f} s, at most 0.5 s"
        )


def seconds(explorer: Explorer, model: str, weights: str, seed: int) -> float:
    """What the prediction of a new picture takes."""
    picture = Image.fromarray(draw(seed, 96).picture)
    began = time.perf_counter()
    explorer.predict(model, picture, weights)
    return time.perf_counter() - began


@contextmanager
def worked_on(explorer: Explorer, model: str, weights: str) -> Iterator[None]:
    """Meanwhile Shapley values of the same model are sampled for somebody else."""
    over, begun = threading.Event(), threading.Event()

    def work() -> None:
        picture = Image.fromarray(draw(7, 96).picture)
        asked = {"method": "shapley_sampling", "options": MUCH}
        for _ in explorer.attribute(model, picture, weights, **asked):
            begun.set()
            if over.is_set():
                return

    thread = threading.Thread(target=work)
    thread.start()
    begun.wait()
    try:
        yield
    finally:
        over.set()
        thread.join()
