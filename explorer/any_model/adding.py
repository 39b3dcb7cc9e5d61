"""Models that joined: a name, a card and the probes that were found, for any `nn.Module`."""

import re
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from explorer.any_model.class_names import given_names, labels_for
from explorer.any_model.find import Found, Given, find
from explorer.any_model.foreign import Foreign, as_taken, logits_in
from explorer.any_model.originals import original
from explorer.any_model.trials import REFUSALS
from explorer.errors import ChoiceError
from models.preprocess import IMAGENET_MEAN, IMAGENET_STD
from models.registry import MAKERS, ModelCard, Preprocess, UnknownModelError, Weights, card
from models.sources import OWN, Held

NAME = re.compile(r"[\w.:/-]([\w.:/ -]{0,98}[\w.:/-])?")
SIZES = (224, 256, 384, 64, 32)  # pixels, tried where nobody says what a model takes


@dataclass(frozen=True)
class Added:
    """A model that joined."""

    model: nn.Module
    card: ModelCard
    found: Found


_ADDED: dict[str, Added] = {}


def is_added(name: str) -> bool:
    return name in _ADDED


def added_models() -> tuple[str, ...]:
    """Names of the models that joined, in the order they did."""
    return tuple(_ADDED)


def model_of(name: str) -> nn.Module:
    """A model that joined, as it was given."""
    return _ADDED[name].model


def added_card(name: str) -> ModelCard | None:
    return _ADDED[name].card if name in _ADDED else None


MAKERS.append(added_card)


def add(
    model: nn.Module,
    name: str,
    preprocess: Preprocess | None = None,
    labels: Sequence[str] | str | Path | None = None,
    layout: Given = None,
    family: str = "Added",
) -> Found:
    """Let a model be asked about by a name, and say what was found in it.

    model: from `[b, 3, h, w]` to logits `[b, classes]`, or what holds them; only put in eval mode.
    preprocess: how pictures are made ready; None for what its configuration says, or a usual size.
    labels: names of the classes, or a file with one a line; None to number them. Of several tensors a model
        gives, their number says which are the logits.
    layout: "b c h w", "b h w c", "b (h w) c", "b (1 + h w) c", "b (h w + 1) c" beside a token, for all or by
        patterns of their names, where trying does not tell.

    Raises ChoiceError for a name that is taken and for what does not fit.
    """
    refuse_name(name)
    inner = original(model.inner if isinstance(model, Foreign) else model)
    inner.eval()
    names = given_names(labels)
    seen, logits = first_pass(inner, preprocess or of_config(inner), None if names is None else len(names))
    classes = labels_for(names, logits.shape[1])
    found = find(inner, seen.shape, layout)
    facade = Foreign(inner, found.stations, found, len(classes))
    _ADDED[name] = Added(
        inner,
        ModelCard(
            name=name,
            family=family,
            paper="",
            source="",
            image_size=seen.size,
            num_classes=len(classes),
            step=0,
            build=partial(built, facade),
            published=dict,
            preprocess=seen,
            labels="",
            weights={OWN: Weights(source=Held(), labels="", preprocess=seen)},
            unpublished=f"{name} was added from Python; its weights are its own.",
            classes=classes,
            usual=OWN,
            own=lambda: facade,
        ),
        found,
    )
    return found


def refuse_name(name: str) -> None:
    """Raises ChoiceError for a name that is taken, or that neither a link nor a line of Python could hold."""
    if not NAME.fullmatch(name):
        raise ChoiceError(
            f"{name!r} cannot be the name of a model; use letters, digits and . : / - _ or spaces."
        )
    try:
        card(name)
    except (UnknownModelError, ValueError):
        return
    raise ChoiceError(f"There is a model called {name!r} already; give this one another name.")


def built(facade: Foreign) -> nn.Module:
    """The same model; to be counted, a copy without memory; else one with random weights."""
    copy = deepcopy(facade)
    if torch.get_default_device().type == "meta":
        return copy.to("meta")
    for part in copy.modules():
        reset = getattr(part, "reset_parameters", None)
        if callable(reset) and not isinstance(reset, Tensor):
            reset()
    return copy


def of_config(model: nn.Module) -> Preprocess | None:
    """What the configuration says that models of timm carry; None for a model without."""
    config = getattr(model, "pretrained_cfg", None)
    return preprocess_in(config) if isinstance(config, Mapping) and "input_size" in config else None


def preprocess_in(config: Mapping[str, Any]) -> Preprocess:
    """A configuration of timm in our words."""
    _, height, width = config["input_size"]
    return Preprocess(
        size=height,
        width=None if width == height else width,
        crop=float(config.get("crop_pct") or 1.0),
        interpolation="bilinear" if config.get("interpolation") == "bilinear" else "bicubic",
        mean=tuple(config.get("mean") or IMAGENET_MEAN),
        std=tuple(config.get("std") or IMAGENET_STD),
    )


@torch.no_grad()
def first_pass(
    model: nn.Module, preprocess: Preprocess | None, classes: int | None = None
) -> tuple[Preprocess, Tensor]:
    """What the model wants to see, and logits `[1, classes]`. Raises ChoiceError where no image will do."""
    reasons = []
    for one in tried_sizes(preprocess):
        weight = next(model.parameters(), torch.zeros(1))
        try:
            image = torch.zeros(1, 3, *one.shape, device=weight.device)
            return one, logits_in(model(as_taken(model, image)), classes)
        except ChoiceError:
            raise
        except REFUSALS as error:
            reasons.append(str(error).splitlines()[0] if str(error) else type(error).__name__)
    sides = " or ".join(f"{one.shape[0]} × {one.shape[1]}" for one in tried_sizes(preprocess))
    raise ChoiceError(f"The model takes no image of {sides} pixels: {reasons[0]}; say how with preprocess.")


def tried_sizes(preprocess: Preprocess | None) -> Iterator[Preprocess]:
    if preprocess is not None:
        yield preprocess
    else:
        yield from (Preprocess(size=size) for size in SIZES)
