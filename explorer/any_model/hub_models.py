"""Models of timm that lie on the Hugging Face Hub: `timm:hf-hub:owner/name`.

Naming one fetches its configuration, a few lines, and nothing else; its weights come when they are asked for.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from explorer.any_model.timm_models import HUB, card_of, timm
from explorer.errors import ChoiceError
from models.registry import MAKERS, ModelCard, UnknownModelError
from models.sources import PRETRAINED, FirstOf, Hub
from models.weights import WeightsError

REPOSITORY = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*", re.ASCII)
FILES = ("model.safetensors", "pytorch_model.bin")
_KNOWN: dict[str, ModelCard] = {}


def is_known(name: str) -> bool:
    """Whether the configuration of a model of the Hub has been read."""
    return name in _KNOWN


def know(name: str) -> None:
    """Read the configuration of a model of the Hub. Raises ChoiceError where it has none of timm's."""
    repository = name.removeprefix(HUB)
    if not REPOSITORY.fullmatch(repository):
        raise ChoiceError(f"{repository!r} is no name of the Hub; write it as {HUB}owner/name.")
    try:
        known = timm().is_model
    except UnknownModelError as error:
        raise ChoiceError(str(error)) from error
    try:
        content = json.loads(Hub(repository, "config.json").fetch().read_text("utf-8"))
        own = str(content["architecture"])
        made = replace(described(name, own, content), usual=PRETRAINED)
    except (WeightsError, OSError, ValueError, LookupError, TypeError) as error:
        raise ChoiceError(
            f"No configuration of a model of timm could be had from huggingface.co/{repository}; "
            "is the name right, and this computer online?"
        ) from error
    if not known(own):
        raise ChoiceError(f"{name} is of an architecture {own!r} that timm does not have here.")
    _KNOWN[name] = made


def described(name: str, own: str, content: Mapping[str, Any]) -> ModelCard:
    """The card of a configuration; timm did not always keep what the weights want to see apart."""
    wanted = content.get("pretrained_cfg", content)
    names = content.get("label_names") or wanted.get("label_names") or wanted.get("labels") or ()
    config = {**wanted, "num_classes": content.get("num_classes") or wanted.get("num_classes")}
    config = {
        "input_size": (3, 224, 224),
        **{key: value for key, value in config.items() if value is not None},
    }
    count = config.get("num_classes")
    settings = {**content.get("model_args", {}), **({"num_classes": count} if count else {})}
    file = FirstOf(tuple(Hub(name.removeprefix(HUB), one) for one in FILES))
    return card_of(name, own, config, file, tuple(map(str, names)) if len(names) == count else (), **settings)


MAKERS.append(_KNOWN.get)
