"""The Maps tab: all channels of one layer, one of them large, and what its numbers say."""

from collections.abc import Callable
from typing import Any

import gradio as gr

from explorer.errors import NoMapError
from explorer.explorer import Explorer
from explorer.features.feature_maps import probed
from explorer.ui.components import View
from explorer.ui.controls import Amount, Control, Menu, Whole, offer, progress_on
from explorer.ui.events import PlaceBox
from explorer.ui.selection import QUICK, Selection, lane, wired
from explorer.ui.tabs.maps import channel, depth, grid, layer_statistics, similar_places
from explorer.ui.tabs.maps.shown_map import found, usual
from explorer.ui.tabs.registry import BuiltTab, TabParts
from models.layer_names import short


def menus(explorer: Explorer, selection: Selection, layer: str, page: float) -> tuple[gr.Dropdown, gr.Slider]:
    """The layers of this model, keeping the chosen one where it exists, and the pages of its channels."""
    run = selection.run(explorer)
    names = probed(run)
    try:
        channels = found(explorer, selection, layer).channels
    except NoMapError:
        channels = 0
    return (
        offer([(short(name), name) for name in names], layer if layer in names else usual(run), layer),
        grid.page_slider(channels, page),
    )


def controls() -> dict[str, Control]:
    """The menus above the views, by the names handlers know them by."""
    with gr.Row(elem_classes="controls"):
        layer = Menu([], label="Layer", elem_id="layer", min_width=220, scale=2)
        orders = [(words, name) for name, words in grid.ORDERS.items()]
        sort = Menu(orders, value=orders[0][1], label="Order", elem_id="order", min_width=150)
        scales = [("each its own", grid.OWN), ("shared", grid.SHARED)]
        scale = Menu(scales, value=grid.OWN, label="Scale", min_width=150)
        page = Amount(1, 2, value=1, step=1, label="Page", visible=False, min_width=120, buttons=[])
        channel = Whole(0, label="Channel", precision=0, elem_id="channel", min_width=100)
        place = PlaceBox(None, elem_id="cell")
    return {"layer": layer, "sort": sort, "scale": scale, "page": page, "channel": channel, "place": place}


def build(parts: TabParts) -> BuiltTab:
    """Lay the tab out: the grid, one channel, the layer's numbers, similar places, depth."""
    menu = controls()
    with gr.Row(elem_classes="views"):
        with gr.Column(scale=3, min_width=320):
            every = View(elem_id="grid")
        with gr.Column(scale=2, min_width=280):
            large = View(elem_id="large")
            numbers = View(elem_id="numbers")
    near = View(elem_id="similar-places")
    deep = View(elem_id="depth")

    def drawing(
        view: View, draw: Callable, save: Callable, names: tuple[str, ...], *more: str
    ) -> dict[str, Any]:
        """What draws a view from the controls of these names; what it shows can be saved.

        more: controls it also reads, and may correct.
        """
        inputs = {name: menu[name] for name in names}
        also = {name: menu[name] for name in more}
        parts.saves.wire(view, parts.explorer, parts.rail, save, **inputs)
        outputs = [view, menu["channel"]] if also else view
        return {
            **wired(parts.explorer, parts.rail, draw, **inputs, **also),
            "outputs": outputs,
            **lane(str(view.elem_id)),
        }

    many = drawing(every, grid.draw, grid.save, ("layer", "sort", "scale", "page"))
    one = drawing(large, channel.draw, channel.save, ("layer", "channel"), "place")
    told = drawing(numbers, layer_statistics.draw, layer_statistics.save, ("layer",))
    alike = drawing(near, similar_places.draw, similar_places.save, ("layer", "place"))
    through = drawing(deep, depth.draw, depth.save, ("layer", "channel"))
    named = {"layer": menu["layer"], "page": menu["page"]}
    fit = {**wired(parts.explorer, parts.rail, menus, **named), "outputs": [*named.values()], **QUICK}
    views = [many, one, told, alike, through]
    for listener in (fit, *views):  # side by side: a view reads a name from another model as the menu does
        gr.on([parts.redraw.change, menu["layer"].input], **listener)
    then(deep.hands_on("pick", "layer", menu["layer"]), fit, *views)
    gr.on([menu["scale"].input, menu["page"].release], **many)
    menu["sort"].input(**many | progress_on(every))  # relevance takes a pass back
    for listener in (one, through):
        gr.on([menu["channel"].input], **listener)
    for view, event in ((every, "pick"), (numbers, "pick"), (near, "link")):
        then(view.hands_on(event, "channel", menu["channel"]), one, through)
    for view, event in ((large, "place"), (near, "place"), (near, "pick")):
        then(view.hands_on(event, "at", menu["place"]), alike)
    names = {"layer": "layer", "channel": "channel", "order": "sort", "scale": "scale", "sheet": "page"}
    remembered = {word: menu[name] for word, name in (names | {"cell": "place"}).items()}
    return BuiltTab(remembered=remembered, part=menu["layer"])


def then(event, *listeners: dict[str, Any]) -> None:
    """What an event changes, drawn side by side."""
    for listener in listeners:
        event.success(**listener)
