"""What a visitor sees first, where the link says nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from explorer.ui.examples import EXAMPLES
from explorer.ui.model_names import FIRST as MODEL
from explorer.ui.selection import FILE, weights_of

PICTURE = next(path for path in EXAMPLES if "vertical" in path.stem)


@dataclass(frozen=True)
class First:
    """A model, perhaps its weights, and a picture."""

    model: str = MODEL
    weights: str = ""  # a name, or a path; "" for those that are offered first
    picture: Path = PICTURE

    @property
    def query(self) -> Mapping[str, str]:
        """The model and the weights as a link has them; nothing for what every visitor sees."""
        if self == First():
            return {}
        named = self.weights in ("", *weights_of(self.model))
        weights = {"weights": self.weights} if named else {"weights": FILE, "file": self.weights}
        return {"model": self.model, **(weights if self.weights else {})}


FIRST = First()
