"""What weights are called on the page, and what the badge says of them."""

from explorer.engine.model_store import RANDOM
from explorer.ui.selection import FILE, UPLOAD

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
