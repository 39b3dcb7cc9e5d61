"""A survey beside a bare loop of batched forward passes, and the memory it takes for many pictures."""

import io
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

from benchmarks.timing import Row, medians, processor_seconds
from explorer import Explorer
from explorer.survey import survey as going
from explorer.survey import units
from explorer.survey.ahead import Ready, made_ready
from explorer.survey.passes import of_pass
from explorer.survey.question import Question
from explorer.survey.sources import Item
from models import scenes

# A nano takes less time than decoding a picture for it does, a model of the usual size more. With pictures.
MODELS = (("vip_nano", "scenes", 256), ("efficientnet_lite0", "imagenet", 64))
SMALL = "fasternet_nano"
PEAK = """
import sys
from pathlib import Path
from explorer import Explorer
from explorer.survey.passes import of_pass
from explorer.survey.question import Question
from explorer.survey.survey import survey
source, out = sys.argv[1:]
for _ in survey(Explorer("cpu"), Question(source=source, model="{model}", weights="scenes"), Path(out)):
    pass
status = Path("/proc/self/status").read_text()  # ru_maxrss would be that of the parent, where it is larger
print(status.partition("VmHWM:")[2].split()[0])
"""


def survey() -> Iterator[Row]:
    explorer = Explorer("cpu")
    before = torch.get_num_threads()
    torch.set_num_threads(1)  # the other core is the decoder's
    try:
        with tempfile.TemporaryDirectory() as folder:
            for model, weights, count in MODELS:
                asked = Question(source="", model=model, weights=weights)
                yield decoded(explorer, asked, count)
                yield with_decoding(explorer, asked, count, Path(folder))
            yield one_decoded(explorer)
            yield memory(Path(folder))
    finally:
        torch.set_num_threads(before)


def images_for(explorer: Explorer, asked: Question, count: int) -> tuple[nn.Module, torch.Tensor]:
    loaded = explorer.load(asked.model, asked.weights)
    return loaded.model, torch.rand(count, 1, 3, *loaded.preprocess.shape)


def decoded(explorer: Explorer, asked: Question, count: int) -> Row:
    """On tensors that are there: what reading all probes, and making columns of them, takes."""
    model, images = images_for(explorer, asked, count)
    ready = [Ready(index, "", None, image=image) for index, image in enumerate(images)]
    passes = [ready[start : start + units.PASS] for start in range(0, count, units.PASS)]
    loaded = explorer.load(asked.model, asked.weights)
    bare, surveyed = processor_seconds(
        partial(loop, model, images),
        lambda: [of_pass(explorer, asked, loaded, part) for part in passes],
        rounds=10,
    )
    return Row(
        f"{asked.model}: rate of a survey on decoded pictures / a bare loop",
        f"{bare / surveyed:.2f} ({count / surveyed:.0f} a second)",
        "at least 0.9",
    )


def loop(model: nn.Module, images: torch.Tensor) -> None:
    with torch.no_grad():
        for start in range(0, len(images), units.PASS):
            model(torch.cat(list(images[start : start + units.PASS])))


def with_decoding(explorer: Explorer, asked: Question, count: int, folder: Path) -> Row:
    """JPEGs of 512 x 512 decoded by one thread while another computes, beside the same bare loop."""
    source = made(folder / f"large-{asked.model}", photographs(count), ".jpg")
    model, images = images_for(explorer, asked, count)

    def surveyed() -> None:
        with tempfile.TemporaryDirectory() as out:
            list(going.survey(explorer, replace(asked, source=str(source)), Path(out)))

    bare, whole = medians(partial(loop, model, images), surveyed, rounds=3)
    return Row(
        f"{asked.model}: rate of a whole survey of 512 x 512 JPEGs / a bare loop",
        f"{bare / whole:.2f} ({count / whole:.0f} a second)",
        "at least 0.8",
    )


def one_decoded(explorer: Explorer) -> Row:
    """What such a JPEG takes of a core until a model can have it, beside its decoding alone."""
    preprocess = explorer.load(*MODELS[0][:2]).preprocess
    files = photographs(8)
    items = [(0, Item("", None, partial(bytes, file))) for file in files]
    decoding, ready = processor_seconds(
        lambda: [Image.open(io.BytesIO(file)).load() for file in files],
        lambda: [made_ready(item, preprocess) for item in items],
        rounds=20,
    )
    return Row(
        "one 512 x 512 JPEG decoded, named and made small / decoded by Pillow",
        f"{ready / decoding:.2f} ({1000 * decoding / len(files):.1f} ms)",
        "",
    )


def photographs(count: int) -> list[bytes]:
    return [photograph(seed) for seed in range(8)] * (count // 8)


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
