"""Which models exist, how each is built, which weights it has and where all of it comes from."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from torch import Tensor, nn

from models.model_card import ModelCard, Released, Weights
from models.preprocess import PHOTOGRAPHS, SCENES, Preprocess
from models.random_state import seeded
from models.sources import OWN, Bundled, Progress, silent
from models.weights import WeightsError, load_strictly, read

ASSETS = Path(__file__).parent.parent / "assets"


class UnknownModelError(LookupError):
    """Asked for a model nobody registered."""


_CARDS: dict[str, ModelCard] = {}
MAKERS: list[Callable[[str], ModelCard | None]] = []  # cards for names that are not listed but spelled


def register(card: ModelCard) -> None:
    if card.name in _CARDS:
        raise ValueError(f"model {card.name!r} is registered twice")
    _CARDS[card.name] = card


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
    step: int = 0,
    layouts: Mapping[str, Preprocess] | None = None,
    photographs: Preprocess = PHOTOGRAPHS,
    mixing: str = "",
    imagenet: Released | None = None,
    unpublished: str = "Nobody has published ImageNet weights of {name}.",
) -> None:
    """Register one variant of a family; a nano variant comes with the checkpoint trained on scenes.

    preprocess: of the published evaluation; random weights and files of the user's use it too.
    step: what image sides must be multiples of; 0 where the network takes one size only.
    layouts: another preprocessing for files with a key that starts like this.
    photographs: of a nano that learns photographs.
    mixing: for a family without split attention, what it does instead; its probes of `Role.MIXED` show it.
    imagenet: trained weights; None where none can be fetched, and then `unpublished` says why.
    """
    nano = name.endswith("_nano")
    weights = {}
    if nano:
        bundled = Bundled(ASSETS / "weights" / f"{name}.safetensors")
        weights["scenes"] = Weights(source=bundled, labels="scenes", preprocess=SCENES)
    learned = ASSETS / "weights" / f"{name}.cifar10.safetensors"
    if nano and learned.is_file():  # not every nano has learned photographs yet
        weights["cifar10"] = Weights(
            source=Bundled(learned), labels="cifar10", preprocess=photographs, num_classes=10
        )
    if imagenet:
        weights["imagenet"] = Weights(
            source=imagenet.source,
            labels="imagenet1k",
            preprocess=preprocess,
            accuracy=imagenet.accuracy,
            licence=imagenet.licence,
        )
    register(
        ModelCard(
            name=name,
            family=family,
            paper=paper,
            source=source,
            image_size=cfg.image_size,
            num_classes=cfg.num_classes,
            step=step,
            build=partial(built, network, cfg),
            published=partial(published, cfg),
            preprocess=SCENES if nano else preprocess,
            photographs=photographs,
            labels="scenes" if nano else "imagenet1k",
            weights=MappingProxyType(weights),
            layouts=MappingProxyType(dict(layouts or {})),
            mixing=mixing,
            unpublished="" if nano or imagenet else unpublished.format(name=name),
        )
    )


def built(network: Callable[[Any], nn.Module], cfg: Any, num_classes: int | None = None) -> nn.Module:
    """The network of a configuration, with a head for another number of classes where one is given."""
    return network(cfg if num_classes is None else replace(cfg, num_classes=num_classes))


def list_models(family: str | None = None, *, bundled: bool = False) -> list[str]:
    """Names of all models, of one family, or of those with trained weights that come with the project."""
    here = (
        found for found in _CARDS.values() if not bundled or any(w.bundled for w in found.weights.values())
    )
    return sorted(found.name for found in here if family in (None, found.family))


def card(name: str) -> ModelCard:
    """The card of a backbone, or of a single block spelled as in `models.single`."""
    made = (maker(name) for maker in MAKERS)
    found = _CARDS.get(name) or next((card for card in made if card), None)
    if found is None:
        raise UnknownModelError(f"There is no model {name!r}; the models are {', '.join(list_models())}.")
    return found


def create(
    name: str, weights: str | Path | None = None, seed: int = 0, *, progress: Progress = silent
) -> nn.Module:
    """Build a model in eval mode, float32 on the CPU.

    weights: None for random parameters drawn from `seed`; a name the card lists, "scenes", "cifar10" or
        "imagenet", fetched where it is not here yet; or the path of a checkpoint in any published key layout,
        with as many classes as the model has, or as weights the card lists have.
    progress: told the bytes that are here and the bytes in all while fetching; may raise to stop.

    Raises UnknownModelError for a name nobody registered, WeightsError for a checkpoint that is missing,
    out of reach, unreadable, or does not fit; random parameters never take the place of trained ones.
    """
    found = card(name)
    if found.own and weights == OWN:
        return found.own()
    path = None if weights is None else checkpoint(found, weights, progress)
    listed = known_as(found, str(weights))
    head = {"num_classes": listed.num_classes} if listed and listed.num_classes else {}
    with seeded(seed):
        model = found.build(**head).eval()
    if path:
        load_strictly(model, found.published(read(path)), name=name, file=path.name)
    return model


def known_as(found: ModelCard, weights: str) -> Weights | None:
    """The listed weights of that name; of a file those that tell as many classes apart, where not as usual.

    None for a file that cannot be read, which loading it will tell.
    """
    if weights in found.weights:
        return found.weights[weights]
    others = [one for one in found.weights.values() if one.num_classes]
    if not others or not Path(weights).is_file():
        return None
    try:
        bias = found.published(read(Path(weights))).get("head.bias")
    except WeightsError:
        return None
    return next((one for one in others if bias is not None and len(bias) == one.num_classes), None)


def preprocess_of(found: ModelCard, weights: str) -> Preprocess:
    """How pictures are made ready for these weights: as listed, as the layout of a file says, or as usual."""
    if known := known_as(found, weights):
        return known.preprocess
    if not found.layouts or not Path(weights).is_file():
        return found.preprocess
    keys = read(Path(weights))
    fitting = (known for start, known in found.layouts.items() if any(key.startswith(start) for key in keys))
    return next(fitting, found.preprocess)


def checkpoint(found: ModelCard, weights: str | Path, progress: Progress = silent) -> Path:
    """The file behind the name of a card's weights, or the path itself when it looks like one."""
    if weights in found.weights:
        return found.weights[str(weights)].source.fetch(progress)
    if Path(weights).suffix or len(Path(weights).parts) > 1:
        return Path(weights)
    if weights == "imagenet" and found.unpublished:
        raise WeightsError(found.unpublished)
    offered = ", ".join(found.weights) or "none by name"
    raise WeightsError(
        f"{found.name} has no weights called {weights!r}; it has {offered}, or give the path of a file."
    )
