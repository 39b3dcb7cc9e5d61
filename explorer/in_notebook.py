"""Results that a notebook shows as a picture; nothing is drawn here, `explorer.notebook` says how."""

from collections.abc import Callable
from typing import Any

DRAWINGS: dict[type, Callable[[Any], str]] = {}  # by the class of a result, what makes HTML of it


class InNotebook:
    """A result with a small picture of its own, once `import mixscope` has brought the drawings."""

    def _repr_html_(self) -> str | None:
        """What Jupyter shows; None, without the drawings, leaves the text of the dataclass."""
        draw = DRAWINGS.get(type(self))
        return draw(self) if draw else None
