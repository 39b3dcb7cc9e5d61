"""A model as the command line asks for it: where it is, its weights, how pictures are made ready."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import nn

from explorer.any_model.adding import of_config
from explorer.any_model.elsewhere import called
from explorer.any_model.timm_models import PREFIX, described, timm
from explorer.errors import ChoiceError
from models.preprocess import Preprocess
from models.registry import UnknownModelError
from models.sources import PRETRAINED
from models.weights import WeightsError, load_strictly, read


def is_given(weights: str) -> bool:
    """Whether weights are a file, and no name."""
    return bool(weights) and weights not in ("random", PRETRAINED)


def made(model: str, weights: str = "", classes: Sequence[str] | None = None) -> nn.Module:
    """What `module:function` gives, or a model of timm for so many classes, with weights put into it.

    weights: the path of a checkpoint of exactly this model; "pretrained", for timm; "" for those it has.

    Raises ChoiceError for what is not there or does not fit.
    """
    try:
        found = of_timm(model, weights, classes) if model.startswith(PREFIX) else called(model)
        if is_given(weights):
            load_strictly(found, read(Path(weights)), name=model, file=Path(weights).name)
    except (WeightsError, UnknownModelError) as error:
        raise ChoiceError(str(error)) from error
    return found


def of_timm(model: str, weights: str, classes: Sequence[str] | None) -> nn.Module:
    trained = weights == PRETRAINED
    own = described(model).name.removeprefix(PREFIX)
    settings = {"num_classes": len(classes)} if classes and not trained else {}
    try:
        return timm().create_model(own, pretrained=trained, **settings)
    except (OSError, ValueError, RuntimeError) as error:
        raise ChoiceError(f"The weights of {model} could not be fetched: is this computer online?") from error


READ: dict[str, Callable[[str], Any]] = {
    "size": int,
    "width": int,
    "crop": float,
    "interpolation": lambda text: one_of(text, "bilinear", "bicubic"),
    "channels": lambda text: one_of(text, "rgb", "bgr"),
    "mean": lambda text: three(text),
    "std": lambda text: three(text),
}


def preprocess_of(model: nn.Module, settings: Sequence[str]) -> Preprocess | None:
    """How pictures are made ready, as `size=224 mean=0.5,0.5,0.5`; the rest as its configuration says.

    None where nothing is said. Raises ChoiceError for what cannot be, and for a size that nobody tells.
    """
    if not settings:
        return None
    said = dict(map(setting, settings))
    known = of_config(model)
    if known is None and "size" not in said:
        raise ChoiceError("Say the size of the image as well, as size=224.")
    return Preprocess(**said) if known is None else replace(known, **said)


def setting(text: str) -> tuple[str, Any]:
    name, _, value = text.partition("=")
    try:
        return name, READ[name](value)
    except (KeyError, ValueError) as error:
        known = (
            "size=224, width=224, crop=0.9, interpolation=bilinear, channels=bgr, mean=0.5,0.5,0.5 or std=…"
        )
        raise ChoiceError(f"{text!r} is no way to make a picture ready; say {known}.") from error


def one_of(text: str, *choices: str) -> str:
    if text not in choices:
        raise ValueError(text)
    return text


def three(text: str) -> tuple[float, ...]:
    red, green, blue = map(float, text.split(","))
    return red, green, blue
