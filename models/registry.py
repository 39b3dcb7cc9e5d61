"""Which models exist, how each is built, which weights it has and where all of it comes from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Lock
from types import MappingProxyType
from typing import Any, Literal

import torch
from torch import Tensor, nn

from models.weights import WeightsError, load_strictly, read

ASSETS = Path(__file__).parent.parent / "assets"
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True, kw_only=True)
class Preprocess:
    """How a picture becomes the image a set of weights was trained on."""

    size: int  # side of the square image, in pixels
    crop: float = 1.0  # the centre crop's share of the resized shorter side
    interpolation: Literal["bilinear", "bicubic"] = "bicubic"
    mean: tuple[float, float, float] = IMAGENET_MEAN  # of RGB in [0, 1]
    std: tuple[float, float, float] = IMAGENET_STD


@dataclass(frozen=True, kw_only=True)
class Weights:
    """One trained set of parameters that can be asked for by name."""

    path: Path  # safetensors, in this project's own key layout
    labels: str  # file in assets/labels, one class a line
    preprocess: Preprocess


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """One row of the model menu."""

    name: str  # "vip_s7", as users type it
    family: str  # "Vision Permutator", as papers print it
    paper: str  # arXiv abs URL
    source: str  # official code the weights and the layout follow
    image_size: int  # side of the square input, in pixels
    num_classes: int
    build: Callable[[], nn.Module]
    published: Callable[[Mapping[str, Tensor]], dict[str, Tensor]]  # foreign key layouts -> our own
    preprocess: Preprocess  # of the paper; used for random weights and for a file of the user's
    labels: str = "imagenet1k"
    weights: Mapping[str, Weights] = field(default_factory=lambda: MappingProxyType({}))


class UnknownModelError(LookupError):
    """Asked for a model nobody registered."""


_CARDS: dict[str, ModelCard] = {}
_INITIALISING = Lock()  # the seed is process-wide, so models are initialised one after another


def register(card: ModelCard) -> None:
    if card.name in _CARDS:
        raise ValueError(f"model {card.name!r} is registered twice")
    _CARDS[card.name] = card


SCENES = Preprocess(size=64, interpolation="bilinear", mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))


def announce(
    name: str,
    cfg: Any,
    *,
    family: str,
    paper: str,
    source: str,
    network: Callable[[Any], nn.Module],
    published: Callable[[Any, Mapping[str, Tensor]], dict[str, Tensor]],
    preprocess: Preprocess,
) -> None:
    """Register one variant of a family; a nano variant comes with the checkpoint trained on scenes."""
    nano = name.endswith("_nano")
    path = ASSETS / "weights" / f"{name}.safetensors"
    bundled = {"scenes": Weights(path=path, labels="scenes", preprocess=SCENES)} if nano else {}
    register(
        ModelCard(
            name=name,
            family=family,
            paper=paper,
            source=source,
            image_size=cfg.image_size,
            num_classes=cfg.num_classes,
            build=partial(network, cfg),
            published=partial(published, cfg),
            preprocess=SCENES if nano else preprocess,
            labels="scenes" if nano else "imagenet1k",
            weights=MappingProxyType(bundled),
        )
    )


def list_models(family: str | None = None) -> list[str]:
    return sorted(name for name, found in _CARDS.items() if family in (None, found.family))


def card(name: str) -> ModelCard:
    try:
        return _CARDS[name]
    except KeyError:
        known = ", ".join(list_models())
        raise UnknownModelError(f"There is no model {name!r}; the models are {known}.") from None


def create(name: str, weights: str | Path | None = None, seed: int = 0) -> nn.Module:
    """Build a model in eval mode, float32 on the CPU.

    weights: None for random parameters drawn from `seed`; a name the card lists, such as "scenes"; or the
        path of a checkpoint in any published key layout of the family.

    Raises UnknownModelError for a name nobody registered, WeightsError for a checkpoint that is missing,
    unreadable, or does not fit; random parameters never take the place of trained ones.
    """
    found = card(name)
    with _INITIALISING, torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = found.build().eval()
    if weights is not None:
        path = checkpoint(found, weights)
        load_strictly(model, found.published(read(path)), name=name, file=path.name)
    return model


def checkpoint(found: ModelCard, weights: str | Path) -> Path:
    """The file behind the name of a card's weights, or the path itself when it looks like one."""
    if weights in found.weights:
        return found.weights[str(weights)].path
    if Path(weights).suffix or len(Path(weights).parts) > 1:
        return Path(weights)
    offered = ", ".join(found.weights) or "none that are bundled"
    raise WeightsError(
        f"{found.name} has no weights called {weights!r}; it has {offered}, or give the path of a file."
    )
