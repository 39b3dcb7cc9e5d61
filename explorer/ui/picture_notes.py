"""What is said beside the picture: that there is none, and how much of it the model does not see."""

import math

from explorer.explorer import Explorer
from explorer.ui.components import render
from explorer.ui.selection import Selection

WORTH_TELLING = 0.5  # of the picture's area; of a usual photograph more than half is seen


def seen(explorer: Explorer, selection: Selection) -> tuple[float, float, float, float]:
    """What the model sees: left, top, width and height, as shares of the picture's own in [0, 1]."""
    left, top, right, bottom = explorer.image(*selection.question)[1].box
    width, height = explorer.engine.pictures.open(selection.picture).pixels.size
    left, top = max(left, 0) / width, max(top, 0) / height
    return left, top, min(right / width, 1) - left, min(bottom / height, 1) - top


def cut_off(explorer: Explorer, selection: Selection) -> str:
    """Where in the picture lies what the model sees; in words, too, where most of it is cut off."""
    box = seen(explorer, selection)
    share = box[2] * box[3]
    return render(
        "cut_off", box=box, share=max(1, math.floor(100 * share)) if share < WORTH_TELLING else None
    )


def no_picture() -> str:
    """What stands in place of all tabs while there is no picture."""
    return render("no_picture")
