"""What results in a notebook are made of: HTML that stands alone, with maps as pixels and coloured tables."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from explorer.figures.colour import Scale, ink, painted, scale_of
from explorer.figures.raster import data_uri

TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
WIDE = 224  # pixels of a map on the screen


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
