"""The catalogue of single blocks: each alone, with hyper-parameters to change and an input of its own.

`create_block("WeightedPermuteMLP", dim=512, seg_dim=8, qkv_bias=True)` gives the bare module; what there is
stands in `models.block_cards`, how a picture reaches it in `models.single`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn

from models.block_cards import CARDS, BlockCard
from models.block_settings import LONGEST, NotAllowedError, printed
from models.random_state import seeded


class BlockError(ValueError):
    """A block nobody listed, or hyper-parameters that do not go together."""


BLOCKS = MappingProxyType({found.name: found for found in CARDS})


def list_blocks(family: str | None = None) -> list[str]:
    return [name for name, found in BLOCKS.items() if family in (None, found.family)]


def block_card(name: str) -> BlockCard:
    if name not in BLOCKS:
        raise BlockError(f"There is no block {name!r}; the blocks are {', '.join(BLOCKS)}.")
    return BLOCKS[name]


def create_block(name: str, *, seed: int = 0, **settings: Any) -> nn.Module:
    """The bare block in eval mode, random from `seed`; settings that are not given have their default.

    Raises BlockError, with the numbers, for settings it does not have or that do not go together.
    """
    found = block_card(name)
    given = complete(found, settings)
    with seeded(seed):
        try:
            return found.build(**every(found, given)).eval()
        except (ValueError, RuntimeError, ZeroDivisionError) as error:
            raise BlockError(f"{spelled(name, given)} cannot be built: {error}.") from error


def default_input(name: str, seed: int = 0, **settings: Any) -> Tensor:
    """A random input of the shape a block expects, `[b, h, w, c]` or `[b, c, h, w]` as its card says."""
    found = block_card(name)
    given = every(found, complete(found, settings))
    shape = found.shape(given)
    if found.axes == "b c h w":
        shape = (*shape[:2], *(max(side, found.least(given)) for side in shape[2:]))
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator)


def complete(found: BlockCard, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that name a block: its usual few, and the further ones that differ from their default.

    Values may be Python's or text. Raises BlockError for what a block does not have and what is not allowed.
    """
    read = {name: value_of(found, name, value) for name, value in settings.items()}
    further = {
        name: read[name] for name, kind in found.more.items() if read.get(name, kind.default) != kind.default
    }
    return {**found.settings, **{name: read[name] for name in found.settings if name in read}, **further}


def every(found: BlockCard, settings: Mapping[str, Any]) -> dict[str, Any]:
    """All settings of a block, the further ones as well."""
    return {**found.settings, **{name: kind.default for name, kind in found.more.items()}, **settings}


def value_of(found: BlockCard, name: str, value: Any) -> Any:
    """One hyper-parameter, read and checked."""
    known = (*found.settings, *found.more)
    if name not in known:
        raise BlockError(
            f"{found.name} has no hyper-parameter {name[:LONGEST]!r}; it has {', '.join(known)}."
        )
    kind = found.kind(name)
    told = printed(value)
    try:
        return kind.read(told)
    except NotAllowedError:
        said = told.strip()[:LONGEST] or "empty"
        raise BlockError(f"{name} of {found.name} is {kind.allowed}, not {said}.") from None


def spelled(name: str, settings: Mapping[str, Any]) -> str:
    """A block with its hyper-parameters as the name of a model."""
    return f"{name}({', '.join(f'{key}={printed(value)}' for key, value in settings.items())})"
