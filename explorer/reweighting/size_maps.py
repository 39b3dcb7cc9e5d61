"""Where in the picture a gate acts: the size of a modulation, and what each place gets of attention."""

from dataclasses import dataclass

import numpy as np
from einops import rearrange

from explorer.capture import Run
from explorer.errors import NoMapError
from explorer.mixing.attention import unfolding
from explorer.reweighting.gates import Gate
from models.probe import Kind


@dataclass(frozen=True)
class SizeMap:
    """One gate as a map, or, where its axes are not places, as a matrix."""

    gate: str
    values: np.ndarray  # [h, w], or [queries, keys]
    unit: str
    has_places: bool  # whether rows and columns are those of the picture


def size_map(run: Run, gate: Gate) -> SizeMap:
    """Of a modulation the root mean square over its channels at each place.

    Of attention how much each place gets from all, beside an even share: 1 is as much as the others. Where
    its queries and keys are not the places of a map, the shares averaged over the heads.

    Raises NoMapError for a gate without places.
    """
    if not gate.has_places:
        raise NoMapError(f"This is one number for each of {gate.channels} channels, the same at all places.")
    if gate.kind is not Kind.ATTENTION:
        sizes = np.sqrt((gate.values**2).mean(axis=-1))
        return SizeMap(gate.name, sizes, "size", has_places=min(sizes.shape) > 1)
    try:
        return received(run, gate)
    except NoMapError:
        return SizeMap(gate.name, gate.values.mean(axis=0), "share of attention", has_places=False)


def received(run: Run, gate: Gate) -> SizeMap:
    """What each place gets, over all heads and all that look."""
    value, patch, grid = unfolding(run, gate.name)
    shares = value.mean(dim=(1, 2)).numpy() * value.shape[-1]
    across = grid[1] // patch
    values = rearrange(shares, "(ph pw) (h w) -> (h ph) (w pw)", ph=patch, w=across)
    return SizeMap(gate.name, values, "times an even share", has_places=True)
