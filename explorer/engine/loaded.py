"""A model in memory, and the same weights once more for long work."""

from dataclasses import dataclass, field, replace
from functools import cached_property

from torch import nn

from explorer.engine.turns import Turns
from explorer.engine.twins import normed
from models.registry import ModelCard, Preprocess

RANDOM = "random"


@dataclass(frozen=True)
class Loaded:
    """A model in memory, what its weights want to see, and what its classes are called."""

    card: ModelCard
    weights: str  # a name of the card, RANDOM, a path, or the name of an upload
    model: nn.Module
    preprocess: Preprocess
    labels: tuple[str, ...]
    twin: nn.Module  # the same weights in modules of their own, or the model itself
    long: Turns  # taken by the long work of all models, part by part
    lock: Turns = field(default_factory=Turns)  # hooks are state of the module: one pass at a time

    @property
    def apart(self) -> "Loaded":
        """The same model for long work: whoever asks something short of it waits for none of that."""
        return self if self.twin is self.model else replace(self, model=self.twin, lock=self.long)

    @property
    def is_trained(self) -> bool:
        return self.weights != RANDOM

    @cached_property
    def parameters(self) -> int:
        return sum(parameter.numel() for parameter in self.model.parameters())

    @property
    def bytes(self) -> int:
        """With what is there a second time once its norms are folded, see `twins.folded`."""
        again = sum(one.conv.weight.numel() for one in normed(self.model))
        return 4 * (self.parameters + again)
