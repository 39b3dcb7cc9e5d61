"""How the receptive field of one place grows from layer to layer, as a strip that fills as it is computed."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr
import numpy as np

from explorer.explorer import Explorer
from explorer.figures.colour import painted, scale_of
from explorer.figures.fields import amplitude, shade
from explorer.figures.mosaic import in_a_row
from explorer.figures.raster import data_uri
from explorer.mixing.receptive_field import held, squares
from explorer.ui.components import render
from explorer.ui.downloads import npz, saved_figure
from explorer.ui.events import Place
from explorer.ui.selection import Selection
from explorer.ui.tabs.mixing.place import ALL, FEELS, ChosenPlace, FieldQuestion, chosen_place
from models.layer_names import short

AT_ONCE = 2.0  # seconds; what is cheaper runs without being asked
PASSES = 3  # forward passes a layer costs on average, of which half the layers are in the first half


@dataclass(frozen=True)
class Step:
    """One layer on the way; arrays are [h, w], of pixels, or of places of the layer."""

    layer: str
    can: np.ndarray  # bool, what is possible
    measured: np.ndarray  # what is the case
    energy: np.ndarray

    @property
    def half(self) -> float:
        """The part of it that holds half of the energy."""
        return float(held(self.energy, 0.5).mean())


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
    for step in followed(explorer, selection, direction, chosen):
        steps = [*steps, step]
        yield page(selection, explorer, direction, chosen, steps)


def followed(explorer: Explorer, selection: Selection, direction: str, chosen: ChosenPlace) -> Iterator[Step]:
    """The same place in each layer, first to last."""
    for layer in explorer.depth(selection.model, selection.weights):
        here = chosen_place(explorer, selection, layer, chosen.place, ALL)
        yield feeling(explorer, selection, here) if direction == FEELS else moving(explorer, selection, here)


def moving(explorer: Explorer, selection: Selection, chosen: ChosenPlace) -> Step:
    """Which pixels move the place, in this layer."""
    where: dict[str, Any] = {"layer": chosen.layer, "place": chosen.within(chosen.grid)}
    can = explorer.theoretical_field(selection.model, selection.weights, **where)
    energy = explorer.effective_field(*selection.question, **where).energy
    return Step(chosen.layer, can, amplitude(energy), energy)


def feeling(explorer: Explorer, selection: Selection, chosen: ChosenPlace) -> Step:
    """Which places of this layer feel the pixel."""
    rows, columns, _ = squares(selection.loaded(explorer).preprocess.shape)
    square = chosen.within((rows, columns))
    found = explorer.sensitivity_map(*selection.question, layer=chosen.layer, square=square)
    return Step(chosen.layer, found.can, found.change, found.change**2)


def column(step: Step) -> dict[str, Any]:
    """A layer for the screen."""
    scale = scale_of(step.measured, signed=False)._replace(low=0.0)
    return {
        "layer": step.layer,
        "can": data_uri(shade(step.can)),
        "measured": data_uri(painted(step.measured, scale)),
        "scale": scale,
        "share": float(step.can.mean()),
        "half": step.half,
    }


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
        steps=[column(step) for step in steps],
        total=len(way),
        seconds=seconds,
        chosen=chosen.layer,
        feels=direction == FEELS,
        picture=data_uri(pixels),
        wide=pixels.shape[1],
        high=pixels.shape[0],
        python=python(selection, direction, chosen.place, squares(pixels.shape[:2])[:2]),
    )


def python(selection: Selection, direction: str, place: Place, grid: tuple[int, int]) -> str:
    """Of each layer what is possible, and the part that holds half of the energy.

    grid: rows and columns of the squares of the picture.
    """
    feels = [
        f"    where = {{'layer': layer, 'square': {place.cell(*grid)}}}",
        "    found = explorer.sensitivity_map(model, picture, weights, **where)",
        "    can, energy = found.can, found.change**2",
    ]
    moves = [
        "    _, rows, columns, _ = run.activations[layer].value.shape",
        f"    place = int({place.row:g} * rows), int({place.column:g} * columns)",
        "    where = {'layer': layer, 'place': place}",
        "    can = explorer.theoretical_field(model, weights, **where)",
        "    energy = explorer.effective_field(model, picture, weights, **where).energy",
    ]
    return selection.python(
        "run = explorer.inspect(model, picture, weights)",
        "for layer in explorer.depth(model, weights):",
        *(feels if direction == FEELS else moves),
        "    print(layer, can.mean(), held(energy, 0.5).mean())",
        imports="from explorer.mixing.receptive_field import held",
    )


def save(explorer: Explorer, selection: Selection, *, kind: str, direction: str, **where_to):
    """The strip as one drawing of what is the case, or its numbers."""
    steps = list(followed(explorer, selection, direction, chosen_place(explorer, selection, **where_to)))
    name = f"{selection.model}_along_the_depth"
    if kind == "npz":
        possible = {f"{step.layer}_possible": step.can for step in steps}
        measured = {f"{step.layer}_measured": step.measured for step in steps}
        axes = {
            **dict.fromkeys(possible, "row column: possible or not"),
            "": "row column: size of the gradient",
        }
        return npz(name, axes, **possible, **measured)
    maps = [step.measured for step in steps]
    drawn = in_a_row(maps, [short(step.layer) for step in steps], title=selection.model, signed=False)
    return saved_figure(drawn, kind, name)
