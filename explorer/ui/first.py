"""What a visitor sees first, where the link says nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from explorer.familiarity.reference import measured_of
from explorer.ui.examples import PHOTOGRAPHS, SCENES
from explorer.ui.model_names import FIRST as MODEL
from explorer.ui.selection import FILE, weights_of
from models import card

SHOWS = {"1-cat": "cat", "7-moose": "deer"}  # what bundled photographs of the ten show


def first_picture() -> Path:
    """A photograph, as soon as weights come along that know what it shows, else a drawn scene."""
    told = measured_of(MODEL, "cifar10").get("examples", SHOWS) if "cifar10" in card(MODEL).weights else {}
    right = (path for path in PHOTOGRAPHS if path.stem in SHOWS and told.get(path.stem) == SHOWS[path.stem])
    return next(right, next(path for path in SCENES if "vertical" in path.stem))


PICTURE = first_picture()


@dataclass(frozen=True)
class First:
    """A model, perhaps its weights, and a picture."""

    model: str = MODEL
    weights: str = ""  # a name, or a path; "" for those that are offered first
    picture: Path = PICTURE
    mark: str = ""  # what a link calls the picture, where it is no example

    @property
    def query(self) -> Mapping[str, str]:
        """The model and the weights as a link has them; nothing for what every visitor sees."""
        if (self.model, self.weights) == (MODEL, ""):
            return {}
        named = self.weights in ("", *weights_of(self.model))
        weights = {"weights": self.weights} if named else {"weights": FILE, "file": self.weights}
        return {"model": self.model, **(weights if self.weights else {})}


FIRST = First()
