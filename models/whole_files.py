"""Files that are written whole or not at all, however the writing ends."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A place beside `path` to write to; it takes that name when the `with` block ends well, else it goes.

    What is killed meanwhile leaves a file whose name starts with a dot, which nothing reads.
    """
    partly = path.with_name(f".partly-{path.name}")
    try:
        yield partly
        partly.replace(path)
    finally:
        partly.unlink(missing_ok=True)
