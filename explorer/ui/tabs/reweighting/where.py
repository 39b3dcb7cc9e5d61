"""Where in the picture the branches of a block act: how large each is, and what it does for the class."""

from typing import Any

import numpy as np

from explorer.errors import ChoiceError
from explorer.explorer import Explorer
from explorer.figures.colour import painted, scale_of
from explorer.figures.maps import rows_of_maps
from explorer.figures.raster import data_uri, photograph_uri
from explorer.reweighting.branch_weights import Contributions, contributions
from explorer.ui.components import View, render, sentence
from explorer.ui.controls import progress_on
from explorer.ui.downloads import npz, saved_figure
from explorer.ui.selection import Selection
from explorer.ui.tabs.reweighting.channels import NOTHING
from explorer.ui.tabs.reweighting.lab import Lab, found_block
from models.layer_names import short

AXES = {
    "branches": "branch: name",
    "size": "branch row column: size",
    "signed": "branch row column: logit",
    "blended": "row column: logit",
}


def computed(
    explorer: Explorer, selection: Selection, block: str | None
) -> tuple[Contributions, int | None] | None:
    """The maps of a block, and the class they are for; no class where nothing is classified or weighed."""
    found = found_block(explorer, selection, block)
    if found is None:
        return None
    if not selection.loaded(explorer).labels or not found.learned:
        return contributions(selection.run(explorer), found.block), None
    target = explorer.target(*selection.question, selection.target)
    run = explorer.inspect(*selection.question, target=target)
    return contributions(run, found.block), target


def draw(explorer: Explorer, selection: Selection, block: str | None) -> str:
    """The maps of every branch, with their sums where they have a sign."""
    made = computed(explorer, selection, block)
    if made is None:
        return sentence(NOTHING)
    maps, target = made
    size = scale_of(maps.size, signed=False)._replace(low=0.0)
    return render(
        "where",
        title=f"Where, {short(maps.block)}",
        branches=maps.branches,
        label=None if target is None else selection.loaded(explorer).labels[target],
        size=size,
        picture=photograph_uri(selection.cropped(explorer)),
        sizes=[data_uri(painted(one, size)) for one in maps.size],
        **signed_maps(maps.signed, maps.blended),
        python=selection.python(
            f"run = explorer.inspect(model, picture, weights, target={target})",
            f'maps = contributions(run, "{maps.block}")  # .size, .signed, .blended',
            "print(maps.branches, maps.size.mean(axis=(1, 2)), maps.signed)",
            imports="from explorer.reweighting.branch_weights import contributions",
        ),
    )


def signed_maps(signed: np.ndarray | None, blended: np.ndarray | None) -> dict[str, Any]:
    """What the template shows of the signed effects; nothing for a block without learned shares."""
    if signed is None or blended is None:
        return {"scale": None, "signed": [], "blended": None, "sums": [], "total": None}
    scale = scale_of(signed, signed=True)
    return {
        "scale": scale,
        "signed": [data_uri(painted(one, scale)) for one in signed],
        "blended": data_uri(painted(blended, scale)),
        "sums": [float(one.sum()) for one in signed],
        "total": float(blended.sum()),
    }


def save(explorer: Explorer, selection: Selection, kind: str, block: str):
    made = computed(explorer, selection, block)
    if made is None:
        raise ChoiceError(NOTHING)
    maps, target = made
    name = f"{selection.model}_{maps.block}_where"
    signed = {} if maps.signed is None else {"signed": maps.signed, "blended": maps.blended}
    if kind == "npz":
        return npz(name, AXES, branches=maps.branches, size=maps.size, **signed)
    label = "" if target is None else f", for {selection.loaded(explorer).labels[target]}"
    title = f"{selection.model}, {short(maps.block)}{label}"
    return saved_figure(rows_of_maps(maps.size, maps.signed, maps.branches, title=title), kind, name)


def build(lab: Lab) -> None:
    view = View(elem_id="where")
    lab.follower(lab.listener("where", draw, [view], options=progress_on(view), block=lab.block))
    lab.saved(view, save, block=lab.block)
