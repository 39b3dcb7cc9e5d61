"""Where lines, bands and dots of the survey's plots lie, in shares of their frames."""

from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib
import numpy as np

from explorer.survey.found import ByClass, Rows, blended
from models.layer_names import short

WIDE, HIGH = 100.0, 60.0  # of the frame a plot is drawn in
COLOURS = tuple(matplotlib.colors.to_hex(matplotlib.colormaps["tab20"](at)) for at in range(20))
GREY = "#8a94a6"
MOST_DOTS = 600
EDGE = 0.04  # of a frame that stays free


@dataclass(frozen=True)
class Line:
    """One class across the depth."""

    label: str
    colour: str
    way: str  # points of an SVG polyline
    band: str  # of a polygon: the interval about it
    dots: tuple[tuple[float, float, str], ...]  # across, down, and what stands there


@dataclass(frozen=True)
class Panel:
    """One branch of several blocks that have the same branches."""

    branch: str
    low: float  # the value at the lower edge
    high: float
    blocks: tuple[str, ...]
    lines: tuple[Line, ...]


def colour_of(kind: int) -> str:
    """As in a report."""
    return COLOURS[(2 * kind + kind // 10) % 20]


def panels(classes: Sequence[str], compared: Sequence[ByClass]) -> list[Panel]:
    """The means of every class with their intervals, a panel a branch, blocks in the order of the pass."""
    made = []
    for branches in dict.fromkeys(one.branches for one in compared):
        alike = [one for one in compared if one.branches == branches]
        low = min(float(one.low.min()) for one in alike)
        high = max(float(one.high.max()) for one in alike)
        blocks = tuple(short(one.compared.block) for one in alike)
        for number, branch in enumerate(branches):
            lines = tuple(
                line(label, kind, number, alike, blocks, (low, high)) for kind, label in enumerate(classes)
            )
            made.append(Panel(branch, low, high, blocks, lines))
    return made


def line(
    label: str,
    kind: int,
    branch: int,
    alike: Sequence[ByClass],
    blocks: Sequence[str],
    ends: tuple[float, float],
) -> Line:
    """A class in one panel, whose values go from the first of `ends` at its foot to the second."""
    across = [WIDE * (number + 0.5) / len(alike) for number in range(len(alike))]
    means = [float(one.compared.means[kind, branch]) for one in alike]
    lows = [float(one.low[kind, branch]) for one in alike]
    highs = [float(one.high[kind, branch]) for one in alike]
    heights = [down(value, ends) for value in means]
    band = [*zip(across, [down(one, ends) for one in highs], strict=True)]
    band += reversed([*zip(across, [down(one, ends) for one in lows], strict=True)])
    said = [
        f"{label}, {block}: {100 * mean:.1f} % ({100 * low:.1f} to {100 * high:.1f})"
        for block, mean, low, high in zip(blocks, means, lows, highs, strict=True)
    ]
    return Line(
        label,
        colour_of(kind),
        way([*zip(across, heights, strict=True)]),
        way(band),
        tuple(zip(across, heights, said, strict=True)),
    )


def down(value: float, ends: tuple[float, float]) -> float:
    """How far below the upper edge a value lies, with a little room above and below."""
    low, high = ends
    share = (value - low) / (high - low) if high > low else 0.5
    return HIGH * (1 - EDGE - (1 - 2 * EDGE) * share)


def way(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{across:.2f},{height:.2f}" for across, height in points)


@dataclass(frozen=True)
class Scatter:
    """Pictures as dots, by two numbers of each."""

    across: tuple[str, ...]  # what goes from left to right, and of which block
    down: tuple[str, ...]  # what goes from the foot up
    ends: tuple[float, float, float, float]  # left, right, foot, top
    rows: np.ndarray  # [n] of the survey
    places: np.ndarray  # [n, 2], shares of the frame from the left and from above
    colours: tuple[str, ...]

    def nearest(self, row: float, column: float) -> int:
        """The row of the survey whose dot is nearest to a place, in shares from above and from the left."""
        apart = (self.places - [column, row]) ** 2
        return int(self.rows[apart.sum(axis=1).argmin()])


def scatter(rows: Rows, classes: Sequence[str], compared: Sequence[ByClass]) -> Scatter | None:
    """By the two numbers that tell the classes apart best; None where there are no two."""
    named = two_numbers(rows, compared)
    if not named or not len(rows):
        return None
    (across, first), (down_, second) = named
    step = max(1, -(-len(rows) // MOST_DOTS))
    taken = np.arange(0, len(rows), step)
    kinds = {label: number for number, label in enumerate(classes)}
    shown = [label or "" for label in rows.shown]
    colours = tuple(colour_of(kinds[shown[at]]) if shown[at] in kinds else GREY for at in taken)
    (left, right), (foot, top) = ends_of(first[taken]), ends_of(second[taken])
    places = np.stack([placed(first[taken], left, right), 1 - placed(second[taken], foot, top)], axis=1)
    return Scatter(across, down_, (left, right, foot, top), taken, places, colours)


def two_numbers(rows: Rows, compared: Sequence[ByClass]) -> list[tuple[tuple[str, ...], np.ndarray]]:
    """What the dots are placed by: two branches of one block, two gates, or what the model says."""
    if compared:
        best = max(compared, key=lambda one: one.compared.explained)
        if len(best.branches) > 1:
            spread = best.compared.means.std(axis=0)
            chosen = sorted(np.argsort(-spread, kind="stable")[:2])
            values = blended(rows, best.column)
            where = short(best.compared.block)
            return [((best.branches[one], where), values[:, one]) for one in chosen]
        gates = sorted(compared, key=lambda one: -one.compared.explained)[:2]
        if len(gates) == 2:
            return [(("open", short(one.compared.block)), blended(rows, one.column)[:, 0]) for one in gates]
    if "foreignness" in rows.columns and "top_probability" in rows.columns:
        sure = np.asarray(rows.columns["top_probability"][:, 0], float)
        return [(("how foreign",), np.asarray(rows.columns["foreignness"], float)), (("probability",), sure)]
    return []


def ends_of(values: np.ndarray) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def placed(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Shares of a frame, with a little room at both ends."""
    return EDGE + (1 - 2 * EDGE) * (values - low) / (high - low)
