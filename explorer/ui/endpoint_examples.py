"""Inputs of the endpoints, each with an example that the API page shows and that works as it stands."""

from collections.abc import Callable
from inspect import Signature, signature
from typing import Any

import gradio as gr

from explorer.ui.better_weights import first_here
from explorer.ui.first import FIRST
from explorer.ui.picture_upload import PictureUpload
from models.registry import ASSETS

EXAMPLE = str(FIRST.picture.relative_to(ASSETS.parent).as_posix())  # as the server knows it, wherever it is


class ExampleName(gr.Textbox):
    """A name, with an example."""

    def __init__(self, example: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.example = example

    def get_block_name(self) -> str:
        return "textbox"

    def example_payload(self) -> str:
        return self.example

    example_value = example_payload


class ExampleShares(gr.JSON):
    """Shares of the branches, with an example: half of the blend from the first."""

    def get_block_name(self) -> str:
        return "json"

    def example_payload(self) -> list[float]:
        return [0.5, 0.25, 0.25]

    example_value = example_payload


class ExampleClass(gr.Number):
    """A class by its number; the example asks for the likeliest."""

    def get_block_name(self) -> str:
        return "number"

    def example_payload(self) -> None:
        return None

    example_value = example_payload


class ExamplePicture(PictureUpload):
    """A picture; the example is one that comes along."""

    def get_block_name(self) -> str:
        return "image"

    def example_payload(self) -> Any:
        return {"path": EXAMPLE}  # without the mark of an upload, which Gradio would look for among uploads

    def example_value(self) -> str:
        return EXAMPLE


def inputs() -> dict[str, Any]:
    """A component for each parameter of an endpoint, by its name; two for blocks, of one or of all."""
    return {
        "picture": ExamplePicture(label="Picture", interactive=True),
        "model": ExampleName(FIRST.model, label="Model"),
        "weights": ExampleName(first_here(FIRST.model, str(FIRST.picture)), label="Weights"),
        "method": ExampleName("integrated_gradients", label="Method"),
        "block": ExampleName("stages.0.blocks.0.token_mixing", label="Block"),
        "shares": ExampleShares(label="Shares"),
        "target": ExampleClass(None, precision=0, label="Class"),
    }


def with_parameters(answered: Callable, handler: Callable) -> Callable:
    """The same, whose parameters are called as those of the handler after the first, for the API page."""
    _, *named = signature(handler).parameters.values()
    plain = [one.replace(annotation=one.empty) for one in named]
    answered.__dict__["__signature__"] = Signature(plain)
    return answered
