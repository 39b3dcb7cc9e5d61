"""What is followed through the lines: a channel, or all of them as colour, and a place of the picture."""

from dataclasses import dataclass

from explorer.ui.events import Place


@dataclass(frozen=True)
class Follow:
    """A channel and a place that are marked in every map of the walk."""

    channel: int  # -1 for all
    place: Place
