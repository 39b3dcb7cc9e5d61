"""Models of timm by name, `timm:resnest14d`: built with random weights; trained ones only where asked for.

timm is optional. What a model wants to see stands in its own configuration.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache, partial
from importlib import import_module
from importlib.util import find_spec
from types import MappingProxyType, ModuleType
from typing import Any

import torch
from torch import nn

from explorer.any_model.adding import preprocess_in
from explorer.any_model.find import find
from explorer.any_model.foreign import Foreign
from explorer.any_model.unfit_torchvision import define_names
from models.registry import MAKERS, ModelCard, UnknownModelError, Weights
from models.sources import PRETRAINED, Hub, Link, Source

PREFIX = "timm:"
HUB = "timm:hf-hub:"
IMAGENET = 1000  # classes of the labels that come with the project
MISSING = "Models of timm need it installed: pip install -r requirements-timm.txt."
UNFIT = (
    "timm needs the torchvision that fits torch {torch}, from the index that torch came from: "
    "pip install torchvision --index-url https://download.pytorch.org/whl/{kind}."
)


def is_installed() -> bool:
    """Whether timm is here at all, told without importing it."""
    return find_spec("timm") is not None


def timm() -> ModuleType:
    """The package. Raises UnknownModelError, with what to install, where it cannot be used."""
    try:
        return imported()
    except ModuleNotFoundError as error:
        if error.name != "torchvision":
            raise UnknownModelError(MISSING) from error
        raise UnknownModelError(unfit()) from error
    except RuntimeError as error:
        raise UnknownModelError(unfit()) from error


def imported() -> ModuleType:
    try:
        return import_module("timm")
    except RuntimeError:  # operator torchvision::nms does not exist
        define_names()
        return import_module("timm")


def unfit() -> str:
    return UNFIT.format(torch=torch.__version__, kind="cpu" if "cpu" in torch.__version__ else "cu126")


def timm_names() -> list[str]:
    """All names, for a menu to search in; none where timm is not installed."""
    try:
        return [f"{PREFIX}{name}" for name in timm().list_models()]
    except UnknownModelError:
        return []


def timm_card(name: str) -> ModelCard | None:
    """The card of a model of timm; None for any other name."""
    if not name.startswith(PREFIX) or name.startswith(HUB):
        return None
    return described(name)


@lru_cache(maxsize=256)
def described(name: str) -> ModelCard:
    own = name.removeprefix(PREFIX)
    package = timm()
    if not package.is_model(own):
        raise UnknownModelError(f"timm {package.__version__} has no model {own!r}.")
    config = package.get_pretrained_cfg(own, allow_unregistered=False)
    config = config.to_dict() if config else {"input_size": (3, 224, 224)}
    return card_of(name, own, config, source_of(config))


def card_of(
    name: str,
    own: str,
    config: Mapping[str, Any],
    file: Source | None,
    classes: Sequence[str] = (),
    **settings: Any,
) -> ModelCard:
    """The card of an architecture of timm.

    config: what it wants to see, in timm's words. file: of trained weights. classes: their names, where they
    are not the usual ones. settings: what the architecture is built with.
    """
    preprocess = preprocess_in(config)
    count = (
        IMAGENET if config.get("num_classes") is None else config["num_classes"]
    )  # none: it gives features
    labels = "imagenet1k" if count == IMAGENET and not classes else ""
    trained = {PRETRAINED: Weights(source=file, labels=labels, preprocess=preprocess)} if file else {}
    numbered = tuple(f"class {number}" for number in range(count))
    return ModelCard(
        name=name,
        family="timm",
        paper="https://github.com/huggingface/pytorch-image-models",
        source="https://github.com/huggingface/pytorch-image-models",
        image_size=preprocess.size,
        num_classes=count,
        step=0,
        build=partial(built, own, preprocess.shape, **settings),
        published=dict,
        preprocess=preprocess,
        labels=labels,
        weights=MappingProxyType(trained),
        unpublished="" if trained else f"timm publishes no weights of {own}.",
        classes=() if labels else tuple(classes) or numbered,
        usual="random",
    )


def source_of(config: dict) -> Source | None:
    """Where trained weights are, as timm says."""
    if config.get("hf_hub_id"):
        return Hub(config["hf_hub_id"], config.get("hf_hub_filename") or "model.safetensors")
    url = config.get("url") or ""
    return Link(url, url.rpartition("/")[2]) if url else None


def built(own: str, size: tuple[int, int], **settings: Any) -> nn.Module:
    """Random weights; where only sizes are counted, nothing is run and so nothing found."""
    model = timm().create_model(own, pretrained=False, **settings).eval()
    if torch.get_default_device().type == "meta":
        return Foreign(model)
    found = find(model, size)
    return Foreign(model, found.stations, found)


MAKERS.append(timm_card)
