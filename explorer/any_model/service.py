"""The room's questions about whole models: let one join, and say what was found in it."""

from typing import Any

from torch import nn

from explorer.any_model.adding import add
from explorer.any_model.find import Found, find
from explorer.engine.engine import Engine
from explorer.engine.loaded import Loaded


class AnyModelService:
    """Adds models of others, and watches any."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def add(self, model: nn.Module, *given: Any) -> Found:
        """See `explorer.any_model.adding.add`; the model comes to the engine's device."""
        return add(model.to(self.engine.device), *given)

    def found(self, loaded: Loaded) -> Found:
        """What joined was watched then; a model of ours is watched once."""
        known, shape = getattr(loaded.model, "found", None), loaded.preprocess.shape
        return known or self.engine.once_for_model(loaded, "found", lambda: find(loaded.model, shape))
