"""Kinds of hyper-parameters of a single block: what each may be, how it is read, and how it is printed.

Every kind reads what Python gives and what a name spells alike, so `qkv_bias=1` in a name and
`qkv_bias=True` in a call are one thing. What is not of the kind is refused with what is allowed.
"""

import re
from dataclasses import dataclass
from typing import Any, TypeVar

MOST = 2048  # of a whole number
LONGEST = 40  # characters of one value
Number = TypeVar("Number", int, float)


class NotAllowedError(ValueError):
    """A value that a hyper-parameter may not have."""


@dataclass(frozen=True)
class Whole:
    """A whole number; None where another hyper-parameter decides unless it is given."""

    default: int | None = 1
    least: int = 1
    most: int = MOST

    @property
    def allowed(self) -> str:
        return f"a whole number from {self.least} to {self.most}"

    def read(self, text: str) -> int:
        return between(int(spelling(r"[0-9]{1,9}", text)), self.least, self.most)


@dataclass(frozen=True)
class Fraction:
    """A number that need not be whole, such as the rate of a dropout."""

    default: float = 0.0
    most: float = 0.99

    @property
    def allowed(self) -> str:
        return f"a number from 0 to {self.most:g}"

    def read(self, text: str) -> float:
        return between(float(spelling(r"([0-9]+\.?|[0-9]*\.[0-9]+)(e-?[0-9]{1,2})?", text)), 0.0, self.most)


@dataclass(frozen=True)
class Switch:
    """On or off."""

    default: bool = False

    @property
    def allowed(self) -> str:
        return "0 or 1"

    def read(self, text: str) -> bool:
        return spelling("0|1|false|true", text) in ("1", "true")


@dataclass(frozen=True)
class Choice:
    """One of a few words, written in small or in capital letters; the first unless it is given."""

    options: tuple[str, ...]

    @property
    def default(self) -> str:
        return self.options[0]

    @property
    def allowed(self) -> str:
        return f"{', '.join(self.options[:-1])} or {self.options[-1]}"

    def read(self, text: str) -> str:
        return spelling("|".join(map(re.escape, self.options)), text)


@dataclass(frozen=True)
class Wholes:
    """A few whole numbers, one for each stage, joined by `-`."""

    default: tuple[int, ...]
    most: int = 24  # of each

    @property
    def allowed(self) -> str:
        example = printed(self.default)
        return (
            f"one to {len(self.default)} whole numbers from 1 to {self.most} joined by -, such as {example}"
        )

    def read(self, text: str) -> tuple[int, ...]:
        numbers = spelling(rf"[0-9]{{1,4}}(-[0-9]{{1,4}}){{0,{len(self.default) - 1}}}", text).split("-")
        return tuple(between(int(number), 1, self.most) for number in numbers)


Setting = Whole | Fraction | Switch | Choice | Wholes


def spelling(pattern: str, text: str) -> str:
    """The text in small letters, without spaces around it; raises NotAllowedError for another form."""
    plain = text.strip().lower()
    if len(plain) > LONGEST or not re.fullmatch(pattern, plain):
        raise NotAllowedError(text)
    return plain


def between(value: Number, least: Number, most: Number) -> Number:
    """The value itself; raises NotAllowedError where it is outside."""
    if not least <= value <= most:
        raise NotAllowedError(value)
    return value


def printed(value: Any) -> str:
    """A value as names spell it: `1` for on, `1-2-8-2` for several numbers, else as Python prints it."""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, tuple | list):
        return "-".join(map(str, value))
    return str(value)
