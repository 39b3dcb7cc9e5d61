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


class ExampleList(gr.JSON):
    """A list, with an example."""

    def __init__(self, example: list, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.example = example

    def get_block_name(self) -> str:
        return "json"

    def example_payload(self) -> list:
        return self.example

    example_value = example_payload


class ExampleNumber(gr.Number):
    """A number, or nothing; of a class, nothing asks for the likeliest."""

    def __init__(self, example: float | None, **kwargs: Any) -> None:
        super().__init__(None, **kwargs)
        self.example = example

    def get_block_name(self) -> str:
        return "number"

    def example_payload(self) -> float | None:
        return self.example

    example_value = example_payload


class ExamplePicture(PictureUpload):
    """A picture; the example is one that comes along."""

    def get_block_name(self) -> str:
        return "image"

    def example_payload(self) -> Any:
        return {"path": EXAMPLE}  # without the mark of an upload, which Gradio would look for among uploads

    def example_value(self) -> str:
        return EXAMPLE


WHOLE = {"target", "channel"}
WORDS = {  # what each parameter is, for people on the API page and for programs
    "picture": "PNG, JPEG, WebP, GIF, BMP or TIFF, or the path of an example as it lies in the project",
    "second": "the picture to compare with",
    "model": "a name that `models` lists",
    "weights": "a name that `models` lists for the model, or random",
    "second_model": "the model to compare with",
    "second_weights": "weights of that model",
    "method": "of attribution: integrated_gradients, grad_cam, occlusion, ...",
    "block": "the name of a part of the model",
    "shares": "a number for each branch; they are scaled to sum to one",
    "target": "the class by its number; nothing for the likeliest",
    "methods": "a list of up to six of them",
    "protocol": "a protocol of the truth lab: difull, gridpg, deletion, ...",
    "gate": "a gate that `found` lists, or all",
    "change": "flattened, opened or closed",
    "layer": "a name that `layers` lists",
    "channel": "its number, from 0; nothing for all of a gate",
    "row": "a place, as a share of the height of the picture, from 0, the top, to 1",
    "column": "the same place, as a share of the width, from 0, the left, to 1",
}


def inputs(**examples: Any) -> dict[str, Any]:
    """A component for each parameter of an endpoint, by its name; `examples` differ from the usual ones."""
    names = {
        "model": FIRST.model,
        "weights": first_here(FIRST.model, str(FIRST.picture)),
        "second_model": "mixer_nano",
        "second_weights": "scenes",
        "method": "integrated_gradients",
        "protocol": "difull",
        "block": "stages.0.blocks.0.token_mixing",
        "layer": "stages.0.blocks.0.output",
        "gate": "all",
        "change": "closed",
        **examples,
    }
    numbers: dict[str, float | None] = {"target": None, "channel": 0, "row": 0.5, "column": 0.5}
    return {
        **{name: ExampleName(example, label=title(name)) for name, example in names.items()},
        **{
            name: ExampleNumber(example, label=title(name), precision=0 if name in WHOLE else None)
            for name, example in numbers.items()
        },
        "picture": ExamplePicture(label="Picture", interactive=True),
        "second": ExamplePicture(label="Second", interactive=True),
        "shares": ExampleList([0.5, 0.25, 0.25], label="Shares"),  # half of the blend from the first
        "methods": ExampleList(["saliency", "grad_cam", "random"], label="Methods"),
    }


def title(name: str) -> str:
    return "Class" if name == "target" else name.replace("_", " ").capitalize()


def documented(answered: Callable, handler: Callable, name: str) -> Callable:
    """The same under the name, the parameters and the docstring of an endpoint, each parameter explained."""
    _, *named = signature(handler).parameters.values()
    plain = [one.replace(annotation=one.empty) for one in named]
    answered.__dict__["__signature__"] = Signature(plain)
    answered.__name__ = name
    explained = "".join(f"\n    {one.name}: {WORDS[one.name]}" for one in named)
    answered.__doc__ = f"{handler.__doc__}\n\nArgs:{explained}" if named else handler.__doc__
    return answered
