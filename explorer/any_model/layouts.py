"""How the axes of a layer lie: found out by passes with another size and with a spot moved over the picture.

Nothing is told from names. Along the axes that grow with the image lie its places; where a spot moves right,
what changes moves along the axis of the columns. Where both ways are possible they have to agree.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from explorer.errors import ChoiceError

Size = tuple[int, int]  # rows and columns
MOST_TOKENS = 16  # beside the places: of classes, registers, distillation
CLEAR = 1.03  # how much more the part of a map under the spot must change than any other
WRITTEN = re.compile(r"b c h w|b h w c|b \((?:(\d+) ?\+ ?)?h w(?: ?\+ ?(\d+))?\) c|b c \(h w\)")


@dataclass(frozen=True)
class Layout:
    """How the axes of a tensor lie."""

    pattern: str  # of its places, after the tokens beside them are taken off: "b c h w", "b (h w) c"
    grid: Size
    tokens: int = 0  # beside those of the places, along the same axis
    evidence: str = ""  # "sizes", "shift", "sizes and shift", "given"
    behind: bool = False  # whether they come after the places, instead of before

    @property
    def written(self) -> str:
        with_tokens = f"(h w + {self.tokens})" if self.behind else f"({self.tokens} + h w)"
        return self.pattern.replace("(h w)", with_tokens) if self.tokens else self.pattern

    @property
    def places(self) -> slice:
        """Where the places lie among the tokens."""
        return slice(None, -self.tokens) if self.behind else slice(self.tokens, None)


@dataclass
class Seen:
    """What the trials showed at one place."""

    shape: tuple[int, ...]  # for one picture of the model's own size
    other: tuple[int, ...] = ()  # for one of the other size
    four: tuple[int, ...] = ()  # for four pictures
    fits: dict[Layout, float] = field(default_factory=dict)  # how clearly the spot moves in each layout

    @property
    def batch(self) -> int | None:
        """The axis that is four times as long for four pictures."""
        if len(self.four) != len(self.shape):
            return None
        pairs = enumerate(zip(self.shape, self.four, strict=True))
        return next((axis for axis, (one, four) in pairs if four == 4 * one), None)


@dataclass(frozen=True)
class Trial:
    """The sizes of the images that were tried."""

    own: Size
    other: Size | None  # None where the model takes its own size only
    alone: bool = False  # the model takes one picture at a time


def possible(shape: tuple[int, ...], size: Size) -> Iterable[Layout]:
    """The layouts a shape could have, for an image of a size."""
    if len(shape) == 4:
        yield Layout("b c h w", shape[2:])
        yield Layout("b h w c", shape[1:3])
    if len(shape) == 3:
        for axis, pattern in ((1, "b (h w) c"), (2, "b c (h w)")):
            for tokens in range(MOST_TOKENS + 1 if axis == 1 else 1):
                rows = round((max(shape[axis] - tokens, 0) * size[0] / size[1]) ** 0.5)
                if rows and shape[axis] - tokens == rows * round(rows * size[1] / size[0]):
                    grid = rows, (shape[axis] - tokens) // rows
                    yield Layout(pattern, grid, tokens)
                    if tokens:
                        yield Layout(pattern, grid, tokens, behind=True)


def by_sizes(seen: Seen, trial: Trial) -> list[Layout]:
    """The layouts whose grid grows as the image did."""
    if trial.other is None or len(seen.other) != len(seen.shape) or seen.other == seen.shape:
        return []
    return [
        one
        for one in possible(seen.shape, trial.own)
        if any(grown(one, other, trial) for other in possible(seen.other, trial.other))
        and width(seen.shape, one) == width(seen.other, one)
    ]


def grown(one: Layout, other: Layout, trial: Trial) -> bool:
    same = (one.pattern, one.tokens, one.behind) == (other.pattern, other.tokens, other.behind)
    if not same or trial.other is None:
        return False
    sides = zip(one.grid, other.grid, trial.own, trial.other, strict=True)
    return all(abs(theirs - ours * new / old) < 1.01 for ours, theirs, old, new in sides)


def width(shape: tuple[int, ...], one: Layout) -> int:
    """Channels of a tensor in a layout."""
    return shape[-1] if one.pattern.endswith(" c") else shape[1]


def decided(seen: Seen, trial: Trial) -> Layout | str:
    """The layout, or a sentence that says why there is none."""
    if len(seen.shape) not in (3, 4):
        return f"It has {len(seen.shape)} axes; places need three or four."
    if seen.shape[0] != 1 or seen.batch != 0:
        return "Its first axis is not that of the pictures."
    grown_like = [one for one in by_sizes(seen, trial) if one in seen.fits or not one.behind]
    grown_like = [one for one in grown_like if replace(one, behind=True) not in seen.fits or one.behind]
    clear = sorted((one for one, by in seen.fits.items() if by > CLEAR), key=lambda one: -seen.fits[one])
    both = [one for one in clear if one in grown_like]
    if grown_like and clear and not both:
        return "Its axes grow with the image in one way, and a spot moves over them in another."
    if both:
        return named(both[0], "sizes and shift")
    if len(grown_like) == 1:
        return named(grown_like[0], "sizes")
    if clear and (len(clear) == 1 or seen.fits[clear[0]] > 1.2 * seen.fits[clear[1]]):
        return named(clear[0], "shift")
    return "Neither another size nor a spot moved over the picture tells its axes apart."


def named(one: Layout, evidence: str) -> Layout:
    return replace(one, evidence=evidence)


def given(text: str, shape: tuple[int, ...], size: Size) -> Layout:
    """A layout written by hand: "b c h w", "b (1 + h w) c". Raises ChoiceError where it does not fit."""
    match = WRITTEN.fullmatch(text.strip())
    if not match:
        raise ChoiceError(
            f"{text!r} is no layout; write b c h w, b h w c, b (h w) c, b (1 + h w) c or b (h w + 1) c."
        )
    tokens = int(match[1] or match[2] or 0)
    fits = [one for one in possible(shape, size) if one.tokens == tokens]
    found = next((one for one in fits if one.written.replace(" ", "") == text.replace(" ", "")), None)
    if found is None:
        told = " × ".join(map(str, shape))
        raise ChoiceError(f"The layout {text!r} does not fit a tensor of {told}.")
    return named(found, "given")
