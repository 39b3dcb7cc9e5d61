"""Two pictures: how differently the same blocks blend them."""

from functools import partial

import gradio as gr
import numpy as np

from explorer.explorer import Explorer
from explorer.figures.colour import Scale, painted
from explorer.figures.maps import table
from explorer.figures.raster import data_uri, photograph_uri
from explorer.reweighting.branch_weights import Difference, differences
from explorer.ui.alerts import shown
from explorer.ui.components import View, render, sentence
from explorer.ui.downloads import npz, saved_figure, there
from explorer.ui.examples import GROUPS, picked
from explorer.ui.picture_upload import PictureUpload, usable
from explorer.ui.selection import PICK, Selection, picture_told
from explorer.ui.tabs.reweighting.channels import NOTHING
from explorer.ui.tabs.reweighting.lab import Lab, found_block
from explorer.ui.tabs.reweighting.other_picture import marked
from models.layer_names import short

AXES = {"branches": "branch: name", "": "branch channel: change of the share"}


def compared(explorer: Explorer, selection: Selection, other: str) -> tuple[Difference, ...]:
    """Second minus first, block by block."""
    first = selection.run(explorer)
    return differences(first, explorer.inspect(selection.model, other, selection.weights))


def draw(explorer: Explorer, selection: Selection, block: str | None, other: str) -> str:
    found = found_block(explorer, selection, block)
    if found is None:
        return sentence(NOTHING)
    if explorer.digest(selection.picture) == explorer.digest(other):
        return sentence("Both are the same picture; choose another one to compare with.")
    rows = compared(explorer, selection, other)
    inside = next(one for one in rows if one.block == found.block)
    order = abs(inside.values).sum(axis=0).argsort()[::-1]
    reach = max(float(abs(inside.values).max()), 1e-6)
    pixels = painted(inside.values[:, order], Scale(-reach, reach, signed=True))
    seen = (explorer.cropped(selection.model, one, selection.weights) for one in (selection.picture, other))
    return render(
        "two_pictures",
        title="Two pictures",
        rows=rows,
        most=max(max(float(abs(one.mean).max()) for one in rows), 1e-6),
        branches=found.branches,
        block=found.block,
        inside=[data_uri(one[None]) for one in pixels],
        reach=reach,
        pictures=[photograph_uri(one) for one in seen],
        python=selection.python(
            'first, second = (explorer.inspect(model, one, weights) for one in (picture, "OTHER"))'.replace(
                "OTHER", picture_told(other, "other.png")
            ),
            "for block in differences(first, second):",
            "    print(block.block, block.mean, block.size)",
            imports="from explorer.reweighting.branch_weights import differences",
        ),
    )


def accepted(explorer: Explorer, upload: str | None, current: str) -> tuple:
    """An upload, or, with a sentence, the picture before it."""
    if upload is None:
        return gr.skip(), gr.skip()
    if not usable(explorer, upload):
        return None, current
    return gr.skip(), marked(explorer, upload)


def example(event: gr.EventData) -> tuple[None, str]:
    return None, picked(event)


def save(explorer: Explorer, selection: Selection, kind: str, other: str):
    rows = there(compared(explorer, selection, other))
    name = f"{selection.model}_two_pictures"
    if kind == "npz":
        return npz(name, AXES, branches=rows[0].branches, **{one.block: one.values for one in rows})
    means = [one.mean for one in rows]
    figure = table(
        np.stack(means),
        [short(one.block) for one in rows],
        rows[0].branches,
        title=f"{selection.model}, second minus first",
        unit="mean share",
    )
    return saved_figure(figure, kind, name)


def build(lab: Lab) -> None:
    with gr.Row(elem_classes="controls", elem_id="other"):
        upload = PictureUpload(
            label="The other picture",
            height=200,
            sources=["upload", "clipboard"],
            buttons=[],
            interactive=True,
            scale=1,
            min_width=220,
        )
        strip = View(render("examples", groups=GROUPS), elem_id="others")
    view = View(elem_id="two")
    drawn = lab.follower(lab.listener("two", draw, [view], block=lab.block, other=lab.other))
    both = [upload, lab.other]
    accept = shown(partial(accepted, lab.explorer))
    upload.input(accept, both, both, **{**PICK, "queue": True}).success(**drawn)
    strip.pick(example, None, both, **PICK).success(**drawn)
    lab.saved(view, save, other=lab.other)
