"""The "Maps" tab: all channels of one layer, one of them large, and what its numbers say."""

import gradio as gr

from explorer.errors import NoMapError
from explorer.explorer import Explorer
from explorer.features.feature_maps import probed
from explorer.ui.components import View, picked
from explorer.ui.controls import Amount, Menu, Whole, offer
from explorer.ui.downloads import Saves
from explorer.ui.selection import PICK, QUICK, Asked, Rail, Tab, bound, lane
from explorer.ui.tabs.maps import channel, depth, grid
from explorer.ui.tabs.maps import layer_statistics as facts
from explorer.ui.tabs.maps import similar_places as alike
from explorer.ui.tabs.maps.shown_map import chosen_cell, found, usual
from models.layer_names import short


def menus(explorer: Explorer, asked: Asked, layer: str, page: float) -> tuple[gr.Dropdown, gr.Slider]:
    """The layers of this model, keeping the chosen one where it exists, and the pages of its channels."""
    run = asked.run(explorer)
    names = probed(run)
    try:
        channels = found(explorer, asked, layer).channels
    except NoMapError:
        channels = 0
    return (
        offer([(short(name), name) for name in names], layer if layer in names else usual(run), layer),
        grid.page_slider(channels, page),
    )


def picked_channel(event: gr.EventData) -> int:
    return int(picked(event))


def controls() -> tuple:
    with gr.Row(elem_classes="controls"):
        layer = Menu([], label="Layer", elem_id="layer", min_width=220, scale=2)
        orders = [(words, name) for name, words in grid.ORDERS.items()]
        sort = Menu(orders, value=orders[0][1], label="Order", elem_id="order", min_width=150)
        scales = [("each its own", grid.OWN), ("shared", grid.SHARED)]
        scale = Menu(scales, value=grid.OWN, label="Scale", min_width=150)
        page = Amount(1, 2, value=1, step=1, label="Page", visible=False, min_width=120, buttons=[])
        number = Whole(0, label="Channel", precision=0, elem_id="channel", min_width=100)
        cell = gr.Textbox("", visible="hidden", elem_id="cell")
    return layer, sort, scale, page, number, cell


def build(explorer: Explorer, rail: Rail, turn: gr.Textbox, saves: Saves) -> Tab:
    layer, sort, scale, page, number, cell = controls()
    with gr.Row(elem_classes="views"):
        with gr.Column(scale=3, min_width=320):
            every = View(elem_id="grid")
        with gr.Column(scale=2, min_width=280):
            large = View(elem_id="large")
            numbers = View(elem_id="numbers")
    near = View(elem_id="alike")
    deep = View(elem_id="depth")

    def drawing(part, view: View, inputs: list, *others) -> dict:
        """The listener that draws a view; what it shows can be saved."""
        saves.wire(view, bound(part.save, explorer), rail.inputs, inputs)
        asks = {"inputs": [*rail.inputs, *inputs, *([cell] if others else [])], "outputs": [view, *others]}
        return {"fn": bound(part.draw, explorer), **asks, **lane(view.elem_id)}

    many = drawing(grid, every, [layer, sort, scale, page])
    one = drawing(channel, large, [layer, number], number)
    told = drawing(facts, numbers, [layer])
    alone = drawing(alike, near, [layer, cell])
    through = drawing(depth, deep, [layer, number])
    fit = {
        "fn": bound(menus, explorer),
        "inputs": [*rail.inputs, layer, page],
        "outputs": [layer, page],
        **QUICK,
    }

    def then(event, *listeners: dict) -> None:
        """What an event changes, drawn side by side."""
        for listener in listeners:
            event.success(**listener)

    views = [many, one, told, alone, through]
    for listener in (fit, *views):  # side by side: a view reads a name from another model as the menu does
        gr.on([turn.change, layer.input], **listener)
    then(deep.pick(picked, None, layer, **PICK), fit, *views)
    gr.on([scale.input, page.release], **many)
    sort.input(**{**many, "show_progress": "minimal"})  # relevance takes a pass back
    gr.on([number.input], **one)
    gr.on([number.input], **through)
    for event in (every.pick, numbers.pick, near.door):
        then(event(picked_channel, None, number, **PICK), one, through)
    for event, cell_chosen in ((large.place, chosen_cell), (near.place, chosen_cell), (near.pick, picked)):
        then(event(cell_chosen, None, cell, **PICK), alone)
    return Tab(
        address={
            "layer": layer,
            "channel": number,
            "order": sort,
            "scale": scale,
            "sheet": page,
            "cell": cell,
        },
    )
