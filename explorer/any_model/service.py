"""The room's questions about whole models: let one join, and say what was found in it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import nn

from explorer.any_model.adding import add
from explorer.any_model.class_names import names_in
from explorer.any_model.elsewhere import is_elsewhere
from explorer.any_model.find import Found, find
from explorer.any_model.opening import made, preprocess_of
from explorer.any_model.timm_models import HUB, PREFIX
from explorer.engine.engine import Engine
from explorer.engine.loaded import Loaded
from explorer.errors import ChoiceError


class AnyModelService:
    """Adds models of others, and watches any."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def add(self, model: nn.Module, *given: Any) -> Found:
        """See `explorer.any_model.adding.add`; the model comes to the engine's device."""
        return add(model.to(self.engine.device), *given)

    def opened(
        self, model: str, weights: str = "", labels: str | Path | None = None, preprocess: Sequence[str] = ()
    ) -> tuple[str, str]:
        """A model as the command line asks for it: its name, and its weights, "" for the usual ones.

        model: `module:function`, a name of timm, or a listed one. labels, preprocess: for one of one's own,
        or one of timm that was trained for other classes; see `explorer.any_model.opening`.
        """
        own = is_elsewhere(model) and not model.startswith(HUB)
        if own:
            self.engine.limits.refuse_elsewhere(model)
        if own or (model.startswith(PREFIX) and (labels or preprocess)):
            classes = None if labels is None else names_in(labels)
            built = made(model, weights, classes)
            name = model.removeprefix(PREFIX)
            self.add(built, name, preprocess_of(built, preprocess), classes)
            return name, ""
        if labels or preprocess:
            raise ChoiceError(f"{model} has its own classes, and knows how pictures are made ready for it.")
        self.engine.models.refuse_costly(model)
        return model, weights

    def found(self, loaded: Loaded) -> Found:
        """What joined was watched then; a model of ours is watched once."""
        known, shape = getattr(loaded.model, "found", None), loaded.preprocess.shape
        return known or self.engine.once_for_model(loaded, "found", lambda: find(loaded.model, shape))
