"""What weights are called in the menu, and what the badge says of them."""

from explorer.engine.model_store import RANDOM
from explorer.ui.selection import FILE

NAMES = {
    "scenes": "trained on scenes (bundled)",
    "imagenet": "trained on ImageNet (published)",
    "own": "its own, as it was added",
    "pretrained": "trained (published)",
    RANDOM: "random (untrained)",
    FILE: "a file of yours",
}
BADGES = {
    "scenes": ("good", "Trained: the bundled checkpoint, on procedural scenes"),
    "imagenet": ("good", "Trained: the published checkpoint, on ImageNet"),
    "own": ("neutral", "A model that was added, with the weights it had"),
    "pretrained": ("good", "Trained: the published checkpoint"),
    RANDOM: ("bad", "Untrained: random weights, nothing here was learned"),
    FILE: ("neutral", "Your checkpoint, loaded strictly"),
}
