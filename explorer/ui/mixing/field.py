"""The receptive field of a place, which pixels move it; and which places feel a pixel."""

from collections.abc import Iterator

import gradio as gr
import numpy as np

from explorer.errors import ChoiceError
from explorer.features import feature_map, layers, pca_colour
from explorer.figures.colour import painted, scale_of
from explorer.figures.fields import amplitude, levels_painted, shade, three_maps
from explorer.figures.raster import data_uri
from explorer.pictures import seen
from explorer.receptive_field import SHARES, EffectiveField, Felt, held, squares
from explorer.session import Explorer
from explorer.ui.asked import PICK, QUICK, SLOW, Asked, bound, lane
from explorer.ui.controls import IDLE, RUNNING, Amount, Menu, Whole, stopping
from explorer.ui.mixing import growth
from explorer.ui.mixing.spot import (
    ALL,
    DIRECTIONS,
    FEELS,
    MIDDLE,
    MOVES,
    Spot,
    channels_of,
    known_layer,
    place_of,
    spot_of,
)
from explorer.ui.opened import Lenses
from explorer.ui.picture import EXAMPLES
from explorer.ui.save import npz, saved_figure
from explorer.ui.view import View, picked, placed, render
from explorer.ui.words import short


def draw(explorer: Explorer, asked: Asked, direction: str, *chosen) -> str:
    spot = spot_of(explorer, asked, *chosen)
    if direction == FEELS:
        return felt_page(explorer, asked, spot)
    return field_page(explorer, asked, spot, field(explorer, asked, spot))


def field(explorer: Explorer, asked: Asked, spot: Spot) -> EffectiveField:
    return explorer.effective_field(asked.model, asked.open(), asked.weights, **where(spot))


def where(spot: Spot) -> dict:
    return {"layer": spot.layer, "place": spot.within(spot.grid), "channel": spot.channel}


def field_page(explorer: Explorer, asked: Asked, spot: Spot, found: EffectiveField, total: int = 1) -> str:
    """total: over how many pictures the field is going to be averaged."""
    can = explorer.theoretical_field(asked.model, asked.weights, **where(spot))
    sizes, energy = amplitude(found.energy), float(found.energy.sum(dtype=np.float64))
    outside = float(found.energy[~can].sum(dtype=np.float64)) / energy if energy else 0.0
    scale = scale_of(sizes, signed=False)._replace(low=0.0)
    return render(
        "field",
        **shared(explorer, asked, spot, spot.grid),
        title="Receptive field",
        done=found.pictures,
        total=total,
        heat=data_uri(painted(sizes, scale)),
        scale=scale,
        levels=data_uri(levels_painted(found.levels)),
        colours=levels_painted(np.arange(4, 0, -1)).tolist(),
        can=data_uri(shade(can)),
        count=int(can.sum()),
        shares=list(zip(SHARES, found.pixels, strict=True)),
        pixels=can.size,
        outside=outside,
        python=python(asked, spot, "place", spot.within(spot.grid)),
    )


def felt_page(explorer: Explorer, asked: Asked, spot: Spot) -> str:
    grid, found = felt(explorer, asked, spot)
    scale = scale_of(found.change, signed=False)._replace(low=0.0)
    energy = found.change**2
    return render(
        "felt",
        **shared(explorer, asked, spot, grid),
        title="Places that feel a pixel",
        side=squares(asked.loaded(explorer).preprocess.shape)[2],
        change=data_uri(painted(found.change, scale)),
        scale=scale,
        can=data_uri(shade(found.can)),
        count=int(found.can.sum()),
        shares=[(share, int(held(energy, share).sum())) for share in SHARES],
        places=found.can.size,
        outside=1 - found.inside if energy.any() else 0.0,
        python=python(asked, spot, "square", spot.within(grid)),
    )


def felt(explorer: Explorer, asked: Asked, spot: Spot) -> tuple[tuple[int, int], Felt]:
    """The grid of squares over the image, and what feels the chosen one."""
    rows, columns, _ = squares(asked.loaded(explorer).preprocess.shape)
    square = spot.within((rows, columns))
    options = {"layer": spot.layer, "square": square, "channel": spot.channel}
    return (rows, columns), explorer.felt(asked.model, asked.open(), asked.weights, **options)


def shared(explorer: Explorer, asked: Asked, spot: Spot, grid: tuple[int, int]) -> dict:
    """What both directions show: the layer in colour, the image, and the cell of a grid that is marked."""
    colours = pca_colour(feature_map(asked.run(explorer), spot.layer))
    pixels, _ = seen(asked.open(), asked.loaded(explorer).preprocess)
    return {
        "layer": spot.layer,
        "channel": spot.channel,
        "map": data_uri((255 * colours).round().astype(np.uint8)),
        "map_grid": spot.grid,
        "picture": data_uri(np.asarray(pixels)),
        "wide": pixels.width,
        "high": pixels.height,
        "grid": grid,
        "cell": spot.within(grid),
    }


def python(asked: Asked, spot: Spot, name: str, cell: tuple[int, int]) -> str:
    options = f'layer="{spot.layer}", {name}={cell}, channel={spot.channel}'
    if name == "square":
        return asked.python(
            f"found = explorer.felt(model, picture, weights, {options})",
            "print(found.change, found.can)  # [rows, columns] of the layer",
        )
    return asked.python(
        f"found = explorer.effective_field(model, picture, weights, {options})",
        f"can = explorer.theoretical_field(model, weights, {options})",
        "print(found.energy, found.pixels, can.sum())  # [h, w] of the image",
    )


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
    layer = known_layer(names, layer)
    offered = [ALL, *channels_of(run.activations[layer].value.shape[-1])]
    channel = channel if channel in offered else ALL
    return (
        gr.Dropdown([(short(name), name) for name in names], value=layer),
        gr.Slider(1, max(2, len(names)), value=names.index(layer) + 1),
        gr.Dropdown(offered, value=channel),
        gr.Button(interactive=direction == MOVES),
        question(turn, direction, layer, place, channel),
    )


def at_depth(
    explorer: Explorer, asked: Asked, turn: str, direction: str, place: int, channel: str, depth: float
) -> tuple:
    """The same for the layer at a depth, which counts from one; the slider stays as it is."""
    names = layers(asked.run(explorer))
    layer = names[min(max(int(depth), 1), len(names)) - 1]
    menu, _, *others = fitted(explorer, asked, turn, direction, layer, place, channel)
    return menu, *others


def clicked(turn: str, direction: str, layer: str, channel: str, event: gr.EventData) -> tuple[int, str]:
    """The place, and what is asked now; the name of the map says how many rows and columns it has."""
    name, row, column = placed(event)
    rows, columns = map(int, name.split()[1:])
    place = place_of(row, column, (rows, columns))
    return place, question(turn, direction, layer, place, channel)


def build(lenses: Lenses) -> None:
    with gr.Row(elem_classes="controls", elem_id="directions"):
        direction = gr.Radio(
            DIRECTIONS, value=MOVES, label="Show", show_label=False, container=False, elem_id="direction"
        )
        go = gr.Button("Average over the examples", scale=0, min_width=280, elem_id="average")
        stop = gr.Button("Stop", interactive=False, scale=0, min_width=70, elem_id="average-stop")
    with gr.Row(elem_classes="controls"):
        layer = Menu([], label="Layer", elem_id="field-layer", min_width=180)
        depth = Amount(1, 2, value=1, step=1, label="Depth", elem_id="depth", min_width=180, buttons=[])
        channel = Menu([], label="Channel", elem_id="unit", min_width=100)
    place = Whole(MIDDLE, visible="hidden", elem_id="field-place")
    asking = gr.Textbox(visible="hidden", elem_id="field-asked")
    view, way = View(elem_id="field"), View(elem_id="growth")
    chosen = [direction, layer, place, channel]
    drawn = asking.change(**lenses.draws("field", draw, chosen, [view], show_progress="minimal"))
    strip_runs = wire_growth(lenses, chosen, way, drawn)
    average_run = go.click(
        bound(average, lenses.explorer), [*lenses.rail.inputs, *chosen], [view, stop], **SLOW
    )
    stopping(stop, [average_run])
    asking.change(lambda: IDLE, None, stop, cancels=[average_run, *strip_runs], **PICK)
    lenses.running += [average_run, *strip_runs]
    wire_choices(lenses, chosen, depth, go, asking, view, way)
    lenses.saves.wire(view, bound(save, lenses.explorer), lenses.rail.inputs, chosen)
    lenses.named |= {"direction": direction, "at": layer, "place": place, "unit": channel}


def wire_growth(lenses: Lenses, chosen: list, way: View, drawn) -> list:
    """The strip follows the view; gives the events that fill it, to be stopped by what is asked next."""
    inputs = [*lenses.inputs, *chosen]
    strip = {"fn": bound(growth.draw_if_cheap, lenses.explorer), "inputs": inputs, "outputs": way}
    strip |= lane("growth")
    grown = drawn.success(**strip)
    asked = way.more(**{**strip, "fn": bound(growth.draw, lenses.explorer)})
    lenses.listeners.append(strip)
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
    way.pick(picked, None, layer, **PICK).then(**fit, **PICK)
