"""How large a picture may be, told from the head of its file: what decoding takes differs between formats.

Decoding takes at most 4 s and 300 MB on a slow core. `benchmarks/decoding.py` measures the worst of each.
"""

from PIL import Image

from explorer.errors import PictureError

MOST_PIXELS = 40_000_000
# Fewer where decoders hold whole pictures several times over, or are slow.
MOST_OF_FORMAT = {"WEBP": 12_000_000, "AVIF": 12_000_000}
MOST_BYTES_OF_JPEG = 240_000_000  # of coefficients, which are all held where a picture comes in passes
MOST_BYTES_OF_TIFF = (
    280_000_000  # of a strip as it is packed, which may be the whole picture, and of the pixels
)
MOST_PASSES = 24  # each goes over the whole picture; programs write up to 14
BITS_PER_SAMPLE = 258  # a tag of TIFF


def checked_size(picture: Image.Image) -> None:
    """Raises PictureError, with the limit, for a picture that takes too much to decode; no pixel is read."""
    most = most_pixels(picture)
    if picture.width * picture.height > most:
        raise PictureError(
            f"This picture has {picture.width} × {picture.height} pixels; "
            f"the limit is {most // 1_000_000} megapixels."
        )
    if min(picture.size) < 1:
        raise PictureError("This picture has no pixels.")


def most_pixels(picture: Image.Image) -> int:
    """How many pixels a picture of its kind may have."""
    most = MOST_OF_FORMAT.get(picture.format or "", MOST_PIXELS)
    if picture.format == "JPEG" and picture.info.get("progressive"):
        most = min(most, MOST_BYTES_OF_JPEG // (2 * len(picture.getbands())))
    if picture.format == "TIFF":
        bits = sum(getattr(picture, "tag_v2", {}).get(BITS_PER_SAMPLE, (8,)))
        most = min(most, MOST_BYTES_OF_TIFF // (bits // 8 + 4))
    return most


def checked_passes(picture: Image.Image, data: bytes) -> None:
    """Raises PictureError for a JPEG that goes over the whole picture more often than any program writes."""
    if picture.format == "JPEG" and data.count(b"\xff\xda") > MOST_PASSES:
        raise PictureError(
            f"This JPEG is coded in more than {MOST_PASSES} passes; save it again as a plain one."
        )
