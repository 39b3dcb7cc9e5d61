"""A model in memory, and the same weights once more for long work."""

from copy import deepcopy
from dataclasses import dataclass, field, replace
from itertools import chain

from torch import nn

from explorer.engine.turns import Turns
from models.layers import channels_together
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

    @property
    def parameters(self) -> int:
        return sum(parameter.numel() for parameter in self.model.parameters())

    @property
    def bytes(self) -> int:
        return 4 * self.parameters


def quickly_laid_out(model: nn.Module) -> nn.Module:
    """Our own models as a processor is quick with them; code of others may count on the usual order."""
    return channels_together(model) if type(model).__module__.startswith("models.") else model


def twin_of(model: nn.Module) -> nn.Module:
    """The same tensors in modules of their own, whose hooks are seen by nobody else."""
    tensors = chain(model.parameters(), model.buffers())
    return deepcopy(model, {id(tensor): tensor for tensor in tensors})
