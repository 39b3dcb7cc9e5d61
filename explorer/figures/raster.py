"""Pixels for the page: maps as exact PNG at their own resolution, enlarged without smoothing; photographs."""

import base64
import io
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np
from einops import rearrange
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from explorer.figures.colour import painted, scale_of

COLUMNS = 8  # of a sprite
THUMBNAIL = 128  # pixels a side


def png(pixels: np.ndarray, texts: Mapping[str, str] | None = None) -> bytes:
    """uint8 `[h, w, 3]` as a PNG file, with text chunks by their keywords."""
    file, told = io.BytesIO(), PngInfo()
    for keyword, text in (texts or {}).items():
        told.add_text(keyword, text)
    Image.fromarray(pixels).save(file, "PNG", compress_level=1, pnginfo=told)
    return file.getvalue()


def data_uri(pixels: np.ndarray) -> str:
    return uri("png", png(pixels))


def uri(kind: str, content: bytes) -> str:
    """The content of a picture file as an address."""
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def photograph_uri(pixels: np.ndarray) -> str:
    """A picture to look at, uint8 `[h, w, 3]`: a seventh of the bytes, and of the time, of exact pixels."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=90, subsampling=0)
    return uri("jpeg", file.getvalue())


@cache
def thumbnail_uri(path: Path) -> str:
    """A small copy of a picture file, for a page that need not name where the file lies."""
    with Image.open(path) as picture:
        small = picture.convert("RGB")
    small.thumbnail((THUMBNAIL, THUMBNAIL), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    small.save(file, "WEBP", quality=85)
    return uri("webp", file.getvalue())


def sprite(maps: np.ndarray, *, signed: bool, shared: bool) -> np.ndarray:
    """Maps `[n, h, w]` as one picture of `COLUMNS` maps a row, uint8 `[h', w', 3]`.

    Each map is coloured by its own range, or with `shared` by the range of all. Empty cells stay white.
    """
    if shared:
        coloured = painted(maps, scale_of(maps, signed=signed))
    else:
        coloured = np.stack([painted(one, scale_of(one, signed=signed)) for one in maps])
    empty = np.full((-len(maps) % COLUMNS, *coloured.shape[1:]), 255, np.uint8)
    cells = np.concatenate([coloured, empty])
    return rearrange(cells, "(rows columns) h w c -> (rows h) (columns w) c", columns=COLUMNS)
