"""Read a checkpoint, whatever wraps it, and load it into a model with every key used exactly once."""

import pickle
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from models.memory import is_short_of_memory

SUFFIXES = (".safetensors", ".pth", ".pt", ".bin")
WRAPPERS = ("state_dict", "model", "state_dict_ema")  # what training scripts put around the parameters


class WeightsError(ValueError):
    """A checkpoint that is missing, unreadable, or made for another model."""


class UnreachableError(WeightsError):
    """Weights that could not be fetched from where they are."""

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(
            f"The weights could not be fetched from {place} ({reason}); nothing was changed, "
            "and what has arrived is kept for the next try."
        )
        self.place, self.reason = place, reason


def read(path: Path) -> dict[str, Tensor]:
    """The named tensors in a file; pickles are opened without running any code of theirs."""
    if path.suffix not in SUFFIXES:
        raise WeightsError(f"{path.name} is no checkpoint this can read; give one of {', '.join(SUFFIXES)}.")
    if not path.is_file():
        raise WeightsError(f"There is no file {path.name} at the place given.")
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        return unwrapped(torch.load(path, map_location="cpu", weights_only=True), path.name)
    except pickle.UnpicklingError as error:
        if "Unsupported global" in str(error):  # a class or a function that is no tensor
            raise WeightsError(
                f"{path.name} holds more than tensors, and opening that could run code; save its state_dict."
            ) from error
        raise WeightsError(f"{path.name} could not be read as a checkpoint: it is damaged.") from error
    except (SafetensorError, RuntimeError, EOFError, KeyError, OSError) as error:
        if is_short_of_memory(error):
            raise
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise WeightsError(f"{path.name} could not be read as a checkpoint: {reason}") from error


def unwrapped(content: object, file: str) -> dict[str, Tensor]:
    """Take off the layers training scripts add: `state_dict`, `model`, and the prefix `module.`."""
    for wrapper in WRAPPERS:
        if isinstance(content, Mapping) and isinstance(content.get(wrapper), Mapping):
            content = content[wrapper]
    if not isinstance(content, Mapping) or not all(isinstance(value, Tensor) for value in content.values()):
        raise WeightsError(f"{file} holds no table of named tensors.")
    return {key.removeprefix("module."): value for key, value in content.items()}


def in_half(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Floating-point tensors in half precision, as bundled files keep them; others as they are."""
    return {key: one.half() if one.is_floating_point() else one for key, one in tensors.items()}


def load_strictly(model: nn.Module, tensors: Mapping[str, Tensor], *, name: str, file: str) -> None:
    """Copy `tensors` into `model`, or raise and say which are missing, unexpected, or not what is needed."""
    own = model.state_dict()
    shared = own.keys() & tensors.keys()
    faults = {
        "missing": sorted(own.keys() - tensors.keys()),
        "unexpected": sorted(tensors.keys() - own.keys()),
        "misshaped": [
            f"{key} {tuple(tensors[key].shape)} for {tuple(own[key].shape)}"
            for key in sorted(shared)
            if tensors[key].shape != own[key].shape
        ],
        "of another kind of number": [
            f"{key} {str(tensors[key].dtype).removeprefix('torch.')}"
            for key in sorted(shared)
            if not holds_numbers_of(own[key], tensors[key])
        ],
        "with values that are no numbers (NaN or infinite)": [
            key for key in sorted(shared) if not is_finite_in(own[key], tensors[key])
        ],
    }
    if any(faults.values()):
        raise WeightsError(f"{file} does not fit {name}. " + " ".join(told(*item) for item in faults.items()))
    model.load_state_dict(tensors, strict=True)


def holds_numbers_of(own: Tensor, given: Tensor) -> bool:
    """Whether a tensor may be read into another: floating point of 16 bits or more, or whole numbers."""
    if own.is_floating_point():
        return given.is_floating_point() and given.element_size() > 1
    return given.dtype == own.dtype


def is_finite_in(own: Tensor, given: Tensor) -> bool:
    """Whether all values are numbers, also at the precision of the model."""
    return not given.is_floating_point() or bool(given.to(own.dtype).isfinite().all())


def told(fault: str, keys: list[str], most: int = 3) -> str:
    """One fault as words: how many keys, and the first of them."""
    more = f" and {len(keys) - most} more" if len(keys) > most else ""
    return f"{len(keys)} {fault}: {', '.join(keys[:most])}{more}." if keys else ""
