"""Results that are told in tables: score cards, costs, from where channels come, and lines of code."""

from explorer.attribution.registry import METHODS
from explorer.attribution.score_card import ScoreCard
from explorer.code_walk.tracing import Made
from explorer.code_walk.walk import Step, Walk
from explorer.features.block_costs import Costs
from explorer.figures.colour import scale_of
from explorer.in_notebook import DRAWINGS
from explorer.mixing.shift_impulses import Group, Impulses
from explorer.notebook.pieces import Cell, coloured, html, table
from models.layer_names import short

LINES = 80  # of a walk; the rest is counted
LONGEST = 200  # letters of a line


def score_card(found: ScoreCard) -> str:
    """What the card says so far, and the areas under the curves of the map and its controls."""
    rows = [
        [Cell(METHODS[name].title), *(Cell(f"{value:.2f}") for value in (*curves.areas, curves.score))]
        for name, curves in found.curves.items()
    ]
    further = {"infidelity": found.infidelity, "sensitivity": found.sensitivity}
    measured = [f"{name} {value:.2f}" for name, value in further.items() if value is not None]
    said = "; ".join([f"{found.done} of {found.total} parts", *filter(None, [found.line]), *measured])
    columns = ("map", "deletion", "insertion", "insertion - deletion")
    return html(
        f"Score card, {METHODS[found.method].title}, class {found.target}", said, columns=columns, rows=rows
    )


def costs(found: Costs) -> str:
    """What every block costs; each column has colours of its own."""
    numbers = {
        "parameters": (found.parameters, ",.0f"),
        "multiply-adds": (found.multiply_adds, ",.0f"),
        "ms": (found.seconds * 1e3, ".2f"),
        "MB": (found.bytes / 1e6, ".2f"),
    }
    columns = [
        coloured(values[None], scale_of(values, signed=False), written)[0]
        for values, written in numbers.values()
    ]
    rows = [list(row) for row in zip(*columns, strict=True)]
    total = f"{found.parameters.sum():,} parameters, {found.multiply_adds.sum():,} multiply-adds"
    names = [short(block) for block in found.blocks]
    return html(f"Costs of {found.model}", total, columns=("block", *numbers), rows=table(names, rows))


def impulses(found: Impulses) -> str:
    """From where each group of channels gets its values."""
    return html(
        f"Where channels come from, {found.step}",
        f"{int(found.untouched.sum())} of {len(found.own)} channels stay as they are",
        columns=("channels", "places read", "channels read", "rows down, columns right"),
        rows=[group_row(group) for group in found.groups],
    )


def group_row(group: Group) -> list[Cell]:
    rows, columns = group.extent
    source = "{:+d}, {:+d}".format(*group.source) if group.source else "mixed"
    told = (f"{group.first} to {group.last}", f"{rows} × {columns}", str(group.reads), source)
    return [Cell(words) for words in told]


def walk(found: Walk) -> str:
    """Every line that ran, and what it made."""
    shown = found.steps[:LINES]
    rest = len(found.steps) - len(shown)
    said = f"{len(found.steps)} lines in {found.seconds * 1e3:.1f} ms" + (
        f", {rest} of them not shown" if rest else ""
    )
    return html(
        f"{found.title} {short(found.block)}".strip(),
        said,
        columns=("line", "source", "made"),
        rows=[step_row(step) for step in shown],
    )


def step_row(step: Step) -> list[Cell]:
    source = step.statement.source
    cut = source if len(source) <= LONGEST else source[:LONGEST] + " ..."
    return [Cell(str(step.statement.first)), Cell(cut), Cell("; ".join(map(made, step.made)))]


def made(one: Made) -> str:
    """A tensor in words: its name, its axes with their lengths, and its mean."""
    named = zip(one.axes, one.value.shape, strict=True)
    axes = (str(size) if axis == str(size) else f"{axis} {size}".strip() for axis, size in named)
    return f"{one.name} [{', '.join(axes)}] mean {float(one.value.double().mean()):.3g}"


DRAWINGS.update({ScoreCard: score_card, Costs: costs, Impulses: impulses, Walk: walk})
