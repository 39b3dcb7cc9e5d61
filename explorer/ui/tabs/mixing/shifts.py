"""Shifts: from where every group of channels gets its values, measured with impulses."""

import math

import gradio as gr
import numpy as np
from PIL import Image

from explorer.explorer import Explorer
from explorer.figures.colour import OTHER_COLOURS, Scale, painted, scale_of
from explorer.figures.raster import data_uri
from explorer.mixing.mixers import map_near, mixer_by_shifts, mixers
from explorer.mixing.shift_impulses import Group, Impulses, sent_through
from explorer.ui.components import View, render, sentence
from explorer.ui.controls import Menu, offer, progress_on
from explorer.ui.downloads import npz
from explorer.ui.lenses import Lenses
from explorer.ui.selection import Selection, lane
from explorer.ui.tabs.mixing.elsewhere import SOON, elsewhere
from models.layer_names import short

AXES = {
    "strength": "channel down right: weight",
    "reads": "channel: channels",
    "own": "channel: whether it reads itself alone",
}

GREY = Scale(0.0, 1.0, signed=False)
AROUND = 2  # places drawn around a place at least
WORDS = {(-1, 0): "above", (1, 0): "below", (0, -1): "to the left", (0, 1): "to the right"}


def chosen_block(explorer: Explorer, selection: Selection, block: str | None) -> str:
    """The block of that name; a name left over from another model counts as the first block."""
    blocks = list(mixers(selection.loaded(explorer).model, "shifts"))
    return block if block in blocks else blocks[0]


def draw(explorer: Explorer, selection: Selection, block: str | None) -> str:
    if missing := elsewhere(explorer, selection, "shifts"):
        return missing
    block = chosen_block(explorer, selection, block)
    loaded = selection.loaded(explorer)
    rows, columns = map_near(selection.run(explorer), block).value.shape[1:3]
    grey = in_grey(selection.cropped(explorer), (rows, columns))
    steps = mixer_by_shifts(loaded.model, block).mixing_steps()
    measured = explorer.shifts(selection.model, selection.weights, block)
    with loaded.lock:
        sent = [sent_through(step, grey) for step in steps]
    return render(
        "shifts",
        title=f"Where channels come from, {short(block)}",
        steps=[told(found, values) for found, values in zip(measured, sent, strict=True)],
        before=data_uri(painted(grey, GREY)),
        size=f"{grey.shape[0]} × {grey.shape[1]}",
        python=selection.python(
            f'for step in explorer.shifts(model, weights, "{block}"):',
            "    for group in step.groups:",
            "        print(step.step, group.first, group.last, group.source, group.extent, group.reads)",
        ),
    )


def in_grey(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The picture the model sees as brightness in [0, 1], at the resolution of a map `[h, w]`."""
    picture = Image.fromarray(pixels).convert("L")
    return np.asarray(picture.resize((size[1], size[0]), Image.Resampling.BOX), np.float32) / 255


def told(found: Impulses, sent: np.ndarray) -> dict:
    """One step for the screen: its groups with colours, drawings and words."""
    channels, untouched = len(found.own), int(found.untouched.sum())
    reach = max(AROUND, *(farthest(group) for group in found.groups))
    colours = iter(OTHER_COLOURS * (1 + len(found.groups) // len(OTHER_COLOURS)))
    groups = [
        {
            "first": group.first,
            "last": group.last,
            "share": group.channels / channels,
            "colour": "var(--body-text-color-subdued)" if group.source == (0, 0) else next(colours),
            "words": words(group),
            "after": data_uri(painted(sent[group.first], tone(group, sent[group.first]))),
            **drawing(group, reach),
        }
        for group in found.groups
    ]
    return {
        "name": found.step,
        "channels": channels,
        "untouched": untouched,
        "touched": channels - untouched,
        "side": 2 * reach + 1,
        "groups": groups,
    }


def tone(group: Group, values: np.ndarray) -> Scale:
    """Moved values are as bright as before; computed ones may be negative and have a scale of their own."""
    return GREY if group.own else scale_of(values, signed=True)


def farthest(group: Group) -> int:
    middle = len(group.footprint) // 2
    return int(np.abs(np.argwhere(group.footprint) - middle).max(initial=0))


def drawing(group: Group, reach: int) -> dict:
    """The places read, as cells of a grid around the place itself, and an arrow from one alone."""
    shift = reach - len(group.footprint) // 2
    cells = (np.argwhere(group.footprint) + shift).tolist()
    down, right = group.source or (0, 0)
    angle = math.degrees(math.atan2(-down, -right))
    return {"cells": cells, "angle": angle, "distance": math.hypot(down, right), "middle": reach}


def words(group: Group) -> str:
    """How a group gets its values."""
    if group.source is None:
        rows, columns = group.extent
        return f"computed from {rows} × {columns} places of {group.reads} channels"
    if group.source == (0, 0):
        return "untouched: each stays where it is"
    down, right = group.source
    far = max(abs(down), abs(right))
    side = WORDS.get((down // far, right // far))
    if side is None or 0 not in group.source:
        return f"from {down} places down and {right} to the right"
    return f"from the place {side}" if far == 1 else f"from {far} places {side}"


def fit_and_draw(explorer: Explorer, selection: Selection, block: str | None) -> tuple:
    """The view, and the blocks this model has."""
    blocks = list(mixers(selection.loaded(explorer).model, "shifts"))
    if not blocks:
        return draw(explorer, selection, block), gr.update(visible=False)
    menu = [(short(one), one) for one in blocks]
    fitting = chosen_block(explorer, selection, block)
    return draw(explorer, selection, block), offer(menu, fitting, block, visible=True)


def save(explorer: Explorer, selection: Selection, kind: str, block: str | None):
    block = chosen_block(explorer, selection, block)
    found = explorer.shifts(selection.model, selection.weights, block)
    arrays = {f"{one.step}_{name}": getattr(one, name) for one in found for name in AXES}
    axes = {f"{one.step}_{name}": told for one in found for name, told in AXES.items()}
    return npz(f"{selection.model}_{block}_shifts", axes, **arrays)


def build(lenses: Lenses) -> None:
    with gr.Row(elem_classes="controls"):
        block = Menu([], label="Block", elem_id="shift-block", min_width=180)
    view = View(sentence(SOON), elem_id="shifts")
    whole = lenses.listener("shifts", fit_and_draw, [view, block], options=progress_on(view), block=block)
    lenses.draws(whole)
    block.input(**lenses.wired(draw, block=block), outputs=view, **lane("shifts") | progress_on(view))
    view.hands_on("link", "way", lenses.lens)
    lenses.remembered |= {"shift_block": block}
    lenses.saved(view, save, block=block)
