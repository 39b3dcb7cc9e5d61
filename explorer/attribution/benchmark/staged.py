"""Scenes for measuring: nothing but the object tells the class, and any part can be changed alone.

They are made of the pieces of `models.scenes`, which the nanos were trained on, placed otherwise: the middle
of the picture is covered by the object no more often than an average place is, and bars of the object's own
two colours lie around it, so that neither the centre nor a colour gives the cause away.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from models import scenes
from models.scenes import CLASSES, Scene

RADII = (0.21, 0.25)  # of objects, as shares of the side; those learned from reach to 0.32
BARS, BAR_RADII = 11, (0.09, 0.12)
OUTWARD = (
    0.2  # of the beta distribution of places: so that the middle is covered as often as an average place
)
TRIES = 200  # to find a bar a place apart from the object
OFFSET = 10_000_000  # seeds of staged scenes begin here, far from all that was trained on


@dataclass(frozen=True)
class Stage:
    """What a scene is made of; lengths are shares of the side, colours RGB in [0, 1]."""

    label: int
    row: float
    column: float
    radius: float
    ground: tuple[float, ...]
    first: tuple[float, ...]  # colour of the object
    second: tuple[float, ...]  # of its texture
    bars: tuple[tuple[float, ...], ...]  # row, column, radius and number of each
    backdrop: int  # seed of the field of colours and of the clutter
    form: int  # seed of outline and texture
    noise: int
    has_object: bool = True


@lru_cache(maxsize=1_000)
def stage(seed: int, label: int | None = None) -> Stage:
    """The stage of a seed."""
    rng = np.random.default_rng(OFFSET + seed)
    chosen = int(rng.integers(len(CLASSES)))
    radius = rng.uniform(*RADII)
    row, column = placed(rng, radius)
    ground = rng.uniform(0.1, 0.9, 3)
    first = scenes.distinct(rng, ground, 0.45)
    second = scenes.distinct(rng, first, 0.6)
    backdrop, form, noise = (int(one) for one in rng.integers(2**31, size=3))
    return Stage(
        label=chosen if label is None else label,
        row=row,
        column=column,
        radius=radius,
        ground=tuple(ground),
        first=tuple(first),
        second=tuple(second),
        bars=tuple(around(rng, row, column, radius)),
        backdrop=backdrop,
        form=form,
        noise=noise,
    )


def placed(rng: np.random.Generator, radius: float) -> tuple[float, float]:
    """A place for the whole object, more often near the sides than in the middle."""
    row, column = radius + (1 - 2 * radius) * rng.beta(OUTWARD, OUTWARD, size=2)
    return float(row), float(column)


def around(rng: np.random.Generator, row: float, column: float, radius: float) -> list[tuple[float, ...]]:
    """Bars that touch neither the object nor each other; fewer where there is no room."""
    taken: list[tuple[float, ...]] = [(row, column, 1.15 * radius)]
    for _ in range(TRIES):
        size = rng.uniform(*BAR_RADII)
        y, x = rng.uniform(size, 1 - size, 2)
        if all(np.hypot(y - other[0], x - other[1]) > size + other[2] for other in taken):
            taken.append((float(y), float(x), float(size), float(len(taken))))
        if len(taken) > BARS:
            break
    return taken[1:]


def render(stage: Stage, size: int = 64, also: Stage | None = None) -> Scene:
    """The scene, `size` pixels a side; the mask is of the object, also where it is left out.

    also: another stage whose object is drawn too.
    """
    y, x = scenes.places(size)
    picture = behind(stage, size)
    for row, column, radius, number in stage.bars:
        cover = scenes.coverage(bar(y - row, x - column, radius, stage.form + int(number)), size)
        colour = np.array(stage.second if number % 2 else stage.first)
        picture = picture + (colour - picture) * cover[..., None]
    for shown in filter(None, (also, stage)):
        colour, cover = painted(shown, size)
        if shown.has_object:
            picture = picture + (colour - picture) * cover[..., None]
    rng = np.random.default_rng(stage.noise)
    grain = rng.standard_normal((size, size, 3), dtype=np.float32) * rng.uniform(0.01, 0.05)
    return Scene(np.clip((picture + grain) * 255, 0, 255).astype(np.uint8), stage.label, cover > 0.5)


def painted(stage: Stage, size: int) -> tuple[np.ndarray, np.ndarray]:
    """The object's colours `[h, w, 3]` and how much of each place it covers `[h, w]`."""
    y, x = scenes.places(size)
    v, u = (y - stage.row) / stage.radius, (x - stage.column) / stage.radius
    first, second = np.array(stage.first), np.array(stage.second)
    rng = np.random.default_rng(stage.form)
    if stage.label < 6:
        distance = scenes.outline(rng, CLASSES[stage.label])(u, v)
        share = 0.06 * v
    else:
        distance = scenes.blob(rng)(u, v)
        share = scenes.texture(rng, CLASSES[stage.label], x, y, u, v, stage.radius)
    colour = first + (second - first) * share[..., None]
    return colour, scenes.coverage(distance * stage.radius, size)


def bar(y: np.ndarray, x: np.ndarray, radius: float, seed: int) -> np.ndarray:
    """A thick bar within a radius, turned by a random angle: its signed distance to every place `[h, w]`."""
    angle = np.random.default_rng(seed).uniform(0, np.pi)
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    return np.maximum(np.abs(along) - 0.9 * radius, np.abs(across) - 0.4 * radius)


def bar_masks(stage: Stage, size: int = 64) -> list[np.ndarray]:
    """Where each bar lies, True `[h, w]`."""
    y, x = scenes.places(size)
    return [
        bar(y - row, x - column, radius, stage.form + int(number)) < 0
        for row, column, radius, number in stage.bars
    ]


def behind(stage: Stage, size: int) -> np.ndarray:
    """The field of colours and the clutter behind everything else `[h, w, 3]`."""
    y, x = scenes.places(size)
    rng = np.random.default_rng(stage.backdrop)
    picture = scenes.backdrop(rng, np.array(stage.ground), size)
    for _ in range(rng.integers(3, 7)):
        picture = scenes.clutter(rng, picture, y, x)
    return picture


def without_object(stage: Stage) -> Stage:
    return replace(stage, has_object=False)


def without_bar(stage: Stage, number: int) -> Stage:
    return replace(stage, bars=stage.bars[:number] + stage.bars[number + 1 :])


def before(stage: Stage, other: Stage) -> Stage:
    """The same object and bars before the background of another stage."""
    return replace(stage, ground=other.ground, backdrop=other.backdrop)
