"""What clients may send to the endpoints: names, and classes by number; anything else is one sentence."""

import math
from collections.abc import Callable
from typing import Any, TypeGuard

import numpy as np

from explorer.errors import ChoiceError
from explorer.ui.events import Place

LONGEST_NAME = 500


def with_names(handler: Callable, names: tuple[bool, ...], *values):
    """The answer to values of which some are names; those have to be texts of a sensible length."""
    for is_name, value in zip(names, values, strict=True):
        if is_name and (not isinstance(value, str) or len(value) > LONGEST_NAME):
            raise ChoiceError(
                f"Model, weights, layer, gate and method are names of at most {LONGEST_NAME} letters."
            )
    return handler(*values)


def is_whole(value: Any) -> TypeGuard[float]:
    """Whether what was sent is a whole number, written as one or not."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and math.isfinite(value) and value == int(value)


def whole_number(value: float | None, what: str) -> int:
    """A number that is whole and not below zero. Raises ChoiceError in the name of `what`."""
    if not is_whole(value) or value < 0:
        raise ChoiceError(f"{what} is a whole number from 0 up.")
    return int(value)


def place_at(row: float | None, column: float | None) -> Place:
    """A place of the picture by its shares of height and width."""
    sides = [one for one in (row, column) if isinstance(one, int | float) and 0 <= one <= 1]
    if len(sides) < 2:
        raise ChoiceError("Row and column are shares of the picture, from 0, up and left, to 1.")
    return Place(*sides)


def numbers(values: np.ndarray) -> list:
    """Values as nested lists; None for what is no number, which JSON cannot hold."""
    return np.where(np.isfinite(values), values, np.array(None)).tolist()


def class_index(target: float | None) -> int | None:
    """The class asked for; None for the likeliest."""
    if target is None:
        return None
    if not is_whole(target):
        raise ChoiceError("The class is a whole number, or nothing for the likeliest one.")
    return int(target)
