"""Where in the picture the branches of a block act: how large each is, and what it does for the class."""

from explorer.explorer import Explorer
from explorer.figures.colour import painted, scale_of
from explorer.figures.maps import rows_of_maps
from explorer.figures.raster import data_uri
from explorer.reweighting.branch_weights import Contributions, contributions
from explorer.ui.components import View, render, sentence
from explorer.ui.downloads import npz, saved_figure
from explorer.ui.selection import Asked, bound
from explorer.ui.tabs.reweighting.channels import NOTHING
from explorer.ui.tabs.reweighting.lab import Lab, found_block
from models.layer_names import short


def computed(explorer: Explorer, asked: Asked, block: str | None) -> tuple[Contributions, int | None] | None:
    """The maps of a block, and the class they are for; no class where nothing is classified or weighed."""
    found = found_block(explorer, asked, block)
    if found is None:
        return None
    if not asked.loaded(explorer).labels or not found.learned:
        return contributions(asked.run(explorer), found.block), None
    target = explorer.target(asked.model, asked.open(), asked.weights, asked.target)
    run = explorer.inspect(asked.model, asked.open(), asked.weights, target=target)
    return contributions(run, found.block), target


def draw(explorer: Explorer, asked: Asked, block: str | None) -> str:
    made = computed(explorer, asked, block)
    if made is None:
        return sentence(NOTHING)
    maps, target = made
    size = scale_of(maps.size, signed=False)._replace(low=0.0)
    signed = None if maps.signed is None else scale_of(maps.signed, signed=True)
    return render(
        "where",
        title=f"Where, {short(maps.block)}",
        branches=maps.branches,
        label=None if target is None else asked.loaded(explorer).labels[target],
        size=size,
        sizes=[data_uri(painted(one, size)) for one in maps.size],
        scale=signed,
        signed=[] if signed is None else [data_uri(painted(one, signed)) for one in maps.signed],
        blended=None if signed is None else data_uri(painted(maps.blended, signed)),
        sums=[] if signed is None else [float(one.sum()) for one in maps.signed],
        total=None if signed is None else float(maps.blended.sum()),
        python=asked.python(
            "target = explorer.target(model, picture, weights)",
            "run = explorer.inspect(model, picture, weights, target=target)",
            f'maps = contributions(run, "{maps.block}")  # .size, .signed, .blended',
            imports="from explorer.reweighting.branch_weights import contributions",
        ),
    )


def save(explorer: Explorer, asked: Asked, kind: str, block: str):
    maps, target = computed(explorer, asked, block)
    name = f"{asked.model}_{maps.block}_where"
    signed = {} if maps.signed is None else {"signed": maps.signed, "blended": maps.blended}
    if kind == "npz":
        return npz(name, branches=maps.branches, size=maps.size, **signed)
    label = "" if target is None else f", for {asked.loaded(explorer).labels[target]}"
    title = f"{asked.model}, {short(maps.block)}{label}"
    return saved_figure(rows_of_maps(maps.size, maps.signed, maps.branches, title=title), kind, name)


def build(lab: Lab) -> None:
    view = View(elem_id="where")
    lab.follower(lab.listener("where", draw, [], [view], show_progress="minimal"))
    lab.saves.wire(view, bound(save, lab.explorer), lab.rail.inputs, [lab.block])
