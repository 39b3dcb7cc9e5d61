"""Where the work of clients is done, and that it ends when they leave."""

from collections.abc import Generator, Iterator
from typing import Any, TypeVar

from explorer.errors import ExplorerError
from explorer.ui.gradio_internals import somebody_waits

T = TypeVar("T")
# Lanes of their own: the page waits for no client. The catalogue waits for no computing.
CATALOGUE: dict[str, Any] = {"concurrency_id": "catalogue", "concurrency_limit": 4}
SHORT: dict[str, Any] = {"concurrency_id": "clients, short work", "concurrency_limit": 2}
LONG: dict[str, Any] = {"concurrency_id": "clients, long work", "concurrency_limit": 2}
LANES = {
    "models": CATALOGUE,
    **dict.fromkeys(("knock_out", "attribute", "attribution_map", "score_card", "gate_effects"), LONG),
    **dict.fromkeys(
        ("side_by_side", "field_growth", "receptive_field", "costs", "found", "shifts", "fitting_methods"),
        LONG,
    ),
}
UNPROBED = {"costs", "matrices", "protocols", "truth_lab"}  # their work does not say when it begins


class LeftError(ExplorerError):
    """Nobody is there any more to be answered."""


def whole(parts: Iterator[T]) -> T:
    """The last part of long work, which ends where nobody waits for it any more."""
    try:
        last = next(parts)
        for part in parts:
            if not somebody_waits():
                raise LeftError
            last = part
        return last
    finally:
        if isinstance(parts, Generator):
            parts.close()  # at once: the error that tells of leaving would keep it
