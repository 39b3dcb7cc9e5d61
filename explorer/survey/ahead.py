"""Pictures made ready while the model computes: read and decoded in threads, handed over in order."""

from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from torch import Tensor

from explorer.engine.picture_store import digest_of_pixels
from explorer.errors import PictureError
from explorer.pictures import open_picture, to_image
from explorer.survey.sources import Item
from models.preprocess import Preprocess

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, eq=False)
class Ready:
    """A picture as the model takes it, or why there is none."""

    index: int  # its place in the source
    name: str
    label: str | None
    digest: str = ""
    size: tuple[int, int] = (0, 0)  # width and height of the picture in pixels
    image: Tensor | None = None  # [1, 3, h, w]; None for what is no picture
    reason: str = ""  # the sentence that says why not
    data: bytes = b""  # the file, where it is wanted later


def made_ready(numbered: tuple[int, Item], preprocess: Preprocess, keep: bool = False) -> Ready:
    """Read and decode one picture. keep: the file, too."""
    index, item = numbered
    try:
        data = item.read()
        pixels = open_picture(data)
    except PictureError as error:
        return Ready(index, item.name, item.label, reason=str(error))
    image, _ = to_image(pixels, preprocess)
    kept = data if keep else b""
    return Ready(index, item.name, item.label, digest_of_pixels(pixels), pixels.size, image=image, data=kept)


def ahead(of: Iterator[T], make: Callable[[T], R], workers: int, most: int) -> Generator[R, None, None]:
    """What `make` gives for each, in order; at most `most` are made, or being made, and not handed over."""
    if workers < 1:
        yield from map(make, of)
        return
    pool = ThreadPoolExecutor(workers, thread_name_prefix="survey")
    waiting: deque[Future[R]] = deque()
    try:
        for one in of:
            waiting.append(pool.submit(make, one))
            if len(waiting) >= most:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
