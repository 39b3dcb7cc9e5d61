"""The protocols: what each asks, and of which models it can be asked."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType

from torch import nn

from explorer.attribution.benchmark import interventions
from explorer.attribution.benchmark.by_hand import BY_HAND, by_hand
from explorer.attribution.benchmark.grids import disconnected, grid_pointing
from explorer.attribution.benchmark.pictures import Known, of_folder, of_scenes, sure_of
from explorer.attribution.benchmark.planted import planted
from explorer.attribution.benchmark.single_deletions import schedule_of, single_deletions
from explorer.attribution.benchmark.suppressed import TAKEN_OFF, suppressor, taken_off
from explorer.attribution.benchmark.trials import Trial
from explorer.attribution.benchmark.without_cause import randomised, relevance_gain
from explorer.engine.loaded import Loaded
from explorer.errors import ChoiceError
from models.registry import Preprocess


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
    def knows_scenes(self) -> bool:
        """Whether these weights were trained on scenes: those that ship, or a file that says so."""
        return self.loaded.weights == "scenes" or bool(schedule_of(self.loaded.weights))

    @property
    def about(self) -> dict[str, str]:
        """Which model this is, and what it is shown."""
        return {"model": self.loaded.card.name, "weights": self.loaded.weights, "source": self.source}

    def pictures(self) -> Iterator[Known]:
        """One after the other; raises ChoiceError for a model that knows no scenes and has no folder."""
        if self.folder is not None:
            return of_folder(self.folder, self.loaded.preprocess, self.loaded.model)
        if not self.knows_scenes:
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
    least: float = 0.0  # that its number can be; the most is 1


def fixed_size(examined: Examined) -> str:
    """A grid is twice as large as a picture, and is seen whole."""
    card = examined.loaded.card
    return "" if card.step else f"{card.name} takes one size of image only: it cannot see a grid whole."


def only_scenes(examined: Examined) -> str:
    """Only of scenes it is known what tells the class."""
    if examined.knows_scenes and examined.folder is None:
        return ""
    return "Causes are known for scenes: name a model with the weights called scenes, and no folder."


def not_by_hand(examined: Examined, written: Collection[str] = BY_HAND) -> str:
    """Networks were written by hand for some families."""
    family = examined.loaded.card.family
    return "" if family in written else f"No {family} was written by hand; there are {', '.join(written)}."


def seen_whole(examined: Examined) -> str:
    """A model that never saw a picture with a hole says of one how strange it is."""
    if examined.loaded.weights in ("scenes", "cifar10"):
        return (
            "These weights never saw a picture that lacks a cell: train some with --deleted, and name them."
        )
    return ""


Changed = Callable[[nn.Module, Preprocess, int], Iterator[Trial]]


def staged(title: str, measures: str, trials: Changed, least: float = 0.0) -> Protocol:
    """A protocol on staged scenes."""

    def asked(examined: Examined) -> Iterator[Trial]:
        return trials(examined.loaded.model, examined.loaded.preprocess, examined.count)

    return Protocol(title, measures, asked, only_scenes, least)


PROTOCOLS: MappingProxyType[str, Protocol] = MappingProxyType(
    {
        "by_hand": Protocol(
            "By construction",
            "Share of a map on the places that decide, in a network of the family written by hand.",
            lambda examined: by_hand(examined.loaded.card.family, examined.count),
            not_by_hand,
        ),
        "suppressor_by_hand": Protocol(
            "Suppressor by construction",
            "Share of a map on the object, in a network written by hand that takes off what lies behind.",
            lambda examined: taken_off(examined.loaded.card.family, examined.count),
            partial(not_by_hand, written=TAKEN_OFF),
        ),
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
        "planted": staged(
            "Planted cause",
            "Of as many places as the object has that tells the class, the largest values that lie on it.",
            planted,
        ),
        "deletion": staged(
            "Single deletion",
            "Rank correlation of what a map says of each part with what the logit loses without it.",
            interventions.deletion,
            least=-1,
        ),
        "preservation": staged(
            "Preservation",
            "Probability of the class where only the part is drawn that the map names first.",
            interventions.preservation,
        ),
        "distractibility": staged(
            "Distractibility",
            "What is said of the object, beside what is said of bars that do not matter.",
            interventions.distractibility,
        ),
        "target_sensitivity": staged(
            "Target sensitivity",
            "Of two objects, how often the map of each class names its own.",
            interventions.target_sensitivity,
        ),
        "background": staged(
            "Background",
            "How near to its true share of the logit is what is said of the background.",
            interventions.background,
        ),
        "suppressor": staged(
            "Suppressor",
            "How near to its true share of the logit is what is said of a field that lies over everything.",
            suppressor,
        ),
        "idsds": Protocol(
            "Deletion of cells (IDSDS)",
            "Rank correlation of what a map says of 4 × 4 cells with what the logit loses without each.",
            lambda examined: single_deletions(
                examined.loaded.model, examined.loaded.preprocess, examined.sure(), examined.count
            ),
            seen_whole,
            least=-1,
        ),
        "srg": Protocol(
            "Relevance gain",
            "Probability of the class while the least relevant places go, less while the most relevant go.",
            lambda examined: relevance_gain(
                examined.loaded.model, examined.loaded.preprocess, examined.sure(), examined.count
            ),
            least=-1,
        ),
        "randomised": Protocol(
            "Randomisation",
            "How much of the rank order of a map is lost as the weights are, the top layers first.",
            lambda examined: randomised(examined.loaded.model, examined.sure(), examined.count),
        ),
    }
)
