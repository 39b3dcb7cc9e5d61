"""The table of all models in README.md, from the registry."""

import re
from pathlib import Path

from models.checkpoint_facts import table
from models.counted import parameters
from models.registry import card, list_models
from models.whole_files import written_whole

HEAD = ("model", "family", "parameters", "input", "weights", "paper")
PLACE = re.compile(r"(<!-- models:[^\n]*-->\n).*?(<!-- /models -->)", re.DOTALL)


def row(name: str) -> tuple[str, ...]:
    """What the table tells of a model."""
    found = card(name)
    weights = ", ".join([*found.weights, "your file", "random"])
    return name, found.family, f"{parameters(name):,}", str(found.image_size), weights, found.paper


def models_table() -> str:
    return table(HEAD, [row(name) for name in list_models()])


def renew_models(readme: Path) -> None:
    """Write the table again, between its two marks, after weights have come."""
    text = readme.read_text("utf-8")
    with written_whole(readme) as partly:
        partly.write_text(PLACE.sub(lambda found: f"{found[1]}{models_table()}\n{found[2]}", text), "utf-8")
