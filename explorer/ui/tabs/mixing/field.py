"""Receptive fields, and which places feel a pixel: the controls of the lens and what they do."""

from collections.abc import Iterator

import gradio as gr
import numpy as np

from explorer.errors import ChoiceError
from explorer.explorer import Explorer
from explorer.features.feature_maps import layers
from explorer.figures.fields import amplitude, three_maps
from explorer.mixing.receptive_field import SHARES, held
from explorer.ui.components import View
from explorer.ui.controls import IDLE, RUNNING, Amount, Control, Menu, offer, progress_on, starting, stopping
from explorer.ui.downloads import npz, saved_figure
from explorer.ui.events import MIDDLE, Place, PlaceBox, Redraw
from explorer.ui.examples import known_to
from explorer.ui.lenses import Lenses
from explorer.ui.selection import PICK, QUICK, SLOW, Selection, lane
from explorer.ui.tabs.mixing import growth
from explorer.ui.tabs.mixing.pages import field, field_page, sensitivity_map, sensitivity_page, where
from explorer.ui.tabs.mixing.place import (
    ALL,
    DIRECTIONS,
    FEELS,
    MOVES,
    FieldQuestion,
    QuestionBox,
    channels_of,
    chosen_place,
    usual_layer,
)
from models.layer_names import short

AXES = {
    "energy": "row column: squared gradient",
    "errors": "row column: squared gradient",
    "change": "row column: activation",
    "can": "row column: possible or not",
}


def draw_if_asked(explorer: Explorer, selection: Selection, *, asked: FieldQuestion, **where_to) -> tuple:
    """The view, what it answers, and an idle Stop; never before there is something to ask."""
    if not asked.redraw.link:
        return gr.skip(), gr.skip(), gr.skip()
    return draw(explorer, selection, **where_to), asked, IDLE


def draw(explorer: Explorer, selection: Selection, *, direction: str, **where_to) -> str:
    """The field of a place, or what a pixel moves; `where_to` is layer, place and channel."""
    chosen = chosen_place(explorer, selection, **where_to)
    if direction == FEELS:
        return sensitivity_page(explorer, selection, chosen)
    return field_page(explorer, selection, chosen, field(explorer, selection, chosen))


def average(explorer: Explorer, selection: Selection, *, direction: str, **where_to) -> Iterator[tuple]:
    """The field so far, after each of the example pictures."""
    if direction == FEELS:
        raise ChoiceError("Only the pixels that move a place are averaged over pictures.")
    chosen = chosen_place(explorer, selection, **where_to)
    pictures = known_to(selection)
    for found in explorer.average_field(selection.model, pictures, selection.weights, **where(chosen)):
        last = found.pictures == len(pictures)
        yield field_page(explorer, selection, chosen, found, len(pictures)), IDLE if last else RUNNING


def save(explorer: Explorer, selection: Selection, *, kind: str, direction: str, **where_to):
    """The maps of the view as one drawing, or their numbers."""
    chosen = chosen_place(explorer, selection, **where_to)
    row, column = chosen.within(chosen.grid)
    name = f"{selection.model}_{chosen.layer}_{row}_{column}"
    title = f"{selection.model}, {short(chosen.layer)}"
    if direction == FEELS:
        grid, moved = sensitivity_map(explorer, selection, chosen)
        row, column = chosen.within(grid)
        arrays = {"change": moved.change, "can": moved.can}
        regions = np.stack([held(moved.change**2, share) for share in SHARES])
        levels = regions.sum(axis=0, dtype=np.uint8)
        maps, unit = (moved.change, levels, moved.can), "change"
        name, title = f"{name}_feels", f"{title}, feels square {row}, {column}"
    else:
        found = field(explorer, selection, chosen)
        can = explorer.theoretical_field(selection.model, selection.weights, **where(chosen))
        unsure = {} if found.errors is None else {"errors": found.errors}
        arrays = {"energy": found.energy, "can": can, **unsure}
        maps, unit = (amplitude(found.energy), found.levels, can), "size of the gradient"
        title = f"{title}, place {row}, {column}"
    if kind == "npz":
        return npz(name, AXES, **arrays)
    names = ("measured", "25, 50, 75, 95 % of the energy", "possible")
    return saved_figure(three_maps(*maps, names, title=title, unit=unit), kind, name)


def fitted(
    explorer: Explorer,
    selection: Selection,
    *,
    redraw: Redraw,
    direction: str,
    layer: str | None,
    place: Place | None,
    channel: str,
) -> tuple:
    """Layers and channels of this model as menus, the layers also as a depth, and what is asked now."""
    run = selection.run(explorer)
    names = layers(run)
    known = layer if layer in names else usual_layer(run)
    offered = [ALL, *channels_of(run.activations[known].value.shape[-1])]
    fitting = channel if channel in offered else ALL
    return (
        offer([(short(name), name) for name in names], known, layer),
        gr.Slider(1, max(2, len(names)), value=names.index(known) + 1),
        offer([(one, one) for one in offered], fitting, channel),
        gr.Button(interactive=direction == MOVES),
        FieldQuestion(redraw, direction, known, place or MIDDLE, fitting),
    )


def at_depth(explorer: Explorer, selection: Selection, *, depth: float, **others) -> tuple:
    """The same for the layer at a depth, which counts from one; the slider stays as it is."""
    names = layers(selection.run(explorer))
    layer = names[min(max(int(depth), 1), len(names)) - 1]
    _, _, *rest = fitted(explorer, selection, layer=layer, **others)
    return gr.Dropdown(value=layer), *rest


# The place that was clicked, and the `FieldQuestion` that is asked now.
PLACED = """(redraw, direction, layer, channel) => {
  const {row, column, at} = window.told.field.place;
  const place = {row, column};
  return [at, JSON.stringify({redraw: JSON.parse(redraw || '{}'), direction, layer, place, channel})];
}"""


def picked_layer(event: gr.EventData) -> gr.Dropdown:
    """The layer of a column, which the menu may not know yet."""
    return gr.Dropdown([(short(event.layer), event.layer)], value=event.layer)


def build(lenses: Lenses) -> None:
    """Lay the lens out: the directions, the place, the view and the strip along the depth."""
    with gr.Row(elem_classes="controls", elem_id="directions"):
        direction = gr.Radio(
            DIRECTIONS, value=MOVES, label="Show", show_label=False, container=False, elem_id="direction"
        )
        go = gr.Button("Average over the examples", scale=0, min_width=250, elem_id="average")
        stop = gr.Button("Stop", interactive=False, scale=0, min_width=70, elem_id="average-stop")
    with gr.Row(elem_classes="controls"):
        layer = Menu([], label="Layer", elem_id="field-layer", min_width=180)
        depth = Amount(1, 2, value=1, step=1, label="Depth", elem_id="field-depth", min_width=180, buttons=[])
        channel = Menu([], label="Channel", elem_id="field-channel", min_width=100)
    place = PlaceBox(MIDDLE, elem_id="field-place")
    asked, answered = QuestionBox(elem_id="field-asked"), QuestionBox(elem_id="field-answered")
    view, way = View(elem_id="field"), View(elem_id="growth")
    chosen = {"direction": direction, "layer": layer, "place": place, "channel": channel}
    starting(go, stop)
    averaged = go.click(**lenses.wired(average, **chosen), outputs=[view, stop], **SLOW)
    stopping(stop, [averaged])
    running = [averaged, *connect_growth(lenses, chosen, way, answered)]
    lenses.running += running
    outputs = [view, answered, stop]
    whole = lenses.listener("field", draw_if_asked, outputs, options=progress_on(view), asked=asked, **chosen)
    # What runs is stopped before anything is drawn, else it is the strip of the new answer that is stopped.
    asked.change(None, js="() => {}", cancels=running, **PICK).then(**whole)
    lenses.lens.change(**whole)
    connect_choices(lenses, chosen, depth, [go, asked], (view, way))
    lenses.saved(view, save, **chosen)
    lenses.saved(way, growth.save, **chosen)
    lenses.remembered |= {"direction": direction, "at": layer, "place": place, "of": channel}


def connect_growth(lenses: Lenses, chosen: dict[str, Control], way: View, answered: QuestionBox) -> list:
    """The strip follows the view; gives the events that fill it, to be stopped by what is asked next."""
    cheap = lenses.wired(growth.draw_if_cheap, answered=answered, opened=lenses.lens, **chosen)
    grown = answered.change(**cheap, outputs=way, **lane("growth"))
    return [grown, way.more(**lenses.wired(growth.draw, **chosen), outputs=way, **lane("growth"))]


def connect_choices(
    lenses: Lenses, chosen: dict[str, Control], depth: Amount, ends: list, views: tuple[View, View]
) -> None:
    """Whatever is chosen, in the menus, on the map or on the strip, ends in a question.

    ends: the button that averages, and the box of the question.
    """
    view, way = views
    fit = {
        **lenses.wired(fitted, redraw=lenses.redraw, **chosen),
        "outputs": [chosen["layer"], depth, chosen["channel"], *ends],
    }
    lenses.redraw.change(**fit, **QUICK)
    gr.on([chosen[name].input for name in ("layer", "channel", "direction")], **fit, **PICK)
    way.pick(picked_layer, None, chosen["layer"], **PICK).then(**fit, **PICK)
    others = {name: chosen[name] for name in ("direction", "place", "channel")}
    deeper = lenses.wired(at_depth, redraw=lenses.redraw, depth=depth, **others)
    depth.input(**deeper, outputs=[chosen["layer"], chosen["channel"], *ends], **PICK)
    asks = [lenses.redraw, chosen["direction"], chosen["layer"], chosen["channel"]]
    view.place(None, asks, [chosen["place"], ends[1]], js=PLACED, **PICK)
