"""Receptive fields, and which places feel a pixel: the controls of the lens and what they do."""

from collections.abc import Iterator

import gradio as gr
import numpy as np

from explorer.errors import ChoiceError
from explorer.explorer import Explorer
from explorer.features.feature_maps import layers
from explorer.figures.fields import amplitude, three_maps
from explorer.mixing.receptive_field import SHARES, held
from explorer.ui.components import View, picked, placed
from explorer.ui.controls import IDLE, RUNNING, Amount, Menu, Whole, offer, stopping
from explorer.ui.downloads import npz, saved_figure
from explorer.ui.lenses import Lenses
from explorer.ui.picture_upload import EXAMPLES
from explorer.ui.selection import PICK, QUICK, SLOW, Asked, bound, lane
from explorer.ui.tabs.mixing import growth
from explorer.ui.tabs.mixing.pages import felt, felt_page, field, field_page, where
from explorer.ui.tabs.mixing.place import (
    ALL,
    DIRECTIONS,
    FEELS,
    MIDDLE,
    MOVES,
    channels_of,
    place_of,
    spot_of,
    usual_layer,
)
from models.layer_names import short


def draw_if_asked(explorer: Explorer, asked: Asked, asking: str, *chosen):
    """The view, what it answers, and an idle Stop; never before there is something to ask."""
    return (draw(explorer, asked, *chosen), asking, IDLE) if asking else (gr.skip(), gr.skip(), gr.skip())


def draw(explorer: Explorer, asked: Asked, direction: str, *chosen) -> str:
    spot = spot_of(explorer, asked, *chosen)
    if direction == FEELS:
        return felt_page(explorer, asked, spot)
    return field_page(explorer, asked, spot, field(explorer, asked, spot))


def average(explorer: Explorer, asked: Asked, direction: str, *chosen) -> Iterator[tuple]:
    """The field so far, after each of the example pictures."""
    if direction == FEELS:
        raise ChoiceError("Only the pixels that move a place are averaged over pictures.")
    spot = spot_of(explorer, asked, *chosen)
    for found in explorer.average_field(asked.model, EXAMPLES, asked.weights, **where(spot)):
        last = found.pictures == len(EXAMPLES)
        yield field_page(explorer, asked, spot, found, len(EXAMPLES)), IDLE if last else RUNNING


def save(explorer: Explorer, asked: Asked, kind: str, direction: str, *chosen):
    spot = spot_of(explorer, asked, *chosen)
    row, column = spot.within(spot.grid)
    name, title = f"{asked.model}_{spot.layer}_{row}_{column}", f"{asked.model}, {short(spot.layer)}"
    if direction == FEELS:
        grid, found = felt(explorer, asked, spot)
        row, column = spot.within(grid)
        arrays = {"change": found.change, "can": found.can}
        levels = sum(held(found.change**2, share).astype(np.uint8) for share in SHARES)
        maps, unit = (found.change, levels, found.can), "change"
        name, title = f"{name}_feels", f"{title}, feels square {row}, {column}"
    else:
        found = field(explorer, asked, spot)
        can = explorer.theoretical_field(asked.model, asked.weights, **where(spot))
        arrays = {"energy": found.energy, "can": can}
        maps, unit = (amplitude(found.energy), found.levels, can), "size of the gradient"
        title = f"{title}, place {row}, {column}"
    if kind == "npz":
        return npz(name, **arrays)
    names = ("measured", "25, 50, 75, 95 % of the energy", "possible")
    return saved_figure(three_maps(*maps, names, title=title, unit=unit), kind, name)


def question(*chosen) -> str:
    """All that is asked, as one text; the views listen to it."""
    return " ".join(map(str, chosen))


def fitted(
    explorer: Explorer, asked: Asked, turn: str, direction: str, layer: str | None, place: int, channel: str
) -> tuple:
    """Layers and channels of this model as menus, the layers also as a way to go, and what is asked now."""
    run = asked.run(explorer)
    names = layers(run)
    known = layer if layer in names else usual_layer(run)
    offered = [ALL, *channels_of(run.activations[known].value.shape[-1])]
    fitting = channel if channel in offered else ALL
    return (
        offer([(short(name), name) for name in names], known, layer),
        gr.Slider(1, max(2, len(names)), value=names.index(known) + 1),
        offer([(one, one) for one in offered], fitting, channel),
        gr.Button(interactive=direction == MOVES),
        question(turn, direction, known, place, fitting),
    )


def at_depth(
    explorer: Explorer, asked: Asked, turn: str, direction: str, place: int, channel: str, depth: float
) -> tuple:
    """The same for the layer at a depth, which counts from one; the slider stays as it is."""
    names = layers(asked.run(explorer))
    layer = names[min(max(int(depth), 1), len(names)) - 1]
    _, _, *others = fitted(explorer, asked, turn, direction, layer, place, channel)
    return gr.Dropdown(value=layer), *others


def clicked(turn: str, direction: str, layer: str, channel: str, event: gr.EventData) -> tuple[int, str]:
    """The place, and what is asked now; the name of the map says how many rows and columns it has."""
    name, row, column = placed(event)
    rows, columns = map(int, name.split()[1:])
    place = place_of(row, column, (rows, columns))
    return place, question(turn, direction, layer, place, channel)


def picked_layer(event: gr.EventData) -> gr.Dropdown:
    """The layer of a column, which the menu may not know yet."""
    layer = picked(event)
    return gr.Dropdown([(short(layer), layer)], value=layer)


def build(lenses: Lenses) -> None:
    with gr.Row(elem_classes="controls", elem_id="directions"):
        direction = gr.Radio(
            DIRECTIONS, value=MOVES, label="Show", show_label=False, container=False, elem_id="direction"
        )
        go = gr.Button("Average over the examples", scale=0, min_width=250, elem_id="average")
        stop = gr.Button("Stop", interactive=False, scale=0, min_width=70, elem_id="average-stop")
    with gr.Row(elem_classes="controls"):
        layer = Menu([], label="Layer", elem_id="field-layer", min_width=180)
        depth = Amount(1, 2, value=1, step=1, label="Depth", elem_id="depth", min_width=180, buttons=[])
        channel = Menu([], label="Channel", elem_id="field-channel", min_width=100)
    place = Whole(MIDDLE, visible="hidden", elem_id="field-place")
    asking = gr.Textbox(visible="hidden", elem_id="field-asked")
    view, way = View(elem_id="field"), View(elem_id="growth")
    chosen = [direction, layer, place, channel]
    answered = gr.Textbox(visible="hidden", elem_id="field-answered")
    average_run = go.click(
        bound(average, lenses.explorer), [*lenses.rail.inputs, *chosen], [view, stop], **SLOW
    )
    stopping(stop, [average_run])
    running = [average_run, *wire_growth(lenses, [asking, *chosen], way, answered)]
    lenses.running += running
    outputs = [view, answered, stop]
    whole = lenses.listener("field", draw_if_asked, [asking, *chosen], outputs, show_progress="minimal")
    # What runs is stopped before anything is drawn, else it is the strip of the new answer that is stopped.
    asking.change(None, js="() => {}", cancels=running, **PICK).then(**whole)
    lenses.lens.change(**whole)
    wire_choices(lenses, chosen, depth, go, asking, view, way)
    lenses.saves.wire(view, bound(save, lenses.explorer), lenses.rail.inputs, chosen)
    lenses.named |= {"direction": direction, "at": layer, "place": place, "of": channel}


def wire_growth(lenses: Lenses, chosen: list, way: View, answered: gr.Textbox) -> list:
    """The strip follows the view; gives the events that fill it, to be stopped by what is asked next."""
    inputs = [*lenses.inputs, *chosen]
    strip = {"fn": bound(growth.draw_if_cheap, lenses.explorer), "inputs": inputs, "outputs": way}
    strip |= lane("growth")
    grown = answered.change(**strip)
    asked = way.more(**{**strip, "fn": bound(growth.draw, lenses.explorer)})
    return [grown, asked]


def wire_choices(
    lenses: Lenses, chosen: list, depth: Amount, go: gr.Button, asking: gr.Textbox, view: View, way: View
) -> None:
    """Whatever is chosen ends in `asking`."""
    direction, layer, place, channel = chosen
    inputs = [*lenses.rail.inputs, lenses.turn, *chosen]
    fit = {
        "fn": bound(fitted, lenses.explorer),
        "inputs": inputs,
        "outputs": [layer, depth, channel, go, asking],
    }
    lenses.turn.change(**fit, **QUICK)
    gr.on([layer.input, channel.input, direction.input], **fit, **PICK)
    ways = [*lenses.rail.inputs, lenses.turn, direction, place, channel, depth]
    depth.input(bound(at_depth, lenses.explorer), ways, [layer, channel, go, asking], **PICK)
    view.place(clicked, [lenses.turn, direction, layer, channel], [place, asking], **PICK)
    way.pick(picked_layer, None, layer, **PICK).then(**fit, **PICK)
