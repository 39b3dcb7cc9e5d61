"""What weights are called on the page, what the badge says of them, and which a model starts with."""

from explorer.engine.model_store import RANDOM
from explorer.ui.selection import FILE, UPLOAD
from models import card

NAMES = {
    "scenes": "trained on scenes (bundled)",
    "imagenet": "trained on ImageNet (published)",
    RANDOM: "random (untrained)",
    UPLOAD: "an upload of yours",
    FILE: "a file of yours",
}
BADGES = {
    "scenes": ("good", "Trained: the bundled checkpoint, on procedural scenes"),
    "imagenet": ("good", "Trained: the published checkpoint, on ImageNet"),
    RANDOM: ("bad", "Untrained: random weights, nothing here was learned"),
    UPLOAD: ("neutral", "Your checkpoint, loaded strictly; it is forgotten when you leave"),
    FILE: ("neutral", "Your checkpoint, loaded strictly"),
}


def first_here(model: str) -> str:
    """The first weights that need not be fetched."""
    offered = (name for name, known in card(model).weights.items() if known.source.here())
    return next(offered, RANDOM)
