"""The names of the classes of a model that joins: given, as the lines of a file, or numbered."""

from collections.abc import Sequence
from pathlib import Path

from explorer.errors import ChoiceError


def given_names(labels: Sequence[str] | str | Path | None) -> tuple[str, ...] | None:
    """Names of the classes, as given or as the lines of a file."""
    if labels is None:
        return None
    return names_in(labels) if isinstance(labels, str | Path) else tuple(map(str, labels))


def labels_for(names: tuple[str, ...] | None, count: int) -> tuple[str, ...]:
    """As many names as there are classes, numbers where none are given."""
    if names is None:
        return tuple(f"class {number}" for number in range(count))
    if len(names) != count:
        raise ChoiceError(f"The model tells {count} classes apart; {len(names)} names were given.")
    return names


def names_in(file: str | Path) -> tuple[str, ...]:
    """The lines of a file."""
    try:
        return tuple(Path(file).read_text("utf-8").splitlines())
    except (OSError, ValueError) as error:
        raise ChoiceError(f"There is no text {Path(file).name} with the names of the classes.") from error
