"""Whatever a person uploads -> an RGB picture -> the image a model sees, and the way back.

Everything is hostile until decoded: formats are a closed list, the size is read before the pixels.
"""

import io
import math
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock

import numpy as np
import torch
from einops import rearrange
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from explorer.decoding.colours import normalised
from explorer.decoding.files import OFFER, contents
from explorer.decoding.limits import checked_passes, checked_size
from explorer.errors import PictureError
from models.registry import Preprocess

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
LARGE = 4_000_000  # pixels; of such pictures one is decoded at a time, so that memory holds
ONE_LARGE = Lock()
ENOUGH = 1_024  # pixels a side; no model looks at more
MOST_SHOWN = 448  # pixels a side on the screen
RESAMPLING = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}


def open_picture(source: bytes | str | Path | Image.Image) -> Image.Image:
    """The first frame of a picture, upright, RGB, over white where it is transparent.

    16-bit values are scaled to 8 bit over their whole range; floats from [0, 1], or else from their own
    minimum to maximum. Large pictures are reduced, to `LONGEST_SIDE` at most; those in JPEG while they are
    decoded, by a half, a quarter or an eighth, as long as both sides keep `ENOUGH` pixels.

    Raises PictureError, with a sentence, for anything that cannot be decoded or takes too much, see
    `explorer.decoding.limits`.
    """
    if isinstance(source, Image.Image):
        checked_size(source)
        return normalised(source)
    data = source if isinstance(source, bytes) else contents(Path(source))
    refuse_other_formats(data[:512])
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
            checked_size(picture)
            checked_passes(picture, data)
            with ONE_LARGE if picture.width * picture.height > LARGE else nullcontext():
                picture.draft("RGB", (ENOUGH, ENOUGH))
                picture.load()
                return normalised(picture)
    except PictureError:
        raise
    except MemoryError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise PictureError("This picture is too large; the limit is 40 megapixels.") from None
    except UnidentifiedImageError:
        raise PictureError(f"This file is not a picture that can be read; {OFFER}.") from None
    except Exception as error:
        raise PictureError(f"This picture is damaged or cut short; {OFFER}.") from error


def refuse_other_formats(start: bytes) -> None:
    """Name the formats people try and this does not read."""
    if not start:
        raise PictureError(f"This file is empty; {OFFER}.")
    if b"<svg" in start.lower() or start.lstrip().lower().startswith(b"<?xml"):
        raise PictureError(f"SVG is a drawing without pixels, which no model can see; {OFFER}.")
    if start[4:8] == b"ftyp" and start[8:12] in (b"heic", b"heix", b"hevc", b"heim", b"mif1", b"msf1"):
        raise PictureError(f"HEIC pictures cannot be read here; {OFFER}.")


@dataclass(frozen=True)
class Geometry:
    """Where the image lies in the picture; lengths in pixels of the picture."""

    left: float
    top: float
    scale: float  # pixels of the picture for one of the image
    shape: tuple[int, int]  # of the image, in its own pixels

    @property
    def box(self) -> tuple[float, float, float, float]:
        """What the model sees: left, top, right, bottom."""
        height, width = (length * self.scale for length in self.shape)
        return self.left, self.top, self.left + width, self.top + height

    def to_picture(self, row: float, column: float) -> tuple[float, float]:
        """Image place -> picture place, as (row, column); both count from the upper left corner."""
        return self.top + row * self.scale, self.left + column * self.scale

    def to_image(self, row: float, column: float) -> tuple[float, float]:
        """Picture place -> image place, as (row, column); outside its shape the model does not see it."""
        return (row - self.top) / self.scale, (column - self.left) / self.scale


def seen(picture: Image.Image, preprocess: Preprocess) -> tuple[Image.Image, Geometry]:
    """The pixels that reach the model: resized until the image is covered, middle cut out.

    Where the weights know little detail, the middle is reduced to it and then enlarged.
    """
    if preprocess.detail:
        height, width = preprocess.shape
        little, _ = seen(picture, in_detail(preprocess))
        enlarged = little.resize((width, height), Image.Resampling.BILINEAR)
        return enlarged, geometry_of(picture.size, preprocess)
    resized, (left, top), _ = covering(picture.size, preprocess)
    height, width = preprocess.shape
    pixels = picture.resize(resized, RESAMPLING[preprocess.interpolation])
    geometry = geometry_of(picture.size, preprocess)
    return pixels.crop((left, top, left + width, top + height)), geometry


def geometry_of(size: tuple[int, int], preprocess: Preprocess) -> Geometry:
    """Where the image lies in a picture of this width and height."""
    if preprocess.detail:
        little = geometry_of(size, in_detail(preprocess))
        return replace(
            little, scale=little.scale * preprocess.detail / preprocess.size, shape=preprocess.shape
        )
    _, (left, top), scale = covering(size, preprocess)
    return Geometry(left / scale, top / scale, 1 / scale, preprocess.shape)


def in_detail(preprocess: Preprocess) -> Preprocess:
    """The same for an image of only as many pixels as the weights know."""
    height, width = preprocess.shape
    return replace(
        preprocess, size=preprocess.detail, width=round(width * preprocess.detail / height), detail=0
    )


def covering(size: tuple[int, int], preprocess: Preprocess) -> tuple[tuple[int, int], tuple[int, int], float]:
    """Width and height a picture is resized to, left and top of what is cut out of it, and the scale."""
    height, width = preprocess.shape
    low, wide = (math.floor(length / preprocess.crop) for length in (height, width))
    if low * size[0] >= wide * size[1]:  # the picture is wider than it need be
        scale, resized = low / size[1], (int(low * size[0] / size[1]), low)
    else:
        scale, resized = wide / size[0], (wide, int(wide * size[1] / size[0]))
    return resized, (round((resized[0] - width) / 2), round((resized[1] - height) / 2)), scale


def cropped(picture: Image.Image, box: tuple[float, float, float, float]) -> np.ndarray:
    """A part of a picture for the screen, uint8 `[h, w, 3]`, reduced to `MOST_SHOWN` pixels a side.

    box: left, top, right, bottom in pixels of the picture.
    """
    left, top = max(0.0, box[0]), max(0.0, box[1])
    right, bottom = min(float(picture.width), box[2]), min(float(picture.height), box[3])
    shrink = min(1, MOST_SHOWN / max(right - left, bottom - top))
    size = max(1, round(shrink * (right - left))), max(1, round(shrink * (bottom - top)))
    return np.asarray(picture.resize(size, Image.Resampling.LANCZOS, box=(left, top, right, bottom)))


def to_image(picture: Image.Image, preprocess: Preprocess) -> tuple[Tensor, Geometry]:
    """RGB picture -> float32 image `[1, 3, h, w]` as the weights expect it, and where it lies."""
    pixels, geometry = seen(picture, preprocess)
    values = torch.from_numpy(np.asarray(pixels, dtype=np.float32) / 255)
    values = (values - torch.tensor(preprocess.mean)) / torch.tensor(preprocess.std)
    if preprocess.channels == "bgr":
        values = values.flip(-1)
    return rearrange(values, "h w c -> 1 c h w").contiguous(), geometry


def from_image(image: Tensor, preprocess: Preprocess) -> np.ndarray:
    """What the model saw, as uint8 `[h, w, 3]`: the preprocessing undone."""
    values = rearrange(image[0].cpu(), "c h w -> h w c")
    if preprocess.channels == "bgr":
        values = values.flip(-1)
    values = values * torch.tensor(preprocess.std)
    values = values + torch.tensor(preprocess.mean)
    return (values * 255).round().clamp(0, 255).to(torch.uint8).numpy()
