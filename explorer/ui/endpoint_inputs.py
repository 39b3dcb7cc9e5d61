"""What clients may send to the endpoints: names, and classes by number; anything else is one sentence."""

from collections.abc import Callable

from explorer.errors import ChoiceError

LONGEST_NAME = 500


def with_names(handler: Callable, names: tuple[bool, ...], *values):
    """The answer to values of which some are names; those have to be texts of a sensible length."""
    for is_name, value in zip(names, values, strict=True):
        if is_name and (not isinstance(value, str) or len(value) > LONGEST_NAME):
            raise ChoiceError(
                f"Model, weights, block and method are names of at most {LONGEST_NAME} letters."
            )
    return handler(*values)


def class_index(target: float | None) -> int | None:
    """The class asked for; None for the likeliest."""
    if target is None:
        return None
    if isinstance(target, bool) or not isinstance(target, int | float) or target != int(target):
        raise ChoiceError("The class is a whole number, or nothing for the likeliest one.")
    return int(target)
