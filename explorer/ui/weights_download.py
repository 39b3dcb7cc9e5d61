"""Weights that are not on this computer: what they are, and how they come, with progress.

Until then the views show nothing else: what was there before is of other weights.
"""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

from explorer.errors import ChoiceError
from explorer.explorer import Explorer
from explorer.ui.better_weights import Download
from explorer.ui.components import View, render
from explorer.ui.selection import FETCH, PICK, Rail, Selection, wired

THREADS = ThreadPoolExecutor(2, thread_name_prefix="fetch")
SHOWN_EVERY = 0.3  # seconds


class Watched:
    """A progress another thread can read and end."""

    def __init__(self) -> None:
        self.here = self.total = 0
        self.ended = False
        self.started = time.monotonic()

    def __call__(self, here: int, total: int) -> None:
        if self.ended:
            raise ChoiceError("The download was stopped; what has arrived is kept for the next try.")
        self.here, self.total = here, total

    @property
    def left(self) -> float:
        """Seconds, if it goes on as so far."""
        return (self.total - self.here) * (time.monotonic() - self.started) / max(1, self.here)


def waiting(explorer: Explorer, selection: Selection, **shown: Any) -> str:
    """What the weights are, and with `progress`, `stopped` or a `failure` how it stands with them."""
    one = Download.of(explorer, selection.model, selection.weights)
    return render("waiting", one=one, **{"progress": None, "stopped": False, "failure": "", **shown})


def fetched(explorer: Explorer, selection: Selection) -> Iterator[str]:
    """Draw how far it is until the file is here; nobody there any more stops it at the next chunk."""
    watched = Watched()
    work = THREADS.submit(explorer.fetch, selection.model, selection.weights, watched)
    try:
        while not work.done():
            yield waiting(explorer, selection, progress=watched)
            wait([work], timeout=SHOWN_EVERY)
        if error := work.exception():
            yield waiting(explorer, selection, failure=str(error) if isinstance(error, ChoiceError) else "")
        work.result()
    finally:
        watched.ended = True


def stopped(explorer: Explorer, selection: Selection) -> str:
    return waiting(explorer, selection, stopped=True)


def connect(explorer: Explorer, rail: Rail, view: View) -> Any:
    """The view offers weights that are not here yet, and shows how they come; gives that event."""
    fetching = view.pick(**wired(explorer, rail, fetched), outputs=view, **FETCH)
    view.stop(**wired(explorer, rail, stopped), outputs=view, cancels=[fetching], **PICK)
    return fetching
