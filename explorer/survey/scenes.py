"""The scenes nothing is trained on, as pictures a survey goes over: drawn again from their number."""

import io
from collections.abc import Iterator
from functools import partial

from PIL import Image

from explorer.survey.sources import Item
from models import scenes

SIDE = 64  # pixels


def held_out() -> Iterator[Item]:
    """All of them, each named by its class and the seed it is drawn from."""
    for seed in scenes.HELD_OUT:
        label = scenes.CLASSES[scenes.draw(seed, SIDE).label]
        yield Item(f"{label}/{seed}.png", label, partial(drawn, seed))


def drawn(seed: int) -> bytes:
    """A scene as a PNG file."""
    file = io.BytesIO()
    Image.fromarray(scenes.draw(seed, SIDE).picture).save(file, "PNG")
    return file.getvalue()


def scene(index: int) -> tuple[str, bytes] | None:
    """Name and file of one of them; None for a number there is not."""
    if not 0 <= index < len(scenes.HELD_OUT):
        return None
    seed = scenes.HELD_OUT[index]
    return f"{scenes.CLASSES[scenes.draw(seed, SIDE).label]}/{seed}.png", drawn(seed)
