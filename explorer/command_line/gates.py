"""`python -m explorer gates timm:resnest14d`: what reweights in a model, as a table."""

import argparse

from explorer import answers
from explorer.any_model.find import Found
from explorer.command_line.asked import Answered
from explorer.explorer import Explorer
from models.registry import card

RANDOM = "The model draws random numbers in every pass; here they are the same each time.\n"
LINE = "{:<36} {:<11} {:<28} {:<16} {:<14} {}\n"


def gates(explorer: Explorer, asked: argparse.Namespace) -> Answered:
    """The gates of a model in the order of a pass; without weights asked for, the model's usual ones."""
    explorer.engine.models.join(asked.model)
    found = explorer.found(asked.model, asked.weights or usual(explorer, asked.model))
    return Answered(table(found), answers.gates(found))


def usual(explorer: Explorer, model: str) -> str | None:
    """The weights to take where none are asked for: what stands in a gate does not depend on them."""
    explorer.labels(model)  # refuses a name that is none
    return None if card(model).usual or card(model).weights else "random"


def table(found: Found) -> str:
    lines = [LINE.format("module", "kind", "axes", "shape", "activation", "applied to")]
    for gate in found.gates:
        shape = " x ".join(map(str, gate.shape))
        where = gate.applied_to or "(the model itself)"
        lines.append(LINE.format(gate.module, gate.kind, " ".join(gate.axes), shape, gate.activation, where))
    likely = sum(gate.sure != "sure" for gate in found.gates)
    said = f"{len(found.gates)} gates, {likely} of them told by a product alone; {len(found.layers)} layers"
    left = [f"{layer.module}: {layer.why}" for layer in found.undecided]
    return (
        "".join(lines)
        + f"{said}, the layout of {len(left)} undecided.\n"
        + "".join(f"{one}\n" for one in left)
        + (RANDOM if found.is_random else "")
    )
