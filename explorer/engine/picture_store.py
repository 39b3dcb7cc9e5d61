"""Uploads by their content: a file is decoded once, however often it is asked about."""

import hashlib
import time
from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from explorer.decoding.files import contents
from explorer.engine.cache import Cache
from explorer.errors import NoPictureError
from explorer.pictures import open_picture

Source = Image.Image | str | Path | bytes
SETTLED = 2.0  # seconds; a file changed longer ago cannot change again within the clock's resolution


@dataclass(frozen=True)
class Picture:
    """A decoded upload: RGB, upright, and a short name for its pixels."""

    pixels: Image.Image
    digest: str


class PictureStore:
    """Pictures by the digest of what was uploaded. Safe to share between threads."""

    def __init__(self, cache: Cache) -> None:
        self.cache = cache

    def digest(self, source: Source | None) -> str:
        """A short name for the content of a picture, the same for all files with the same pixels."""
        name = name_of(source, self.cache)
        return self.cache.once(("digest", name), lambda: self._opened(name, source).digest)

    def open(self, source: Source | None) -> Picture:
        """The decoded picture. Raises PictureError, with a sentence, for what is none."""
        return self._opened(name_of(source, self.cache), source)

    def _opened(self, name: str, source: Source | None) -> Picture:
        return self.cache.once(("picture", name), lambda: decoded(source))


def decoded(source: Source | None) -> Picture:
    if source is None:
        raise NoPictureError
    pixels = open_picture(source)
    return Picture(pixels, digest_of_pixels(pixels))


def digest_of_pixels(pixels: Image.Image) -> str:
    """The digest of a decoded picture: its shape and its pixels."""
    return digest_of(repr(pixels.size).encode(), pixels.tobytes())


def name_of(source: Source | None, cache: Cache) -> str:
    """A name for what was uploaded: the digest of the file, or of the pixels of a picture in memory.

    A file that has not changed since it was read is not read again. Its time and size alone would miss a
    change within the resolution of the clock, so a file changed just now is always read.
    """
    if source is None:
        raise NoPictureError
    if isinstance(source, bytes):
        return digest_of(source)
    if isinstance(source, Image.Image):
        return digest_of(repr(traits(source)).encode() + source.tobytes())
    path = Path(source)
    state = state_of(path)
    if state is None:
        return digest_of(contents(path))
    return cache.once(("file", state), lambda: digest_of(contents(path)))


def traits(picture: Image.Image) -> tuple:
    """What else than its pixels decides how a picture in memory is read."""
    palette = picture.getpalette() if picture.mode.startswith("P") else None
    return picture.mode, picture.size, palette, picture.info.get("exif"), picture.info.get("transparency")


def state_of(path: Path) -> Hashable | None:
    """What changes whenever a file does; None where that cannot be told, and for a missing file."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    settled = time.time() - max(found.st_mtime, found.st_ctime) > SETTLED
    return (
        (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns) if settled else None
    )


def digest_of(*content: bytes) -> str:
    summed = hashlib.blake2b(digest_size=12)
    for part in content:
        summed.update(part)
    return summed.hexdigest()
