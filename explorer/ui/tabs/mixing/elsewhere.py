"""What a lens shows of a model that does not mix places its way: why, and a link to the way it does."""

from explorer.explorer import Explorer
from explorer.mixing.mixers import ways
from explorer.ui.components import render
from explorer.ui.selection import Selection

SOON = "This is drawn as soon as the model has seen the picture."
WHY = {
    "attention": "No place of this model looks at others by attention.",
    "matrices": "This model has learned no matrix of weights between places.",
    "shifts": "This model moves no channels from place to place, and convolves no part of them alone.",
}


def elsewhere(explorer: Explorer, selection: Selection, way: str) -> str | None:
    """Nothing to be said where the model mixes by this way."""
    found = ways(selection.loaded(explorer).model)
    return None if way in found else render("elsewhere", text=WHY[way], ways=found)
