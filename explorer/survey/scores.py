"""How far maps of attribution can be trusted, picture by picture, beside their controls."""

from collections.abc import Mapping, Sequence

import numpy as np

from explorer.attribution.registry import CONTROLS, METHODS
from explorer.attribution.score_card import ScoreCard
from explorer.engine.engine import SINGLE
from explorer.errors import ChoiceError
from explorer.explorer import Explorer


def scorable(explorer: Explorer, model: str, weights: str, methods: Sequence[str]) -> None:
    """Raises ChoiceError for a method that is none, or means nothing on this model."""
    loaded = explorer.load(model, weights)
    for method in methods:
        if method not in METHODS:
            raise ChoiceError(f"There is no method {method!r}; there are {', '.join(METHODS)}.")
        if not loaded.labels:
            raise ChoiceError(SINGLE)
        explorer.attribution.applicable(loaded, method)


def scored(
    explorer: Explorer, model: str, weights: str, methods: Sequence[str], files: Sequence[bytes]
) -> Mapping[str, np.ndarray]:
    """Insertion minus deletion of each method and each control, `[b, 1 + controls]` by column.

    Of the likeliest class; NaN where a map is the same everywhere.
    """
    made = {}
    for method in methods:
        rows = [scores_of(explorer, model, weights, method, file) for file in files]
        shape = (len(files), 1 + len(CONTROLS))
        made[f"scores:{method}"] = np.array(rows, np.float32).reshape(shape)
    return made


def scores_of(explorer: Explorer, model: str, weights: str, method: str, file: bytes) -> list[float]:
    """As far as a score card tells them; what it measures after that is not asked for."""
    sought = (method, *CONTROLS)
    for card in explorer.score_card(model, file, weights, method=method):
        if card.constant or set(sought) <= set(card.curves):
            return [score(card, name) for name in sought]
    raise AssertionError("a score card tells the curves of its controls")


def score(card: ScoreCard, name: str) -> float:
    return card.curves[name].score if name in card.curves else float("nan")
