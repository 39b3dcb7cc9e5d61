"""Inside a block: the share of every branch in every channel, and the channels that take one side."""

import numpy as np
from einops import repeat

from explorer.capture import Run
from explorer.explorer import Explorer
from explorer.figures.colour import Scale, painted, scale_of
from explorer.figures.raster import data_uri
from explorer.figures.shares import inside_block
from explorer.reweighting.branch_weights import BlockWeights, blends
from explorer.ui.components import View, render, sentence
from explorer.ui.controls import Control, Menu
from explorer.ui.downloads import npz, saved_figure, there
from explorer.ui.selection import Selection
from explorer.ui.tabs.reweighting.lab import Lab, chosen_block, found_block
from explorer.ui.tabs.reweighting.typical_shares import OWN, Own, usual
from models.layer_names import short
from models.probe import Role

SORTS = {
    "number": "by number",
    "first": "by the first branch",
    "second": "by the second branch",
    "third": "by the third branch",
    "entropy": "by entropy",
    "deviation": "by deviation from typical",
}
AXES = {"values": "branch channel: share", "branches": "branch: name"}
EXTREMES = 6
NOTHING = "This model has no branches to look into."


def ordered(explorer: Explorer, selection: Selection, found: BlockWeights, sort: str, own: Own) -> np.ndarray:
    """Channels in the order asked for; without typical shares their deviation is none."""
    ranks = {"first": 0, "second": 1, "third": 2}
    if sort in ranks:
        return found.order(found.branches[min(ranks[sort], len(found.branches) - 1)])
    typical = usual(explorer, selection, own)[0] or () if found.learned else ()
    channels = next((one.channels for one in typical if one.block == found.block), None)
    return found.order(sort, channels)


def draw(
    explorer: Explorer, selection: Selection, block: str | None, sort: str, own: Own = (), of: str = OWN
) -> str:
    own = own if of == OWN else ()
    found = found_block(explorer, selection, block)
    if found is None:
        return sentence(NOTHING)
    order = ordered(explorer, selection, found, sort, own)
    pixels = painted(found.values[:, order], Scale(0, 1, signed=False))
    return render(
        "channels",
        title=short(found.block).capitalize(),
        branches=found.branches,
        learned=found.learned,
        channels=found.values.shape[1],
        size=size_of(selection.run(explorer), found),
        rows=repeat(pixels, "branches c rgb -> branches 1 c rgb"),
        mean=found.mean,
        histogram=found.histogram(),
        extremes=extremes(explorer, selection, found),
        python=selection.python(
            "blocks = blends(explorer.inspect(model, picture, weights))",
            f'values = block_of(blocks, "{found.block}").values  # [branches, channels]',
            "print(values.shape, values.mean(axis=1))",
            imports="from explorer.reweighting.branch_weights import blends, block_of",
        ),
    )


def size_of(run: Run, found: BlockWeights) -> str:
    """What the block blends, as rows × columns × channels."""
    blended = run.inside(found.block, Role.BLENDED)
    return " × ".join(map(str, blended.value.shape[1:] if blended else found.values.shape[1:]))


def extremes(explorer: Explorer, selection: Selection, found: BlockWeights) -> list[dict]:
    """The most one-sided channels, each with its map of what is blended."""
    blended = selection.run(explorer).inside(found.block, Role.BLENDED)
    made = []
    for channel in found.order("entropy")[::-1][:EXTREMES].tolist():
        values = None if blended is None else blended.value[0, :, :, channel].numpy()
        pixels = None if values is None else data_uri(painted(values, scale_of(values, signed=True)))
        made.append({"channel": channel, "shares": found.values[:, channel], "map": pixels})
    return made


def save(explorer: Explorer, selection: Selection, kind: str, block: str, sort: str, own: Own, of: str = OWN):
    found = chosen_block(there(blends(selection.run(explorer))), block)
    name = f"{selection.model}_{found.block}"
    if kind == "npz":
        return npz(name, AXES, values=found.values, branches=found.branches)
    values = found.values[:, ordered(explorer, selection, found, sort, own if of == OWN else ())]
    return saved_figure(
        inside_block(values, found.branches, title=f"{selection.model}, {found.block}"), kind, name
    )


def build(lab: Lab) -> None:
    sort = Menu([(text, name) for name, text in SORTS.items()], value="number", label="Order of channels")
    view = View(elem_id="inside")
    asked: dict[str, Control] = {"block": lab.block, "sort": sort, "own": lab.own, "of": lab.of}
    sort.input(**lab.follower(lab.listener("channels", draw, [view], **asked)))
    lab.remembered["channel_order"] = sort
    lab.saved(view, save, **asked)
