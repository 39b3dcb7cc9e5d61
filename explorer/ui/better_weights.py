"""Which weights know a picture: those to begin with, those that are here, and those that can be fetched."""

from dataclasses import dataclass
from pathlib import Path

from explorer.engine.model_store import RANDOM
from explorer.explorer import Explorer
from explorer.ui.examples import PHOTOGRAPHS, SCENES
from explorer.ui.model_names import FIRST
from explorer.ui.selection import Selection
from models import card, list_models
from models.counted import megabytes


@dataclass(frozen=True)
class Offer:
    """Weights that know the picture, and are on this computer."""

    model: str
    weights: str
    classes: int
    label: str


@dataclass(frozen=True)
class Download:
    """Published weights that are not on this computer, and what is told of them before they come."""

    model: str
    megabytes: float
    classes: int
    accuracy: float | None  # of the likeliest class, in percent, as published
    licence: str
    place: str

    @classmethod
    def of(cls, explorer: Explorer, model: str, weights: str) -> "Download":
        known = card(model).weights[weights]
        classes = len(explorer.labels(model, weights))
        return cls(model, megabytes(model), classes, known.accuracy, known.licence, known.source.place)


def knows_scenes(model: str, weights: str) -> bool:
    return card(model).weights[weights].labels == "scenes"


def first_here(model: str, picture: str | None) -> str:
    """The first weights that need not be fetched: of those that know such pictures, else of all."""
    here = [name for name, known in card(model).weights.items() if known.source.here()]
    is_scene = Path(picture or "") in SCENES
    fitting = [name for name in here if knows_scenes(model, name) == is_scene]
    return next(iter([*fitting, *here, RANDOM]))


def is_like_scenes(explorer: Explorer, picture: str | None) -> bool:
    """Whether a picture is like the drawn scenes, as the first model sees it."""
    found = explorer.familiarity(FIRST, picture, "scenes")
    return found is not None and found.is_familiar


def knows(explorer: Explorer, selection: Selection) -> bool | None:
    """Whether the weights know such pictures; None where nothing tells."""
    found = explorer.familiarity(*selection.question)
    if found is not None:
        return found.is_familiar
    listed = card(selection.model).weights.get(selection.weights)
    of_imagenet = listed is not None and listed.labels == "imagenet1k"
    return not is_like_scenes(explorer, selection.picture) if of_imagenet else None


def unlike(explorer: Explorer, selection: Selection) -> bool:
    """Whether the weights are known not to know such pictures."""
    return knows(explorer, selection) is False


def offers(explorer: Explorer, selection: Selection) -> tuple[Offer, ...]:
    """What is here and knows such pictures: of the same family first, then what knows most classes."""
    scene = is_like_scenes(explorer, selection.picture)
    found = [
        offer_of(explorer, name, weights)
        for name in list_models()
        for weights, known in card(name).weights.items()
        if weights != selection.weights and knows_scenes(name, weights) == scene and known.source.here()
    ]
    family = card(selection.model).family
    own = [one for one in found if card(one.model).family == family]
    others = sorted(
        (one for one in found if one not in own), key=lambda one: (-one.classes, one.model != FIRST)
    )
    return (*own[:1], *others[:1])


def offer_of(explorer: Explorer, model: str, weights: str) -> Offer:
    classes = len(explorer.labels(model, weights))
    kind = "drawn shapes" if knows_scenes(model, weights) else "kinds of photographs"
    return Offer(model, weights, classes, f"Look with {model}: {classes:,} {kind}")


def downloads(explorer: Explorer, model: str) -> tuple[Download, ...]:
    """Published weights of the same family that are not here, smallest first; of all where it has none."""
    away = [name for name in list_models() if "imagenet" in card(name).weights and not is_here(name)]
    own = [name for name in away if card(name).family == card(model).family]
    found = sorted(
        (Download.of(explorer, name, "imagenet") for name in own or away), key=lambda one: one.megabytes
    )
    return tuple(found if own else found[:3])


def is_here(model: str) -> bool:
    return card(model).weights["imagenet"].source.here() is not None


def suited(explorer: Explorer, picture: str | None) -> tuple[str, str]:
    """Model and weights for a picture of a visitor who has chosen none.

    Drawn scenes are looked at with weights that know those; bundled photographs with what the page begins
    with, if it knows them, as its blend can be changed; all else with what knows most kinds of photographs.
    """
    if is_like_scenes(explorer, picture):
        return FIRST, "scenes"
    begun = explorer.familiarity(FIRST, picture, "cifar10") if "cifar10" in card(FIRST).weights else None
    if begun and begun.is_familiar and Path(picture or "") in PHOTOGRAPHS:
        return FIRST, "cifar10"
    found = offers(explorer, Selection(picture, FIRST, "scenes", "", None))
    best = max(found, key=lambda one: one.classes, default=None)
    return (best.model, best.weights) if best else (FIRST, first_here(FIRST, picture))
