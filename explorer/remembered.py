"""What is remembered, and so would be answered at once: the page draws that without being asked to."""

from explorer.attribution.options import DEFAULTS, Options
from explorer.attribution.service import AttributionService, Question
from explorer.engine.engine import Engine
from explorer.engine.picture_store import Source
from explorer.features.service import ComparisonService


class Remembered:
    """Whether an `Explorer` knows an answer already; nothing is computed to tell."""

    def __init__(
        self, engine: Engine, attribution: AttributionService, comparison: ComparisonService
    ) -> None:
        self.engine, self.attribution, self.comparison = engine, attribution, comparison

    def run(self, model: str, picture: Source | None, weights: str) -> bool:
        """Whether the pass of a picture is remembered, so that to inspect it takes no time."""
        return self.engine.knows_run(model, picture, weights)

    def attribution_of(
        self,
        model: str,
        picture: Source | None,
        weights: str | None = None,
        *,
        method: str,
        target: int | None = None,
        options: Options = DEFAULTS,
    ) -> bool:
        """Whether `Explorer.attribute` would answer at once."""
        question = Question(method=method, target=target, options=options)
        return self.attribution.knows(self.engine.input(model, picture, weights), question)

    def costs(self, model: str, weights: str | None = None) -> bool:
        """Whether the costs of a backbone are remembered, at the size its weights see."""
        return self.comparison.knows_costs(model, weights)
