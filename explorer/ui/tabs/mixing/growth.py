"""How the receptive field of one place grows from layer to layer, as a strip that fills as it is computed."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr
import numpy as np

from explorer.explorer import Explorer
from explorer.figures.colour import painted, scale_of
from explorer.figures.fields import amplitude, shade
from explorer.figures.raster import data_uri
from explorer.mixing.receptive_field import held, squares
from explorer.ui.components import render
from explorer.ui.selection import Selection
from explorer.ui.tabs.mixing.place import ALL, FEELS, ChosenPlace, FieldQuestion, chosen_place

AT_ONCE = 2.0  # seconds; what is cheaper runs without being asked
PASSES = 3  # forward passes a layer costs on average, of which half the layers are in the first half


@dataclass(frozen=True)
class Step:
    """One layer on the way."""

    layer: str
    can: str  # data URI: what is possible
    measured: str  # data URI: what is the case
    share: float  # of the picture, or of the layer, that is possible
    half: float  # the part of it that holds half of the energy


def draw_if_cheap(
    explorer: Explorer,
    selection: Selection,
    *,
    answered: FieldQuestion,
    opened: str,
    direction: str,
    **where_to,
) -> Iterator[str]:
    """The strip where it is seen and takes no time; else how long it would take."""
    if opened != "field" or not answered.redraw.link:
        yield gr.skip()
        return
    count = len(explorer.depth(selection.model, selection.weights))
    seconds = selection.pass_seconds(explorer) * PASSES * count
    if seconds > AT_ONCE:
        chosen = chosen_place(explorer, selection, **where_to)
        yield page(selection, explorer, direction, chosen, [], round(seconds))
        return
    yield from draw(explorer, selection, direction=direction, **where_to)


def draw(explorer: Explorer, selection: Selection, *, direction: str, **where_to) -> Iterator[str]:
    """The strip with one layer more each time."""
    chosen = chosen_place(explorer, selection, **where_to)
    steps: list[Step] = []
    for layer in explorer.depth(selection.model, selection.weights):
        here = chosen_place(explorer, selection, layer, chosen.place, ALL)
        step = feeling(explorer, selection, here) if direction == FEELS else moving(explorer, selection, here)
        steps = [*steps, step]
        yield page(selection, explorer, direction, chosen, steps)


def moving(explorer: Explorer, selection: Selection, chosen: ChosenPlace) -> Step:
    """Which pixels move the place, in this layer."""
    where: dict[str, Any] = {"layer": chosen.layer, "place": chosen.within(chosen.grid)}
    can = explorer.theoretical_field(selection.model, selection.weights, **where)
    energy = explorer.effective_field(*selection.question, **where).energy
    return step(chosen.layer, can, amplitude(energy), energy)


def feeling(explorer: Explorer, selection: Selection, chosen: ChosenPlace) -> Step:
    """Which places of this layer feel the pixel."""
    rows, columns, _ = squares(selection.loaded(explorer).preprocess.shape)
    square = chosen.within((rows, columns))
    found = explorer.sensitivity_map(*selection.question, layer=chosen.layer, square=square)
    return step(chosen.layer, found.can, found.change, found.change**2)


def step(layer: str, can: np.ndarray, values: np.ndarray, energy: np.ndarray) -> Step:
    scale = scale_of(values, signed=False)._replace(low=0.0)
    half = float(held(energy, 0.5).mean())
    return Step(layer, data_uri(shade(can)), data_uri(painted(values, scale)), float(can.mean()), half)


def page(
    selection: Selection,
    explorer: Explorer,
    direction: str,
    chosen: ChosenPlace,
    steps: list[Step],
    seconds: int = 0,
) -> str:
    """seconds: how long it would take, where it waits to be asked."""
    pixels = selection.pixels(explorer)
    way = explorer.depth(selection.model, selection.weights)
    return render(
        "growth",
        title="Along the depth",
        steps=steps,
        total=len(way),
        seconds=seconds,
        chosen=chosen.layer,
        feels=direction == FEELS,
        picture=data_uri(pixels),
        wide=pixels.shape[1],
        high=pixels.shape[0],
        python=selection.python(
            "for layer in explorer.depth(model, weights):",
            "    shape = explorer.inspect(model, picture, weights).activations[layer].value.shape",
            "    place = shape[1] // 2, shape[2] // 2",
            "    can = explorer.theoretical_field(model, weights, layer=layer, place=place)",
            "    found = explorer.effective_field(model, picture, weights, layer=layer, place=place)",
            "    print(layer, can.mean(), found.pixels)",
        ),
    )
