"""Pictures at the border of the page: an upload that never fails silently, and pixels for the screen."""

from functools import lru_cache
from pathlib import Path

import gradio as gr
import numpy as np
from PIL import Image

from explorer.errors import PictureError
from explorer.pictures import open_picture, seen
from models.registry import ASSETS, Preprocess

EXAMPLES = tuple(sorted((ASSETS / "examples").glob("*.png")))
MOST_SHOWN = 448  # pixels a side on the screen


class PictureUpload(gr.Image):
    """An image input that hands over the path of the upload, undecoded; the core decodes."""

    is_template = True  # for the front end this is a plain image

    def preprocess(self, payload) -> str | None:
        if payload is None:
            return None
        if not payload.path or (payload.url or "").startswith("data:"):
            raise gr.Error("Upload the picture as a file.", print_exception=False)
        return payload.path


@lru_cache(maxsize=6)
def opened(path: str, _modified: float) -> Image.Image:
    return open_picture(path)


def picture_at(path: str) -> Image.Image:
    """The decoded picture of an upload, decoded once while it stays the same file."""
    try:
        return opened(path, Path(path).stat().st_mtime)
    except OSError:
        raise PictureError("This picture is no longer on the server; upload it again.") from None


def usable(upload: str) -> bool:
    """Whether an upload is a picture; where not, the visitor is told in one sentence."""
    try:
        picture_at(upload)
    except PictureError as error:
        gr.Warning(str(error), title="This picture cannot be used")
        return False
    return True


def as_seen(picture: Image.Image, preprocess: Preprocess) -> np.ndarray:
    """The part of a picture that reaches the model, in the picture's own resolution `[h, w, 3]`."""
    _, geometry = seen(picture, preprocess)
    left, top, right, bottom = clipped(geometry.box, picture.size)
    shrink = min(1, MOST_SHOWN / max(right - left, bottom - top))
    size = max(1, round(shrink * (right - left))), max(1, round(shrink * (bottom - top)))
    return np.asarray(picture.resize(size, Image.Resampling.LANCZOS, box=(left, top, right, bottom)))


def clipped(box: tuple[float, ...], size: tuple[int, int]) -> tuple[float, float, float, float]:
    left, top, right, bottom = box
    return max(0.0, left), max(0.0, top), min(float(size[0]), right), min(float(size[1]), bottom)
