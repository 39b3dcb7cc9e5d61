"""What fails inside a model of others, told in a sentence: its code was written by somebody else.

Nothing is hidden of our own models, whose errors are bugs here.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar, cast

from explorer.any_model.trials import REFUSALS
from explorer.engine.loaded import Loaded
from explorer.errors import ExplorerError, NoMapError
from models.memory import is_short_of_memory

T = TypeVar("T")
DONE = object()
# What PyTorch says where a model lets no gradient through: `no_grad` inside it, numpy, quantised layers.
NO_GRADIENT = ("does not require grad", "not have been used in the graph", "does not have a grad_fn")
WITHOUT = (
    "No gradient passes through this model, which this needs; occlusion and other methods without one work."
)
WRITTEN = (
    "This model writes into tensors that its gradient needs, so there is none; methods without one work."
)


@contextmanager
def told_in_a_sentence(loaded: Loaded) -> Iterator[None]:
    """For the length of a `with` block. Raises NoMapError for what a model of others raises."""
    try:
        yield
    except REFUSALS as error:
        is_ours = getattr(loaded.model, "found", None) is None
        if is_ours or isinstance(error, ExplorerError) or is_short_of_memory(error):
            raise
        raise NoMapError(sentence(error)) from error


def each_in_a_sentence(loaded: Loaded, parts: Iterator[T]) -> Iterator[T]:
    """The same for the making of each part of a long work."""
    while True:
        with told_in_a_sentence(loaded):
            part = next(parts, DONE)
        if part is DONE:
            return
        yield cast(T, part)


def sentence(error: Exception) -> str:
    said = str(error).strip() or type(error).__name__
    if any(words in said for words in NO_GRADIENT):
        return WITHOUT
    if "modified by an inplace operation" in said:
        return WRITTEN
    return f"This model cannot be asked this; its code says: {said.splitlines()[0].rstrip('.')[:160]}."
