"""What the lens on receptive fields shows: the field of a place, or what feels a pixel, over the picture."""

from typing import Any

import numpy as np

from explorer.explorer import Explorer
from explorer.features.feature_maps import feature_map, pca_colour
from explorer.figures.colour import painted, scale_of
from explorer.figures.fields import amplitude, levels_painted, shade
from explorer.figures.raster import data_uri
from explorer.mixing.receptive_field import SHARES, EffectiveField, SensitivityMap, held, squares
from explorer.ui.components import render
from explorer.ui.selection import Selection
from explorer.ui.tabs.mixing.place import ChosenPlace


def field(explorer: Explorer, selection: Selection, chosen: ChosenPlace) -> EffectiveField:
    return explorer.effective_field(*selection.question, **where(chosen))


def where(chosen: ChosenPlace) -> dict[str, Any]:
    return {"layer": chosen.layer, "place": chosen.within(chosen.grid), "channel": chosen.channel}


def field_page(
    explorer: Explorer, selection: Selection, chosen: ChosenPlace, found: EffectiveField, total: int = 1
) -> str:
    """total: over how many pictures the field is going to be averaged."""
    can = explorer.theoretical_field(selection.model, selection.weights, **where(chosen))
    sizes, energy = amplitude(found.energy), float(found.energy.sum(dtype=np.float64))
    outside = float(found.energy[~can].sum(dtype=np.float64)) / energy if energy else 0.0
    scale = scale_of(sizes, signed=False)._replace(low=0.0)
    return render(
        "field",
        **shared(explorer, selection, chosen, chosen.grid),
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
        mixtures=found.mixtures,
        error=found.error,
        python=python(selection, chosen, "place", chosen.within(chosen.grid)),
    )


def sensitivity_page(explorer: Explorer, selection: Selection, chosen: ChosenPlace) -> str:
    grid, found = sensitivity_map(explorer, selection, chosen)
    scale = scale_of(found.change, signed=False)._replace(low=0.0)
    energy = found.change**2
    return render(
        "sensitivity_map",
        **shared(explorer, selection, chosen, grid),
        title="Places that feel a pixel",
        side=squares(selection.loaded(explorer).preprocess.shape)[2],
        change=data_uri(painted(found.change, scale)),
        scale=scale,
        can=data_uri(shade(found.can)),
        count=int(found.can.sum()),
        shares=[(share, int(held(energy, share).sum())) for share in SHARES],
        places=found.can.size,
        outside=1 - found.inside if energy.any() else 0.0,
        python=python(selection, chosen, "square", chosen.within(grid)),
    )


def sensitivity_map(
    explorer: Explorer, selection: Selection, chosen: ChosenPlace
) -> tuple[tuple[int, int], SensitivityMap]:
    """The grid of squares over the image, and what feels the chosen one."""
    rows, columns, _ = squares(selection.loaded(explorer).preprocess.shape)
    square = chosen.within((rows, columns))
    asks: dict[str, Any] = {"layer": chosen.layer, "square": square, "channel": chosen.channel}
    return (rows, columns), explorer.sensitivity_map(*selection.question, **asks)


def shared(explorer: Explorer, selection: Selection, chosen: ChosenPlace, grid: tuple[int, int]) -> dict:
    """What both directions show: the layer in colour, the image, and the cell of a grid that is marked."""
    colours = pca_colour(feature_map(selection.run(explorer), chosen.layer))
    pixels = selection.pixels(explorer)
    return {
        "layer": chosen.layer,
        "channel": chosen.channel,
        "map": data_uri((255 * colours).round().astype(np.uint8)),
        "map_grid": chosen.grid,
        "picture": data_uri(pixels),
        "wide": pixels.shape[1],
        "high": pixels.shape[0],
        "grid": grid,
        "cell": chosen.within(grid),
    }


def python(selection: Selection, chosen: ChosenPlace, name: str, cell: tuple[int, int]) -> str:
    options = f'layer="{chosen.layer}", {name}={cell}, channel={chosen.channel}'
    if name == "square":
        return selection.python(
            f"found = explorer.sensitivity_map(model, picture, weights, {options})",
            "print(found.change, found.can)  # [rows, columns] of the layer",
        )
    return selection.python(
        f"found = explorer.effective_field(model, picture, weights, {options})",
        f"can = explorer.theoretical_field(model, weights, {options})",
        "print(found.energy, found.error, found.pixels, can.sum())  # [h, w] of the image",
    )
