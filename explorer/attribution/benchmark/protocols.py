"""The protocols: what each asks, and of which models it can be asked."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from explorer.attribution.benchmark.by_hand import BY_HAND, by_hand
from explorer.attribution.benchmark.grids import disconnected, grid_pointing
from explorer.attribution.benchmark.pictures import Known, of_folder, of_scenes, sure_of
from explorer.attribution.benchmark.planted import planted
from explorer.attribution.benchmark.trials import Trial
from explorer.engine.loaded import Loaded
from explorer.errors import ChoiceError


@dataclass(frozen=True)
class Examined:
    """A model, and the pictures it is measured with."""

    loaded: Loaded
    count: int = 20  # pictures or grids
    folder: Path | None = None  # of photographs; None for held-out scenes

    @property
    def source(self) -> str:
        return "scenes" if self.folder is None else "photographs"

    @property
    def about(self) -> dict[str, str]:
        """Which model this is, and what it is shown."""
        return {"model": self.loaded.card.name, "weights": self.loaded.weights, "source": self.source}

    def pictures(self) -> Iterator[Known]:
        """One after the other; raises ChoiceError for a model that knows no scenes and has no folder."""
        if self.folder is not None:
            return of_folder(self.folder, self.loaded.preprocess, self.loaded.model)
        if self.loaded.weights != "scenes":
            raise ChoiceError(
                f"{self.loaded.card.name} ({self.loaded.weights}) was not trained on scenes: "
                "name a folder of photographs as well, --pictures FOLDER."
            )
        return of_scenes(self.loaded.preprocess)

    def sure(self) -> Iterator[Known]:
        """The pictures the model is sure of."""
        return sure_of(self.loaded.model, self.pictures())


@dataclass(frozen=True)
class Protocol:
    """One way to measure: more is better, and the controls are measured alike."""

    title: str
    measures: str  # what its number is, in a sentence
    trials: Callable[[Examined], Iterator[Trial]]
    refuses: Callable[[Examined], str] = lambda _examined: ""  # why it cannot be asked of a model


def fixed_size(examined: Examined) -> str:
    """A grid is twice as large as a picture, and is seen whole."""
    card = examined.loaded.card
    return "" if card.step else f"{card.name} takes one size of image only: it cannot see a grid whole."


def only_scenes(examined: Examined) -> str:
    """Only of scenes it is known what tells the class."""
    if examined.loaded.weights == "scenes" and examined.folder is None:
        return ""
    return "Causes are known for scenes: name a model with the weights called scenes, and no folder."


def not_by_hand(examined: Examined) -> str:
    """Networks were written by hand for some families."""
    family = examined.loaded.card.family
    return "" if family in BY_HAND else f"No {family} was written by hand; there are {', '.join(BY_HAND)}."


PROTOCOLS: MappingProxyType[str, Protocol] = MappingProxyType(
    {
        "difull": Protocol(
            "DiFull",
            "Share of the positive values in the one cell of a grid that the logit depends on.",
            lambda examined: disconnected(examined.loaded.model, examined.sure(), examined.count),
        ),
        "gridpg": Protocol(
            "GridPG",
            "Share of the positive values in the cell of a grid that shows the class.",
            lambda examined: grid_pointing(examined.loaded.model, examined.sure(), examined.count),
            fixed_size,
        ),
        "planted": Protocol(
            "Planted cause",
            "Of as many places as the object has that tells the class, the largest values that lie on it.",
            lambda examined: planted(examined.loaded.model, examined.loaded.preprocess, examined.count),
            only_scenes,
        ),
        "by_hand": Protocol(
            "By construction",
            "Share of a map on the places that decide, in a network of the family written by hand.",
            lambda examined: by_hand(examined.loaded.card.family, examined.count),
            not_by_hand,
        ),
    }
)
