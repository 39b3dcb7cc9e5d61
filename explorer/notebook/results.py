"""Each kind of result as small HTML that stands alone: a map as pixels, a table with coloured cells."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from explorer.attribution.registry import METHODS, Attribution
from explorer.capture import Run
from explorer.features.comparison import Likeness
from explorer.figures.colour import Scale, ink, painted, scale_of
from explorer.figures.fields import amplitude
from explorer.figures.raster import data_uri
from explorer.in_notebook import DRAWINGS
from explorer.mixing.receptive_field import EffectiveField, SensitivityMap
from explorer.reweighting.ablation import KnockOut
from explorer.reweighting.branch_weights import BlockWeights, branch_weights
from explorer.reweighting.gate_effects import GateEffects
from models.layer_names import short

TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
WIDE = 224  # pixels of a map on the screen
CLASSES = 5  # likeliest ones told


class Cell(NamedTuple):
    """A cell of a table; coloured where the number is part of a map."""

    text: str
    colour: str = ""
    ink: str = ""


def html(title: str, said: str = "", **told: Any) -> str:
    usual = {"pixels": "", "width": WIDE, "scale": "", "columns": (), "rows": ()}
    return TEMPLATES.get_template("result.html").render(title=title, said=said, **(usual | told))


def a_map(title: str, said: str, values: np.ndarray, unit: str, *, signed: bool) -> str:
    """Values `[h, w]` as they are, a cell a pixel that the browser enlarges, and what the colours mean."""
    scale = scale_of(values, signed=signed)
    told = f"{scale.low:.3g} to {scale.high:.3g}, {unit}" if unit else f"{scale.low:.3g} to {scale.high:.3g}"
    return html(title, said, pixels=data_uri(painted(values, scale)), scale=told)


def coloured(values: np.ndarray, scale: Scale, written: str) -> list[list[Cell]]:
    """Numbers `[rows, columns]` as cells; of what is no number, an empty grey one."""
    return [
        [cell(value, pixel, written) for value, pixel in zip(line, pixels, strict=True)]
        for line, pixels in zip(values, painted(values, scale), strict=True)
    ]


def cell(value: float, pixel: np.ndarray, written: str) -> Cell:
    red, green, blue = pixel.tolist()
    text = format(value, written) if np.isfinite(value) else ""
    return Cell(text, f"rgb({red} {green} {blue})", ink(pixel))


def table(names: Sequence[str], cells: list[list[Cell]]) -> list[list[Cell]]:
    """The cells with a name in front of each row."""
    return [[Cell(name), *row] for name, row in zip(names, cells, strict=False)]


def run(found: Run) -> str:
    """The likeliest classes by number, as a pass knows no names, and the mean share of each branch."""
    logits = found.logits[0].tolist()
    order = sorted(range(len(logits)), key=lambda one: -logits[one])[:CLASSES]
    chance = found.logits[0].softmax(dim=0).tolist()
    said = f"{len(found.activations)} tensors seen in {found.seconds:.2g} s"
    first = html(
        "One pass",
        said,
        columns=("class", "probability", "logit"),
        rows=[[Cell(str(one)), Cell(f"{chance[one]:.1%}"), Cell(f"{logits[one]:.2f}")] for one in order],
    )
    blocks = branch_weights(found)
    return first + shares(blocks) if blocks else first


def shares(blocks: tuple[BlockWeights, ...]) -> str:
    means = np.stack([block.mean for block in blocks])
    cells = coloured(means, Scale(0.0, 1.0, False), ".1%")
    names = [short(block.block) for block in blocks]
    return html("Mean share of each branch", columns=("block", *blocks[0].branches), rows=table(names, cells))


def attribution(found: Attribution) -> str:
    method = METHODS[found.method]
    said = "; ".join(filter(None, [f"{found.done} of {found.total} parts", found.warning]))
    title = f"{method.title}, {found.label}"
    return a_map(title, said, found.values, method.unit, signed=found.signed)


def knock_out(found: KnockOut) -> str:
    """What the logit changes by without each branch, as far as it is done."""
    cells = coloured(found.delta, scale_of(found.delta, signed=True), "+.2f")
    names = [short(block) for block in found.blocks]
    said = f"{found.mode}; change of the logit {found.logit:.2f} of class {found.target}"
    return html("Knock-out", said, columns=("block", *found.branches), rows=table(names, cells))


def gate_effects(found: GateEffects) -> str:
    cells = coloured(found.delta, scale_of(found.delta, signed=True), "+.2f")
    said = f"change of the logit {found.logit:.2f} of class {found.target}"
    return html("Gates changed", said, columns=("gate", *found.modes), rows=table(found.gates, cells))


def effective_field(found: EffectiveField) -> str:
    row, column = found.place
    said = f"row {row}, column {column} of {short(found.layer)}"
    return a_map("Receptive field", said, amplitude(found.energy), "size of the gradient", signed=False)


def sensitivity_map(found: SensitivityMap) -> str:
    said = f"{short(found.layer)}; pixels {', '.join(map(str, found.square))}"
    return a_map("What a square moves", said, found.change, "in units of the layer", signed=False)


def likeness(found: Likeness) -> str:
    cells = coloured(found.values, Scale(0.0, 1.0, False), ".2f")
    first, second = found.models
    columns = (f"{first} \\ {second}", *map(short, found.columns))
    return html("Likeness (linear CKA)", columns=columns, rows=table(list(map(short, found.rows)), cells))


DRAWINGS.update(
    {
        Run: run,
        Attribution: attribution,
        KnockOut: knock_out,
        GateEffects: gate_effects,
        EffectiveField: effective_field,
        SensitivityMap: sensitivity_map,
        Likeness: likeness,
    }
)
