"""Procedural pictures with a known class and a mask of its cause.

One object lies on a smooth, noisy background among small clutter. For six classes the outline of the
object tells, whatever its colour; for the other six its texture tells, whatever its outline. The same
seed draws the same scene at every size: all lengths are shares of the side, and the noise comes last.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from einops import einsum, rearrange

CLASSES = (
    *("disk", "square", "triangle", "star", "ring", "cross"),
    *("horizontal stripes", "vertical stripes", "diagonal stripes", "checkerboard", "dots", "spiral"),
)
HELD_OUT = range(2_000)  # seeds nothing is trained on
TRAINING_SEED = 1_000_000  # the first seed to train on

Array = np.ndarray
Field = Callable[[Array, Array], Array]  # places -> signed distance to an edge, negative inside


@dataclass(frozen=True)
class Scene:
    """`picture` uint8 `[h, w, 3]`, its `label`, and `mask` bool `[h, w]` of the object that causes it."""

    picture: Array
    label: int
    mask: Array


def draw(seed: int, size: int = 64, label: int | None = None) -> Scene:
    """The scene of a seed, `size` pixels a side; with `label`, a scene of that class."""
    rng = np.random.default_rng(seed)
    chosen = int(rng.integers(len(CLASSES)))
    label = chosen if label is None else label
    y, x = places(size)
    ground = rng.uniform(0.1, 0.9, 3)
    picture = backdrop(rng, ground, size)
    for _ in range(rng.integers(3, 7)):
        picture = clutter(rng, picture, y, x)

    radius = rng.uniform(0.21, 0.32)
    row, column = rng.uniform(radius, 1 - radius, 2)
    v, u = (y - row) / radius, (x - column) / radius
    first = distinct(rng, ground, 0.45)
    second = distinct(rng, first, 0.6)
    if label < 6:
        distance = outline(rng, CLASSES[label])(u, v)
        colour = first + (second - first) * 0.06 * v[..., None]
    else:
        distance = blob(rng)(u, v)
        share = texture(rng, CLASSES[label], x, y, u, v, radius)
        colour = first + (second - first) * share[..., None]
    cover = coverage(distance * radius, size)
    picture = picture + (colour - picture) * cover[..., None]
    noise = rng.standard_normal((size, size, 3), dtype=np.float32) * rng.uniform(0.01, 0.05)
    pixels = np.clip((picture + noise) * 255, 0, 255).astype(np.uint8)
    return Scene(pixels, label, cover > 0.5)


def places(size: int) -> tuple[Array, Array]:
    """Row and column of every pixel centre, as shares of the side, each `[h, w]`."""
    centres = (np.arange(size, dtype=np.float32) + 0.5) / size
    row, column = np.meshgrid(centres, centres, indexing="ij")
    return row, column


def coverage(distance: Array, size: int) -> Array:
    """How much of each pixel lies inside; `distance` in shares of the side."""
    return np.clip(0.5 - distance * size, 0, 1)


def distinct(rng: np.random.Generator, other: Array, distance: float) -> Array:
    """A colour at least `distance` away from another in RGB."""
    while True:
        colour = rng.uniform(0, 1, 3)
        if np.linalg.norm(colour - other) >= distance:
            return colour


def backdrop(rng: np.random.Generator, ground: Array, size: int) -> Array:
    """A smooth field of colours around `ground`: a 4 x 4 table enlarged linearly."""
    knots = ground + rng.uniform(-0.16, 0.16, (4, 4, 3))
    at = np.linspace(0, 3, size)
    hat = np.maximum(0, 1 - np.abs(at[:, None] - np.arange(4)))
    rows = einsum(hat, knots, "h i, i j c -> h j c")
    return einsum(rows, hat, "h j c, w j -> h w c").astype(np.float32)


def clutter(rng: np.random.Generator, picture: Array, y: Array, x: Array) -> Array:
    """One small dot or bar of any colour somewhere."""
    row, column, angle = rng.uniform(0, 1), rng.uniform(0, 1), rng.uniform(0, np.pi)
    long, thin = rng.uniform(0.015, 0.05), rng.uniform(0.01, 0.02)
    along = (x - column) * np.cos(angle) + (y - row) * np.sin(angle)
    across = (y - row) * np.cos(angle) - (x - column) * np.sin(angle)
    distance = np.maximum(np.abs(along) - long, np.abs(across) - thin)
    return picture + (rng.uniform(0, 1, 3) - picture) * coverage(distance, len(picture))[..., None]


def outline(rng: np.random.Generator, shape: str) -> Field:
    """The outline of a shape of radius one, turned by a random angle."""
    turn = rng.uniform(0, 2 * np.pi)

    def turned(u: Array, v: Array) -> Array:
        along = u * np.cos(turn) + v * np.sin(turn)
        across = v * np.cos(turn) - u * np.sin(turn)
        return OUTLINES[shape](along, across)

    return turned


def polygon(u: Array, v: Array, corners: int, reach: float) -> Array:
    """A regular polygon; `reach` is the distance from its middle to its sides."""
    angles = 2 * np.pi * np.arange(corners) / corners
    return np.max([u * np.cos(a) + v * np.sin(a) for a in angles], axis=0) - reach


def star(u: Array, v: Array, points: int = 5, waist: float = 0.42) -> Array:
    """A star, folded onto half of one of its points: the straight side from tip to waist."""
    wedge = np.pi / points
    angle = np.abs((np.arctan2(v, u) + wedge) % (2 * wedge) - wedge)
    radius = np.hypot(u, v)
    tip, inner = np.array([1.0, 0.0]), waist * np.array([np.cos(wedge), np.sin(wedge)])
    side = (inner - tip) / np.linalg.norm(inner - tip)
    return (radius * np.cos(angle) - tip[0]) * side[1] - (radius * np.sin(angle)) * side[0]


def cross(u: Array, v: Array, thickness: float = 0.3) -> Array:
    a, b = np.abs(u), np.abs(v)
    return np.maximum(np.minimum(a, b) - thickness, np.maximum(a, b) - 1)


OUTLINES: dict[str, Field] = {
    "disk": lambda u, v: np.hypot(u, v) - 1,
    "square": lambda u, v: polygon(u, v, 4, 0.8),
    "triangle": lambda u, v: polygon(u, v, 3, 0.55),
    "star": star,
    "ring": lambda u, v: np.abs(np.hypot(u, v) - 0.76) - 0.24,
    "cross": cross,
}


def blob(rng: np.random.Generator) -> Field:
    """An outline of no class: a circle with a few random waves."""
    orders = np.arange(2, 6)
    sizes, phases = rng.uniform(-0.1, 0.1, 4), rng.uniform(0, 2 * np.pi, 4)

    def distance(u: Array, v: Array) -> Array:
        angle = np.arctan2(v, u)
        waves = sum(s * np.cos(k * angle + p) for k, s, p in zip(orders, sizes, phases, strict=True))
        return np.hypot(u, v) - 1 - waves

    return distance


def texture(
    rng: np.random.Generator, kind: str, x: Array, y: Array, u: Array, v: Array, radius: float
) -> Array:
    """Share of the second colour at every place, 0 to 1; `x y` in the picture, `u v` in the object."""
    period = rng.uniform(0.1, 0.15)
    phase, other = rng.uniform(0, 2 * np.pi, 2)
    side = 1 if rng.uniform() < 0.5 else -1
    k = 2 * np.pi / period
    waves = {
        "horizontal stripes": lambda: np.sin(k * y + phase),
        "vertical stripes": lambda: np.sin(k * x + phase),
        "diagonal stripes": lambda: np.sin(k * (x + side * y) / np.sqrt(2) + phase),
        "checkerboard": lambda: 1.4 * np.sin(k * x / 1.4 + phase) * np.sin(k * y / 1.4 + other),
        "dots": lambda: np.cos(k * x / 1.2 + phase) + np.cos(k * y / 1.2 + other) - 0.7,
        "spiral": lambda: np.sin(k * radius * np.hypot(u, v) + side * np.arctan2(v, u) + phase),
    }
    return np.clip(0.5 + 1.5 * waves[kind](), 0, 1)


def batch(seeds: range | list[int], size: int = 64) -> tuple[Array, Array]:
    """Pictures uint8 `[b, 3, h, w]` and labels `[b]` of several seeds."""
    scenes = [draw(seed, size) for seed in seeds]
    pictures = rearrange([scene.picture for scene in scenes], "b h w c -> b c h w")
    return np.ascontiguousarray(pictures), np.array([scene.label for scene in scenes])
