"""Reads the file of a picture: a regular file, of a sensible length, and nothing else."""

import os
import stat
from pathlib import Path

from explorer.errors import PictureError

OFFER = "use PNG, JPEG, WebP, GIF, BMP or TIFF"
MOST_BYTES = 200_000_000


def contents(path: Path) -> bytes:
    """What is in a file; no device, pipe or folder is read, and nothing longer than `MOST_BYTES`."""
    try:
        with open(path, "rb", opener=without_waiting) as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise PictureError("This picture file could not be opened.")
            if found.st_size > MOST_BYTES:
                raise PictureError(f"This file is longer than {MOST_BYTES // 1_000_000} MB; {OFFER}.")
            return file.read(MOST_BYTES)
    except PictureError:
        raise
    except (OSError, ValueError):  # not there, not allowed, or no name of a file at all
        raise PictureError("This picture file could not be opened.") from None


def without_waiting(path: str, flags: int) -> int:
    """Open a file; a pipe nobody writes to would be waited for otherwise."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
