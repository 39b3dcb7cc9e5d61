"""How the receptive field of one place grows from layer to layer, as a strip that fills as it is computed."""

from collections.abc import Iterator
from dataclasses import dataclass

import gradio as gr
import numpy as np

from explorer.explorer import Explorer
from explorer.figures.colour import painted, scale_of
from explorer.figures.fields import amplitude, shade
from explorer.figures.raster import data_uri
from explorer.mixing.receptive_field import held, squares
from explorer.pictures import seen
from explorer.ui.components import render
from explorer.ui.selection import Asked
from explorer.ui.tabs.mixing.place import ALL, FEELS, Spot, spot_of

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
    explorer: Explorer, asked: Asked, turn: str, now: str, asking: str, direction: str, *chosen
) -> Iterator[str]:
    """The strip where it is seen and takes no time; else how long it would take."""
    if now != "field" or not asking:
        yield gr.skip()
        return
    seconds = asked.pass_seconds(explorer) * PASSES * len(explorer.depth(asked.model, asked.weights))
    if seconds > AT_ONCE:
        yield page(asked, explorer, direction, spot_of(explorer, asked, *chosen), [], round(seconds))
        return
    yield from draw(explorer, asked, turn, now, asking, direction, *chosen)


def draw(
    explorer: Explorer, asked: Asked, _turn: str, _now: str, _asking: str, direction: str, *chosen
) -> Iterator[str]:
    """The strip with one layer more each time."""
    spot = spot_of(explorer, asked, *chosen)
    steps: list[Step] = []
    for layer in explorer.depth(asked.model, asked.weights):
        here = spot_of(explorer, asked, layer, spot.place, ALL)
        step = feeling(explorer, asked, here) if direction == FEELS else moving(explorer, asked, here)
        steps = [*steps, step]
        yield page(asked, explorer, direction, spot, steps)


def moving(explorer: Explorer, asked: Asked, spot: Spot) -> Step:
    """Which pixels move the place, in this layer."""
    where = {"layer": spot.layer, "place": spot.within(spot.grid)}
    can = explorer.theoretical_field(asked.model, asked.weights, **where)
    energy = explorer.effective_field(asked.model, asked.open(), asked.weights, **where).energy
    return step(spot.layer, can, amplitude(energy), energy)


def feeling(explorer: Explorer, asked: Asked, spot: Spot) -> Step:
    """Which places of this layer feel the pixel."""
    rows, columns, _ = squares(asked.loaded(explorer).preprocess.shape)
    square = spot.within((rows, columns))
    found = explorer.felt(asked.model, asked.open(), asked.weights, layer=spot.layer, square=square)
    return step(spot.layer, found.can, found.change, found.change**2)


def step(layer: str, can: np.ndarray, values: np.ndarray, energy: np.ndarray) -> Step:
    scale = scale_of(values, signed=False)._replace(low=0.0)
    half = float(held(energy, 0.5).mean())
    return Step(layer, data_uri(shade(can)), data_uri(painted(values, scale)), float(can.mean()), half)


def page(
    asked: Asked, explorer: Explorer, direction: str, spot: Spot, steps: list[Step], seconds: int = 0
) -> str:
    """seconds: how long it would take, where it waits to be asked."""
    pixels, _ = seen(asked.open(), asked.loaded(explorer).preprocess)
    way = explorer.depth(asked.model, asked.weights)
    return render(
        "growth",
        title="Along the depth",
        steps=steps,
        total=len(way),
        seconds=seconds,
        chosen=spot.layer,
        feels=direction == FEELS,
        picture=data_uri(np.asarray(pixels)),
        wide=pixels.width,
        high=pixels.height,
        python=asked.python(
            "for layer in explorer.depth(model, weights):",
            "    shape = explorer.inspect(model, picture, weights).activations[layer].value.shape",
            "    place = shape[1] // 2, shape[2] // 2",
            "    can = explorer.theoretical_field(model, weights, layer=layer, place=place)",
            "    found = explorer.effective_field(model, picture, weights, layer=layer, place=place)",
            "    print(layer, can.mean(), found.pixels)",
        ),
    )
