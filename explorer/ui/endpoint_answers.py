"""The first eight endpoints: what is in the library, what a model says, and why."""

from dataclasses import asdict

from explorer import answers
from explorer.engine.model_store import RANDOM
from explorer.errors import ChoiceError
from explorer.explorer import Explorer
from explorer.predictions import predictions
from explorer.reweighting.branch_weights import blends
from explorer.reweighting.interventions import everywhere
from explorer.ui.endpoint_inputs import class_index
from explorer.ui.endpoint_work import whole
from models import card, list_models
from models.counted import parameters


def models(_explorer: Explorer) -> list[dict]:
    """Every backbone: name, family, parameters, image_size, weights and paper."""
    found = [card(name) for name in list_models()]
    return [
        {
            "name": one.name,
            "family": one.family,
            "parameters": parameters(one.name),
            "image_size": one.image_size,
            "weights": [*one.weights, RANDOM],
            "paper": one.paper,
        }
        for one in found
    ]


def predict(explorer: Explorer, picture: str | None, model: str, weights: str) -> dict:
    """The five likeliest classes."""
    found = explorer.predict(model, picture, weights)
    return {"model": model, "weights": weights, "predictions": answers.classes(found)}


def weights_of_branches(explorer: Explorer, picture: str | None, model: str, weights: str) -> dict:
    """The share of every branch in every channel of every block."""
    return answers.shares(model, weights, explorer.inspect(model, picture, weights))


def what_if(
    explorer: Explorer, picture: str | None, model: str, weights: str, block: str, shares: list
) -> dict:
    """Predictions before and after every channel of a block, or of "all", blends by these shares."""
    blocks = blends(explorer.inspect(model, picture, weights))
    if not blocks:
        raise ChoiceError(f"{model} has no branches, so there are no shares to change.")
    numbers = isinstance(shares, list) and all(type(share) in (int, float) for share in shares)
    if not numbers:
        raise ChoiceError("The shares are a list of numbers, one for each branch.")
    changes = everywhere(blocks, block, shares)
    after = explorer.inspect(model, picture, weights, interventions=changes)
    labels = explorer.load(model, weights).labels
    return {
        "before": answers.classes(explorer.predict(model, picture, weights)),
        "after": answers.classes(predictions(after.logits, labels)),
    }


def knock_out(
    explorer: Explorer, picture: str | None, model: str, weights: str, target: float | None
) -> dict:
    """What becomes of the logit of a class when a branch of a block loses its share."""
    index = class_index(target)
    return answers.knocked_out(whole(explorer.knock_out(model, picture, weights, target=index)))


def attribute(
    explorer: Explorer, picture: str | None, model: str, weights: str, method: str, target: float | None
) -> dict:
    """The finished attribution of one class; target None means the predicted class."""
    index = class_index(target)
    return answers.attribution(
        whole(explorer.attribute(model, picture, weights, method=method, target=index))
    )


def score_card(
    explorer: Explorer, picture: str | None, model: str, weights: str, method: str, target: float | None
) -> dict:
    """How far the map of a method can be trusted, beside the random and the edge control."""
    index = class_index(target)
    card = whole(explorer.score_card(model, picture, weights, method=method, target=index))
    return {
        "method": card.method,
        "target": card.target,
        "line": card.line,
        "curves": {
            name: {
                "deletion": one.deletion.tolist(),
                "insertion": one.insertion.tolist(),
                "areas": list(one.areas),
                "score": one.score,
            }
            for name, one in card.curves.items()
        },
        "infidelity": card.infidelity,
        "sensitivity": card.sensitivity,
        "randomised": list(card.randomised),
        "random_scores": list(card.random_scores),
        "probability": None if card.probability is None else list(card.probability),
        "cause": card.cause or None,
        "localisation": None if card.localisation is None else asdict(card.localisation),
    }


def code_walk(explorer: Explorer, picture: str | None, model: str, weights: str, block: str) -> list[dict]:
    """Every statement a block ran and the tensors it made; no block means the one to begin with."""
    walk = explorer.code_walk(model, picture, weights, block=block or None)
    return [
        {
            "line": step.statement.first,
            "source": step.statement.source,
            "file": walk.calls[step.call].listing.file,
            "function": walk.calls[step.call].listing.name,
            "depth": walk.calls[step.call].depth,
            "tensors": [
                {
                    "name": made.name,
                    "shape": list(made.value.shape),
                    "axes": list(made.axes),
                    "mean": float(made.value.mean()),
                    "std": float(made.value.std(correction=0)),
                }
                for made in step.made
            ],
        }
        for step in walk.steps
    ]
