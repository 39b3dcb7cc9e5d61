"""A survey beside a bare loop of batched forward passes, and the memory it takes for many pictures."""

import io
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

from benchmarks.timing import Row, medians, processor_seconds
from explorer import Explorer
from explorer.survey import survey as going
from explorer.survey.ahead import Ready
from explorer.survey.question import Question
from models import scenes

MODEL, SMALL = "vip_nano", "fasternet_nano"
COUNT = 256  # pictures
PEAK = """
import resource, sys
from pathlib import Path
from explorer import Explorer
from explorer.survey.question import Question
from explorer.survey.survey import survey
source, out = sys.argv[1:]
for _ in survey(Explorer("cpu"), Question(source=source, model="{model}", weights="scenes"), Path(out)):
    pass
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def survey() -> list[Row]:
    explorer = Explorer("cpu")
    with tempfile.TemporaryDirectory() as folder:
        return [decoded(explorer), with_decoding(explorer, Path(folder)), memory(Path(folder))]


def decoded(explorer: Explorer) -> Row:
    """On tensors that are there: what reading all probes, and making columns of them, takes."""
    loaded = explorer.load(MODEL, "scenes")
    images = torch.rand(COUNT, 1, 3, *loaded.preprocess.shape)
    ready = [Ready(index, "", None, image=image) for index, image in enumerate(images)]
    asked = Question(source="", model=MODEL, weights="scenes")
    passes = [ready[start : start + going.PASS] for start in range(0, COUNT, going.PASS)]
    bare, surveyed = processor_seconds(
        partial(loop, loaded.model, images),
        lambda: [going.of_pass(explorer, asked, loaded, part) for part in passes],
        rounds=5,
    )
    return Row(
        f"{MODEL}: rate of a survey on decoded pictures / a bare loop",
        f"{bare / surveyed:.2f} ({COUNT / surveyed:.0f} a second)",
        "at least 0.9",
    )


def loop(model: nn.Module, images: torch.Tensor) -> None:
    with torch.no_grad():
        for start in range(0, len(images), going.PASS):
            model(torch.cat(list(images[start : start + going.PASS])))


def with_decoding(explorer: Explorer, folder: Path) -> Row:
    """JPEGs of 512 x 512 decoded by one thread while another computes, beside the same bare loop."""
    source = made(folder / "large", [photograph(seed) for seed in range(8)] * (COUNT // 8), ".jpg")
    loaded = explorer.load(MODEL, "scenes")
    images = torch.rand(COUNT, 1, 3, *loaded.preprocess.shape)
    asked = Question(source=str(source), model=MODEL, weights="scenes")

    def surveyed() -> None:
        with tempfile.TemporaryDirectory() as out:
            list(going.survey(explorer, asked, Path(out)))

    bare, whole = medians(partial(loop, loaded.model, images), surveyed, rounds=3)
    return Row(
        f"{MODEL}: rate of a whole survey of 512 x 512 JPEGs / a bare loop",
        f"{bare / whole:.2f} ({COUNT / whole:.0f} a second)",
        "at least 0.8",
    )


def photograph(seed: int) -> bytes:
    """A scene with noise, so that its file is as long as that of a photograph."""
    pixels = scenes.draw(seed, 512).picture.astype(float) + np.random.default_rng(seed).normal(
        0, 12, (512, 512, 3)
    )
    file = io.BytesIO()
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(file, "JPEG", quality=90)
    return file.getvalue()


def made(folder: Path, files: Sequence[bytes], suffix: str) -> Path:
    folder.mkdir()
    for number, file in enumerate(files):
        (folder / f"{number:05}{suffix}").write_bytes(file)
    return folder


def memory(folder: Path) -> Row:
    """The most a process of its own holds for 1,000 pictures of 16 x 16 pixels, and for 10,000."""
    file = io.BytesIO()
    Image.new("RGB", (16, 16), (200, 40, 90)).save(file, "PNG")
    peaks, seconds = [], 0.0
    for count in (1_000, 10_000):
        source = made(folder / str(count), [file.getvalue()] * count, ".png")
        start = time.perf_counter()
        words = [sys.executable, "-c", PEAK.format(model=SMALL), str(source), str(folder / f"out-{count}")]
        peaks.append(int(subprocess.run(words, check=True, capture_output=True, text=True).stdout))
        seconds = time.perf_counter() - start
    return Row(
        f"{SMALL}: memory of 10,000 pictures / of 1,000",
        f"{peaks[1] / peaks[0]:.2f} ({peaks[1] / 1024:.0f} MB, {seconds:.0f} s)",
        "at most 1.05",
    )
