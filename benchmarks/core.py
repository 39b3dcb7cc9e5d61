"""The library alone: what listening costs, what drawing costs, what cutting a method into parts costs."""

import numpy as np
import torch
from captum.attr import IntegratedGradients

from benchmarks.timing import Row, medians, ratio
from explorer.attribution.baselines import baseline_of
from explorer.attribution.options import Options
from explorer.attribution.running import attributions
from explorer.capture import run
from explorer.engine.device import choose_threads, keep_freed_memory
from explorer.engine.twins import quickly_laid_out
from explorer.figures.raster import data_uri, sprite
from models import card, create


def core() -> list[Row]:
    torch.set_num_threads(choose_threads())
    keep_freed_memory()
    captures = [capture(name, limit) for name, limit in CAPTURED]
    return [*captures, grid(), *(integrated_gradients(name, rounds) for name, rounds in RUNS)]


RUNS = (("vip_nano", 5), ("vip_s7", 1))
CAPTURED = (
    *((name, 1.05) for name in ("vip_s7", "fasternet_t0")),
    *((name, 1.10) for name in ("vip_nano", "mixer_nano", "mobilevit_nano", "fasternet_nano")),
)


def capture(name: str, limit: float) -> Row:
    model = quickly_laid_out(create(name).requires_grad_(False))
    image = torch.rand(1, 3, *card(name).preprocess.shape)

    def plain() -> None:
        with torch.no_grad():
            model(image)

    alone, listening = medians(plain, lambda: run(model, image), rounds=60 if name.endswith("_nano") else 15)
    what = f"capture of all probes of {name} / plain forward"
    return Row(what, ratio(listening, alone), f"at most {limit:.2f}")


def grid() -> Row:
    """From 64 maps to what the page receives."""
    maps = np.random.default_rng(0).standard_normal((64, 56, 56)).astype(np.float32)
    (seconds,) = medians(lambda: data_uri(sprite(maps, signed=True, shared=False)), rounds=15)
    return Row("a grid of 64 channels of 56 x 56, drawn", f"{1000 * seconds:.0f} ms", "at most 150 ms")


def integrated_gradients(name: str, rounds: int) -> Row:
    model, preprocess = create(name).requires_grad_(False), card(name).preprocess
    image = torch.rand(1, 3, preprocess.size, preprocess.size)
    baseline = baseline_of(image, preprocess, "black")
    engine = IntegratedGradients(model)

    def plain() -> None:
        engine.attribute(image, baseline, target=0, n_steps=50)

    def ours() -> None:
        for _ in attributions(
            model, image, preprocess, method="integrated_gradients", target=0, options=Options(steps=50)
        ):
            pass

    once, parts = medians(plain, ours, rounds=rounds)
    return Row(
        f"IG-50 of {name} in parts / one plain Captum call",
        f"{parts / once:.2f} ({once:.1f} s)",
        "at most 1.05",
    )
