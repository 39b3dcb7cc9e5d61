"""The worst pictures a stranger may upload: what decoding each takes, in a process of its own."""

import io
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.timing import Row

MEASURED = """
import json, sys, time
from explorer.pictures import open_picture


def most():
    return int(open("/proc/self/status").read().partition("VmHWM:")[2].split()[0])


data = open(sys.argv[1], "rb").read()
open_picture(open(sys.argv[2], "rb").read())
open("/proc/self/clear_refs", "w").write("5")  # the most from now on
before = most()
began, said = time.thread_time(), ""
try:
    open_picture(data)
except ValueError as error:
    said = str(error)
print(json.dumps([time.thread_time() - began, (most() - before) / 1e3, said]))
"""
UPLOAD = 15_000_000  # bytes, the most the page takes


def decoding() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        small = Path(folder) / "small.png"
        Image.new("RGB", (8, 8)).save(small)
        for name, data in worst():
            yield measured(Path(folder) / "picture", small, name, data)


def measured(path: Path, small: Path, name: str, data: bytes) -> Row:
    path.write_bytes(data)
    command = [sys.executable, "-c", MEASURED, str(path), str(small)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    seconds, megabytes, said = json.loads(done.stdout)
    told = f"{seconds:.1f} s, {megabytes:.0f} MB" if not said else "refused"
    return Row(f"decoding {name}, {len(data) / 1e6:.0f} MB", told, "at most 4 s, 300 MB")


def worst() -> Iterator[tuple[str, bytes]]:
    """The largest of each kind that an upload can hold."""
    for mode in ("RGB", "RGBA", "LA", "P", "I;16"):
        yield f"PNG {mode}, 40 megapixels", written(mode, (8_000, 5_000), "PNG")
    yield "PNG RGBA, 16 megapixels, as many as are not reduced", written("RGBA", (4_095, 4_095), "PNG")
    yield "PNG I;16, 16 megapixels", written("I;16", (4_095, 4_095), "PNG")
    for mode, size in (("RGB", (8_000, 5_000)), ("CMYK", (6_000, 5_000))):
        yield f"JPEG {mode}, in passes", written(mode, size, "JPEG", progressive=True, subsampling=0)
    yield "JPEG RGB, plain", written("RGB", (8_000, 5_000), "JPEG", subsampling=0)
    for lossless in (True, False):
        yield (
            f"WebP, lossless {lossless}",
            written("RGBA", (4_000, 3_000), "WEBP", lossless=lossless, method=0),
        )
    yield "AVIF", written("RGB", (4_000, 3_000), "AVIF", speed=10)
    yield "GIF", written("P", (8_000, 5_000), "GIF")
    for packing in ("tiff_lzw", "tiff_deflate"):
        yield f"TIFF RGBA {packing}", written("RGBA", (7_000, 5_000), "TIFF", compression=packing)
    yield "TIFF F", written("F", (7_000, 5_000), "TIFF", compression="tiff_deflate")
    yield "BMP", written("L", (4_000, 3_700), "BMP")


def written(mode: str, size: tuple[int, int], kind: str, **options) -> bytes:
    """A file with as much noise as an upload has room for, told from a piece of a hundredth."""
    piece = size[0] // 10, size[1] // 10
    fits = [
        bits for bits in (8, 6, 4, 3, 2, 1) if 100 * len(packed(mode, piece, bits, kind, options)) < UPLOAD
    ]
    return packed(mode, size, max(fits, default=0), kind, options)


def packed(mode: str, size: tuple[int, int], bits: int, kind: str, options: dict) -> bytes:
    file = io.BytesIO()
    noisy(mode, size, bits).save(file, kind, **options)
    return file.getvalue()


def noisy(mode: str, size: tuple[int, int], bits: int) -> Image.Image:
    """A picture whose values differ in their lowest bits."""
    random = np.random.default_rng(0)
    shape = size[1], size[0]
    if mode == "I;16":
        return Image.fromarray(random.integers(0, 1 << bits, shape, dtype=np.uint16))
    if mode == "F":
        return Image.fromarray(random.integers(0, 1 << bits, shape).astype(np.float32))
    grey = "L" if mode == "P" else mode
    bands = Image.new(grey, (1, 1)).getbands()
    made = Image.merge(
        grey, [Image.fromarray(random.integers(0, 1 << bits, shape, dtype=np.uint8)) for _ in bands]
    )
    return made.convert("P") if mode == "P" else made
