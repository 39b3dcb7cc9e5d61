"""Answers as plain data, for programs: what the named endpoints return and the command line prints."""

from typing import Any

from explorer.any_model.find import Found
from explorer.attribution.options import OPTIONS, Options
from explorer.attribution.registry import METHODS
from explorer.attribution.running import Attribution
from explorer.capture import Run
from explorer.errors import ChoiceError
from explorer.predictions import Prediction
from explorer.reweighting.ablation import KnockOut
from explorer.reweighting.branch_weights import branch_weights
from models.registry import card

Answer = dict[str, Any]  # of texts, numbers, lists and such answers


def classes(found: tuple[Prediction, ...]) -> list[Answer]:
    """The likeliest classes, likeliest first."""
    return [{"index": one.index, "label": one.label, "probability": one.probability} for one in found]


def shares(model: str, weights: str | None, run: Run) -> Answer:
    """The share of every branch in every channel of every block.

    Raises ChoiceError for a model without split attention.
    """
    blocks = branch_weights(run)
    if not blocks:
        raise ChoiceError(
            f"{model} has no split attention, so it has no branch weights. {card(model).mixing}".strip()
        )
    told = [
        {
            "block": block.block,
            "branches": list(block.branches),
            "mean": block.mean.tolist(),
            "values": block.values.tolist(),
        }
        for block in blocks
    ]
    return {"model": model, "weights": weights, "blocks": told}


def knocked_out(table: KnockOut) -> Answer:
    """What becomes of a logit, `delta` `[blocks][branches]`."""
    return {"blocks": table.blocks, "branches": table.branches, "delta": table.delta.tolist()}


def attribution(found: Attribution) -> Answer:
    """A finished map, `values` `[h][w]` in the unit of its method."""
    return {
        "method": found.method,
        "target": found.target,
        "label": found.label,
        "values": found.values.tolist(),
        "completeness_gap": found.completeness_gap,
        "steps": found.steps,
        "seconds": found.seconds,
        "warning": found.warning,
    }


def gates(found: Found) -> list[Answer]:
    """The gates of a model, in the order of a pass."""
    fields = "module", "kind", "activation", "applied_to", "sure"
    return [
        {**{name: getattr(gate, name) for name in fields}, "axes": list(gate.axes), "shape": list(gate.shape)}
        for gate in found.gates
    ]


def options_read(method: str, options: Options) -> Answer:
    """The options a method listens to, as they were."""
    return {name: getattr(options, name) for name in OPTIONS if METHODS[method].reads(name)}
