"""The protocols: what each asks, and of which models it can be asked."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from explorer.attribution.benchmark.grids import disconnected, grid_pointing
from explorer.attribution.benchmark.pictures import Known, of_folder, of_scenes, sure_of
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
    }
)
