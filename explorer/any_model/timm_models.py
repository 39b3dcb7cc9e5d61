"""Models of timm by name, `timm:resnest14d`: built with random weights; trained ones only where asked for.

timm is optional. What a model wants to see stands in its own configuration.
"""

from functools import lru_cache, partial
from importlib import import_module
from types import MappingProxyType, ModuleType

import torch
from torch import nn

from explorer.any_model.adding import preprocess_in
from explorer.any_model.find import find
from explorer.any_model.foreign import Foreign
from models.registry import MAKERS, ModelCard, UnknownModelError, Weights
from models.sources import Hub, Link, Source

PREFIX = "timm:"
HUB = "timm:hf-hub:"
IMAGENET = 1000  # classes of the labels that come with the project
MISSING = "Models of timm need it installed: pip install -r requirements-timm.txt."
UNFIT = (
    "timm needs the torchvision that fits torch {torch}, from the index that torch came from: "
    "pip install torchvision --index-url https://download.pytorch.org/whl/{kind}."
)


def timm() -> ModuleType:
    """The package. Raises UnknownModelError, with what to install, where it cannot be used."""
    try:
        return import_module("timm")
    except ModuleNotFoundError as error:
        if error.name != "torchvision":
            raise UnknownModelError(MISSING) from error
        raise UnknownModelError(unfit()) from error
    except RuntimeError as error:  # operator torchvision::nms does not exist
        raise UnknownModelError(unfit()) from error


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
    preprocess = preprocess_in(config)
    count = config.get("num_classes") or IMAGENET
    file = source_of(config)
    labels = "imagenet1k" if count == IMAGENET else ""
    trained = {"pretrained": Weights(source=file, labels=labels, preprocess=preprocess)} if file else {}
    return ModelCard(
        name=name,
        family="timm",
        paper="https://github.com/huggingface/pytorch-image-models",
        source="https://github.com/huggingface/pytorch-image-models",
        image_size=preprocess.size,
        num_classes=count,
        step=0,
        build=partial(built, own),
        published=dict,
        preprocess=preprocess,
        labels=labels,
        weights=MappingProxyType(trained),
        unpublished="" if trained else f"timm publishes no weights of {own}.",
        classes=() if labels else tuple(f"class {number}" for number in range(count)),
        usual="random",
    )


def source_of(config: dict) -> Source | None:
    """Where trained weights are, as timm says."""
    if config.get("hf_hub_id"):
        return Hub(config["hf_hub_id"], config.get("hf_hub_filename") or "model.safetensors")
    url = config.get("url") or ""
    return Link(url, url.rpartition("/")[2]) if url else None


def built(name: str) -> nn.Module:
    """Random weights; where only sizes are counted, nothing is run and so nothing found."""
    model = timm().create_model(name, pretrained=False).eval()
    if torch.get_default_device().type == "meta":
        return Foreign(model)
    size = described(f"{PREFIX}{name}").preprocess.shape
    found = find(model, size)
    return Foreign(model, found.stations, found)


MAKERS.append(timm_card)
