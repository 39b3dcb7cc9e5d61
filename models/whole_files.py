"""Files that are written whole or not at all, however the writing ends."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from safetensors.torch import save_file
from torch import Tensor


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


def save_tensors(tensors: Mapping[str, Tensor], path: Path, metadata: dict[str, str] | None = None) -> None:
    """A safetensors file, whole or not at all."""
    with written_whole(path) as partly:
        save_file({key: one.contiguous() for key, one in tensors.items()}, partly, metadata=metadata)
