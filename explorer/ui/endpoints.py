"""The HTTP contract: a few questions as named endpoints, for `gradio_client` and notebooks."""

from collections.abc import Callable
from functools import partial

import gradio as gr

from explorer.errors import ChoiceError
from explorer.predictions import Prediction
from explorer.reweighting import branch_weights
from explorer.session import RANDOM, Explorer
from explorer.ui.asked import HOSTED
from explorer.ui.picture import PictureUpload
from explorer.ui.shown import shown
from models import card, list_models
from models.costs import parameters


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
    found = explorer.predict(model, picture, allowed(model, weights))
    return {"model": model, "weights": weights, "predictions": rows(found)}


def weights_of_branches(explorer: Explorer, picture: str | None, model: str, weights: str) -> dict:
    """The share of every branch in every channel of every block."""
    blocks = branch_weights(explorer.inspect(model, picture, allowed(model, weights)))
    if not blocks:
        raise ChoiceError(f"{model} has no split attention, so it has no branch weights.")
    return {
        "model": model,
        "weights": weights,
        "blocks": [
            {
                "block": block.block,
                "branches": list(block.branches),
                "mean": block.mean.tolist(),
                "values": block.values.tolist(),
            }
            for block in blocks
        ],
    }


def attribute(
    explorer: Explorer, picture: str | None, model: str, weights: str, method: str, target: float | None
) -> dict:
    """The finished attribution of one class; target None means the predicted class."""
    index = None if target is None else int(target)
    *_, found = explorer.attribute(model, picture, allowed(model, weights), method=method, target=index)
    return {
        "method": found.method,
        "target": found.target,
        "label": found.label,
        "values": found.values.tolist(),
        "completeness_gap": found.completeness_gap,
        "seconds": found.seconds,
        "warning": found.warning,
    }


def rows(found: tuple[Prediction, ...]) -> list[dict]:
    return [{"index": one.index, "label": one.label, "probability": one.probability} for one in found]


def allowed(model: str, weights: str) -> str:
    """The weights asked for; where strangers are served, no path of the server."""
    if HOSTED and weights not in (RANDOM, *card(model).weights):
        raise ChoiceError(f"{model} has no weights called {weights!r} here.")
    return weights


def build(explorer: Explorer) -> None:
    """Endpoints have inputs of their own, which nobody sees."""
    with gr.Row(visible=False):
        picture = PictureUpload(interactive=True)
        model, weights, method = gr.Textbox(), gr.Textbox(), gr.Textbox()
        target = gr.Number(None, precision=0)
        trigger, answer = gr.Button(), gr.JSON()
    asked = [picture, model, weights]

    def offer(handler: Callable, name: str, inputs: list) -> None:
        trigger.click(
            shown(partial(handler, explorer)), inputs, answer, api_name=name, concurrency_id="quick"
        )

    offer(models, "models", [])
    offer(predict, "predict", asked)
    offer(weights_of_branches, "branch_weights", asked)
    offer(attribute, "attribute", [*asked, method, target])
