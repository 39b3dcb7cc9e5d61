"""Any decoded picture -> upright, 8 bits, RGB over white, no larger than needed; a few rows at a time.

A picture is decoded once and read in strips, so that beside it there is never a second one of its size.
"""

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageOps

LONGEST_SIDE = 2_048  # pixels; pictures are kept no larger
ROWS = 256  # of a strip
ORIENTATION = 0x0112  # a tag of EXIF


def normalised(picture: Image.Image) -> Image.Image:
    """Upright, 8 bits, over white, RGB, no larger than needed."""
    orientation = picture.getexif().get(ORIENTATION, 1)
    if picture.mode.startswith("I") or picture.mode == "F":
        picture = eight_bits(reduced(picture))
    picture = apart(picture) if is_plain(picture) else in_strips(picture, "RGB", opaque)
    if orientation != 1:
        picture.getexif()[ORIENTATION] = orientation
        picture = ImageOps.exif_transpose(picture)
    picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
    return picture


def is_plain(picture: Image.Image) -> bool:
    """Whether nothing about its pixels has to change, as of most JPEGs."""
    return picture.mode == "RGB" and "transparency" not in picture.info and max(picture.size) <= LONGEST_SIDE


def apart(picture: Image.Image) -> Image.Image:
    """The same pixels, and nothing of what else stood in the file."""
    pixels = picture.crop((0, 0, *picture.size))
    pixels.info = {}
    return pixels


def in_strips(picture: Image.Image, mode: str, made: Callable[[Image.Image], Image.Image]) -> Image.Image:
    """What `made` makes of a picture; where it is much larger than needed, means of squares of that."""
    factor = max(1, max(picture.size) // LONGEST_SIDE)
    width, height = (-(-length // factor) for length in picture.size)
    whole, rows = Image.new(mode, (width, height)), factor * max(1, ROWS // factor)
    for top in range(0, picture.height, rows):
        strip = picture.crop((0, top, picture.width, min(top + rows, picture.height)))
        whole.paste(made(strip).reduce(factor), (0, top // factor))
    return whole


def opaque(picture: Image.Image) -> Image.Image:
    """RGB, over white where it is transparent."""
    if "A" in picture.getbands() or "a" in picture.getbands() or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    return picture.convert("RGB")


def reduced(picture: Image.Image) -> Image.Image:
    """Grey values of more than eight bits, made few where they are many: their scale takes floats."""
    if max(picture.size) < 2 * LONGEST_SIDE:
        return picture
    mode = "F" if picture.mode == "F" else "I"
    return in_strips(picture, "F", lambda strip: strip.convert("F")).convert(mode)


def eight_bits(picture: Image.Image) -> Image.Image:
    """Grey values of more than eight bits, scaled and never clipped."""
    strips = np.array_split(np.asarray(picture), -(-picture.height // ROWS))
    low = min(float(numbers(strip).min()) for strip in strips)
    high = max(float(numbers(strip).max()) for strip in strips)
    if picture.mode == "F" and low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    elif picture.mode.startswith("I") and low >= 0 and high <= 65_535:
        low, high = 0.0, 65_535.0
    scale = 255 / (high - low or 1.0)
    return Image.fromarray(
        np.concatenate([np.rint((numbers(strip) - low) * scale).astype(np.uint8) for strip in strips])
    )


def numbers(values: np.ndarray) -> np.ndarray:
    """As floats; what is no number counts as zero."""
    return np.nan_to_num(values.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
