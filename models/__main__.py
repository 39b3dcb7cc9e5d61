"""Print the table of all models: `python -m models`."""

import sys

from models import card, list_models
from models.costs import multiply_adds
from models.counted import parameters

LINE = "{:<20} {:<22} {:>12} {:>14} {:>6}  {:<32} {}\n"


def main() -> None:
    sys.stdout.write(
        LINE.format("family", "name", "parameters", "multiply-adds", "input", "weights", "paper")
    )
    for name in sorted(list_models(), key=lambda name: (card(name).family, name)):
        found = card(name)
        told = (f"{kind} (bundled)" if one.bundled else kind for kind, one in found.weights.items())
        weights = ", ".join([*told, "file", "random"])
        sys.stdout.write(
            LINE.format(
                found.family,
                name,
                f"{parameters(name):,}",
                f"{multiply_adds(name) / 1e9:.2f} G",
                found.image_size,
                weights,
                found.paper,
            )
        )


if __name__ == "__main__":
    main()
