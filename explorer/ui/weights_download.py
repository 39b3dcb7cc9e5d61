"""Bring published weights to this computer, with progress, until they are here or the visitor says stop."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

from explorer.errors import ChoiceError
from explorer.explorer import Explorer
from explorer.ui.components import View, render
from explorer.ui.selection import FETCH, PICK, Rail, Selection, missing, wired

THREADS = ThreadPoolExecutor(2, thread_name_prefix="fetch")
SHOWN_EVERY = 0.3  # seconds


class Watched:
    """A progress another thread can read and end."""

    def __init__(self) -> None:
        self.here = self.total = 0
        self.ended = False

    def __call__(self, here: int, total: int) -> None:
        if self.ended:
            raise ChoiceError("The download was stopped; what has arrived is kept for the next try.")
        self.here, self.total = here, total


def fetched(explorer: Explorer, selection: Selection) -> Iterator[str]:
    """Draw how far it is until the file is here; nobody there any more stops it at the next chunk."""
    place = missing(selection)
    watched = Watched()
    start = time.monotonic()
    work = THREADS.submit(explorer.fetch, selection.model, selection.weights, watched)
    try:
        while not work.done():
            left = (watched.total - watched.here) * (time.monotonic() - start) / max(1, watched.here)
            yield render("weights_download", place=place, here=watched.here, total=watched.total, left=left)
            wait([work], timeout=SHOWN_EVERY)
        if work.exception():
            yield render("weights_missing", place=place)
        work.result()
    finally:
        watched.ended = True


def stopped() -> str:
    return render("stopped")


def connect(explorer: Explorer, rail: Rail, badge: View) -> Any:
    """The badge offers weights that are not here yet, and shows how they come; gives that event."""
    fetching = badge.pick(**wired(explorer, rail, fetched), outputs=badge, **FETCH)
    badge.stop(stopped, None, badge, cancels=[fetching], **PICK)
    return fetching
