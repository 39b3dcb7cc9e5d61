"""Results that are maps, and tables of the numbers of a map."""

import numpy as np

from explorer.attribution.registry import METHODS
from explorer.attribution.running import Attribution
from explorer.capture import Run
from explorer.features.comparison import Likeness
from explorer.figures.colour import Scale, scale_of
from explorer.figures.fields import amplitude
from explorer.in_notebook import DRAWINGS
from explorer.mixing.receptive_field import EffectiveField, SensitivityMap
from explorer.notebook.pieces import Cell, a_map, coloured, html, table
from explorer.reweighting.ablation import KnockOut
from explorer.reweighting.branch_weights import BlockWeights, branch_weights
from explorer.reweighting.gate_attribution import PATHS, GateAttribution
from explorer.reweighting.gate_effects import GateEffects
from models.layer_names import short

CLASSES = 5  # likeliest ones told


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


def block_weights(found: BlockWeights) -> str:
    """The shares of one block: their mean, and between what four of five channels lie."""
    low, high = np.percentile(found.values, (10, 90), axis=1)
    cells = coloured(np.stack([found.mean, low, high], axis=1), Scale(0.0, 1.0, False), ".1%")
    told = f"{found.values.shape[1]} channels, in {found.saturated:.0%} one branch decides"
    said = told if found.learned else "nothing is learned here: shares of size"
    return html(
        f"Branch weights, {short(found.block)}",
        said,
        columns=("branch", "mean", "10 %", "90 %"),
        rows=table(found.branches, cells),
    )


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


def gate_attribution(found: GateAttribution) -> str:
    """What each gate accounts for, what the logit truly changes by along its path, and the gap of the two."""
    values = np.array([[one.total, one.change, one.gap] for one in found.owed])
    said = f"{PATHS[found.path]}; of the logit {found.logit:.2f} of class {found.target}"
    cells = coloured(values, scale_of(values, signed=True), "+.3f")
    names = [one.gate for one in found.owed]
    return html("Gates explained", said, columns=("gate", "owed", "change", "gap"), rows=table(names, cells))


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
        BlockWeights: block_weights,
        Attribution: attribution,
        KnockOut: knock_out,
        GateEffects: gate_effects,
        GateAttribution: gate_attribution,
        EffectiveField: effective_field,
        SensitivityMap: sensitivity_map,
        Likeness: likeness,
    }
)
