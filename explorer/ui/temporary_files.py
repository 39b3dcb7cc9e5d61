"""One folder for everything temporary, uploads among it, that is gone when the program ends."""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from explorer.errors import ExplorerError

ENDINGS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
ROOM = 1_000_000_000  # bytes that stay free for everything else on the disk
GRADIO = "GRADIO_TEMP_DIR"  # where Gradio keeps uploads; it makes a folder there when it is imported


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """All temporary files of this process lie in one folder, which is removed when the `with` block ends.

    A signal that asks the program to end removes it too, and ends the program at once: threads that still
    compute would keep it, or crash it, otherwise. Raises ExplorerError where there is no place for files.
    """
    try:
        folder = tempfile.mkdtemp(prefix="mixscope-", dir=os.environ.get(GRADIO))
    except OSError as error:
        raise ExplorerError(f"There is no place for temporary files: {error.strerror}.") from error

    def leave(number: int, _frame: object) -> None:
        remove(folder)
        os._exit(128 + number)

    before = tempfile.tempdir, os.environ.get(GRADIO), [signal.signal(one, leave) for one in ENDINGS]
    tempfile.tempdir = os.environ[GRADIO] = folder
    try:
        yield Path(folder)
    finally:
        restore(*before)
        remove(folder)


def has_room() -> bool:
    """Whether the disk where temporary files lie has room for more of them than anybody sends at once."""
    return shutil.disk_usage(tempfile.gettempdir()).free > ROOM


def remove(folder: str) -> None:
    """Twice, as somebody may be writing still."""
    for _ in range(2):
        shutil.rmtree(folder, ignore_errors=True)


def restore(folder: str | None, uploads: str | None, handlers: list) -> None:
    tempfile.tempdir = folder
    os.environ.pop(GRADIO)
    if uploads is not None:
        os.environ[GRADIO] = uploads
    for one, handler in zip(ENDINGS, handlers, strict=True):
        signal.signal(one, handler)
