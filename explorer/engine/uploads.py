"""Weights a visitor brings along: checked, read into memory, known by a name that nobody can guess.

The file itself is not needed any more once it is read. Whoever does not have the name is told the same as for
weights that never were.
"""

import secrets
from pathlib import Path

from explorer.errors import ChoiceError
from models.registry import ModelCard

PREFIX = "upload-"
OVERHEAD = 1_000_000  # bytes of a file beside its numbers, at most
LONGEST_LABEL = 200  # letters
MARKUP = set("<>$\\")  # what a page or a drawing would take for more than text
GONE = "These weights are not here, or not any more; upload them again."


def new_name() -> str:
    """A name for uploaded weights that nobody can guess."""
    return PREFIX + secrets.token_urlsafe(24)


def is_upload(weights: str) -> bool:
    return weights.startswith(PREFIX)


def refuse_file(file: Path, parameters: int) -> None:
    """Raises ChoiceError for a file that cannot be the weights of a model, before it is opened."""
    if file.suffix != ".safetensors":
        raise ChoiceError(f"{file.name} is no .safetensors file; save the state_dict as one.")
    most = 8 * parameters + OVERHEAD
    if not file.is_file() or file.stat().st_size > most:
        raise ChoiceError(f"{file.name} is too large: a file for this model has at most {most / 1e6:.0f} MB.")


def read_labels(file: Path, found: ModelCard) -> tuple[str, ...]:
    """The class names in a file, one a line; raises ChoiceError unless it is plain text that fits."""
    if file.stat().st_size > found.num_classes * 4 * (LONGEST_LABEL + 1):
        raise ChoiceError(f"{file.name} is too large for the names of {found.num_classes} classes.")
    try:
        labels = tuple(line.strip() for line in file.read_text("utf-8").splitlines())
    except UnicodeDecodeError as error:
        raise ChoiceError(f"{file.name} is no text in UTF-8.") from error
    if len(labels) != found.num_classes:
        raise ChoiceError(
            f"{found.name} tells {found.num_classes} classes apart, one name a line; "
            f"{file.name} has {len(labels)} lines."
        )
    wrong = [number for number, label in enumerate(labels, 1) if not is_plain(label)]
    if wrong:
        raise ChoiceError(
            f"Line {wrong[0]} of {file.name} is no name: a name is 1 to {LONGEST_LABEL} printable letters "
            "without < > $ and backslash."
        )
    return labels


def is_plain(label: str) -> bool:
    return 0 < len(label) <= LONGEST_LABEL and label.isprintable() and not MARKUP & set(label)
