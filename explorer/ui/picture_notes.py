"""What is said beside the picture: that there is none, and how much of it the model does not see."""

import math

from explorer.explorer import Explorer
from explorer.ui.components import render
from explorer.ui.selection import Selection

WORTH_TELLING = 0.5  # of the picture's area; of a usual photograph more than half is seen


def seen_share(explorer: Explorer, selection: Selection) -> float:
    """How much of the picture's area the model sees, in (0, 1]."""
    left, top, right, bottom = explorer.image(*selection.question)[1].box
    width, height = explorer.engine.pictures.open(selection.picture).pixels.size
    across = min(right, width) - max(left, 0)
    down = min(bottom, height) - max(top, 0)
    return min(1.0, across * down / (width * height))


def cut_off(explorer: Explorer, selection: Selection) -> str:
    """One line where most of the picture is cut off before the model sees it; else nothing."""
    share = seen_share(explorer, selection)
    if share >= WORTH_TELLING:
        return ""
    return render("cut_off", share=max(1, math.floor(100 * share)))


def no_picture() -> str:
    """What stands in place of all tabs while there is no picture."""
    return render("no_picture")
