"""What every question is about: one model, and one picture as this model sees it."""

from collections.abc import Hashable
from dataclasses import dataclass, replace

from torch import Tensor

from explorer.engine.model_store import Loaded
from explorer.pictures import Geometry


@dataclass(frozen=True, eq=False)
class ModelInput:
    """One picture made ready for one model, once; every question takes it."""

    loaded: Loaded
    image: Tensor  # [1, 3, h, w], preprocessed, on the CPU
    placed: Tensor  # the same on the device of the model
    geometry: Geometry  # where the image lies in the picture
    digest: str  # of the picture

    @property
    def key(self) -> Hashable:
        """Names the model, the weights and the picture; the start of the key of every answer about them."""
        return self.loaded.card.name, self.loaded.weights, self.digest

    @property
    def apart(self) -> "ModelInput":
        """The same for long work, see `Loaded.apart`."""
        return replace(self, loaded=self.loaded.apart)

    @property
    def bytes(self) -> int:
        """Of the image; the model is remembered on its own."""
        return self.image.untyped_storage().nbytes()
