"""What the views tell in tables, as endpoints."""

from dataclasses import asdict

from explorer import answers
from explorer.attribution.benchmark.protocols import PROTOCOLS
from explorer.attribution.benchmark.shipped import shipped as measured
from explorer.attribution.benchmark.truth_lab import row, shipped
from explorer.attribution.registry import METHODS
from explorer.errors import ChoiceError
from explorer.explorer import Explorer
from explorer.features.feature_maps import feature_map
from explorer.features.statistics import statistics
from explorer.mixing import matrices as learned
from explorer.reweighting.branch_weights import differences
from explorer.ui.endpoint_inputs import class_index, numbers
from explorer.ui.endpoint_work import whole


def familiarity(explorer: Explorer, picture: str | None, model: str, weights: str) -> dict:
    """Whether a picture is like those the weights know; null where nothing is known of them."""
    found = explorer.familiarity(model, picture, weights)
    told = None if found is None else {**asdict(found), "is_familiar": found.is_familiar}
    return {"model": model, "weights": weights, "familiarity": told}


def found(explorer: Explorer, model: str, weights: str) -> dict:
    """What watching a pass finds in a model: its gates, and its layers with their axes."""
    seen = explorer.found(model, weights)
    return {
        "gates": answers.gates(seen),
        "layers": [{"module": one.module, "shape": list(one.shape), "why": one.why} for one in seen.layers],
    }


def gate_effects(
    explorer: Explorer, picture: str | None, model: str, weights: str, target: float | None
) -> dict:
    """What a class gains or loses when a gate is made flat, opened or closed; null: means nothing."""
    index = class_index(target)
    subject = explorer.input(model, picture, weights)
    table = whole(explorer.reweighting.gate_effects(subject, index))
    told = {"target": table.target, "gates": table.gates, "modes": table.modes}
    return {**told, "delta": numbers(table.delta)}


def two_pictures(
    explorer: Explorer, picture: str | None, second: str | None, model: str, weights: str
) -> dict:
    """How the branch weights differ between two pictures, second minus first."""
    runs = [explorer.inspect(model, one, weights) for one in (picture, second)]
    return {
        "blocks": [
            {
                "block": one.block,
                "branches": list(one.branches),
                "mean": one.mean.tolist(),
                "values": one.values.tolist(),
            }
            for one in differences(*runs)
        ]
    }


def likeness(
    explorer: Explorer, picture: str | None, model: str, weights: str, second_model: str, second_weights: str
) -> dict:
    """How alike the layers of two models see a picture: linear CKA, beside that of shuffled places."""
    table = explorer.likeness(picture, (model, weights), (second_model, second_weights))
    return {
        "models": table.models,
        "rows": table.rows,
        "columns": table.columns,
        "values": numbers(table.values),
        "chance": numbers(table.chance),
    }


def costs(explorer: Explorer, model: str, weights: str) -> dict:
    """What every block costs: parameters, multiply-adds, bytes, and seconds measured on this computer."""
    table = whole(explorer.costs(model, weights))
    assert table is not None
    numbers = ("parameters", "multiply_adds", "seconds", "bytes")
    return {"blocks": table.blocks, **{name: getattr(table, name).tolist() for name in numbers}}


def shifts(explorer: Explorer, model: str, weights: str, block: str) -> list[dict]:
    """From where the channels of a block get their values, step by step and group by group."""
    return [
        {
            "step": step.step,
            "groups": [
                {"first": one.first, "last": one.last, "source": one.source, "reads": one.reads}
                for one in step.groups
            ],
        }
        for step in explorer.shifts(model, weights, block)
    ]


def matrices(explorer: Explorer, model: str, weights: str, block: str) -> dict:
    """The learned weights between places of a block: how strong between lines, or how fine for each unit."""
    made = learned.matrices(explorer.load(model, weights).model, block)
    return {
        name: {
            "shape": list(one.values.shape),
            **(
                {"strength": one.strength.tolist()}
                if isinstance(one, learned.Lines)
                else {"waves": one.frequency.tolist()}
            ),
        }
        for name, one in made.items()
    }


def truth_lab(_explorer: Explorer) -> dict:
    """All methods on all families over scenes whose cause is known: how much of a map lies on the cause."""
    rows = {
        method: {name: one if isinstance(one, str) else asdict(one) for name, one in row(method).items()}
        for method in METHODS
    }
    return {"scenes": shipped()["scenes"], "rows": rows}


def protocols(_explorer: Explorer, protocol: str) -> list[dict]:
    """What one protocol of the truth lab found, a row a method and model, with intervals and controls."""
    if protocol not in PROTOCOLS:
        raise ChoiceError(f"There is no protocol {protocol!r}; there are {', '.join(PROTOCOLS)}.")
    return [asdict(row) for row in measured() if row.protocol == protocol]


def fitting_methods(explorer: Explorer, model: str, weights: str) -> list[dict]:
    """What every method is worth on a model, found by trying: valid, warning or meaningless, and why."""
    return [asdict(explorer.preflight(model, weights, name)) for name in METHODS]


def layer_numbers(explorer: Explorer, picture: str | None, model: str, weights: str, layer: str) -> dict:
    """What the numbers of a layer are like: range, mean, spread, zeros, dead channels, and a histogram."""
    made = statistics(feature_map(explorer.inspect(model, picture, weights), layer))
    return {**asdict(made), "counts": made.counts.tolist()}
