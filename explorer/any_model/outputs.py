"""What a module puts out, tensors in lists, tuples and dicts: find its map, put another in its place."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from explorer.any_model.opened_attention import Change

PLAIN = (int, float, str, bytes, type(None), torch.dtype, torch.device)


def tensors_in(value: Any) -> list[Tensor]:
    """The tensors of an output, through lists, tuples and dicts, in their order."""
    if isinstance(value, Tensor):
        return [value]
    found: list[Tensor] = []
    gather(value, found)
    return found


def gather(value: Any, found: list[Tensor]) -> None:
    if isinstance(value, list | tuple):
        for one in value:
            if isinstance(one, Tensor):
                found.append(one)
            elif not isinstance(one, PLAIN):  # asked before what takes long to ask
                gather(one, found)
    elif isinstance(value, Tensor):
        found.append(value)
    elif isinstance(value, PLAIN):
        return
    elif isinstance(value, Mapping):
        gather(list(value.values()), found)
    elif isinstance(value, Sequence):
        gather(list(value), found)


def map_in(value: Any) -> Tensor | None:
    """The tensor of an output that holds places, if there is one."""
    if isinstance(value, Tensor):
        return value if value.ndim > 2 else None
    maps = [(tuple(one.shape), one) for one in tensors_in(value) if one.ndim > 2]
    return min(maps, key=fewest_rows)[1] if maps else None


def fewest_rows(one: tuple[tuple[int, ...], Any]) -> int:
    """Among maps by their shapes the first of one row a picture goes before one of a row for each patch."""
    shape, _ = one
    return shape[0]


def changed_by_all(value: Any, changes: Sequence[tuple[int | None, Change]]) -> Any:
    """The output after all changes; None where none changes anything."""
    made = None
    for part, change in changes:
        given = changed_output(value if made is None else made, change, part)
        made = made if given is None else given
    return made


def changed_output(value: Any, change: Change, part: int | None = None) -> Any:
    """The output with its map changed, or with the one of a number among all; None where nothing changes."""
    found = map_in(value) if part is None else maps_in(value)[part]
    given = None if found is None else change(found)
    return None if given is None else replaced(value, found, given)


def maps_in(value: Any) -> list[Tensor]:
    return [one for one in tensors_in(value) if one.ndim > 2]


def replaced(value: Any, old: Tensor | None, new: Tensor) -> Any:
    """The same structure with one tensor in the place of another."""
    if value is old:
        return new
    if isinstance(value, Mapping):
        return type(value)({key: replaced(one, old, new) for key, one in value.items()})  # type: ignore[call-arg]
    if isinstance(value, list | tuple):
        parts = [replaced(one, old, new) for one in value]
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    return value
