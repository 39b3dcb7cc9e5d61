"""The true causes of the example pictures: where on them what the class is named after lies."""

from functools import cache

import numpy as np
from PIL import Image

from explorer.attribution.localization import Cause
from explorer.engine.picture_store import digest_of_pixels
from explorer.pictures import Geometry, open_picture
from models.registry import ASSETS

FOLDER = ASSETS / "examples"


@cache
def known() -> dict[str, Cause]:
    """The cause `[h, w]` on the whole picture, by the digest of the picture."""
    found = {}
    for path in sorted((FOLDER / "causes").glob("*.png")):
        mask = np.asarray(Image.open(path).convert("L")) > 127
        label = path.stem.partition("-")[2].replace("-", " ")
        found[digest_of_pixels(open_picture(FOLDER / path.name))] = Cause(mask, label)
    return found


def cause_of(digest: str, geometry: Geometry) -> Cause | None:
    """The cause on the image a model sees of a picture; None for a picture whose cause nobody knows."""
    whole = known().get(digest)
    if whole is None:
        return None
    height, width = geometry.shape
    shown = Image.fromarray(whole.places).resize((width, height), Image.Resampling.NEAREST, box=geometry.box)
    return Cause(np.asarray(shown), whole.label)
