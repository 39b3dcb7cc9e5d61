"""The directions in which the places of a map differ most, settled so that they always come out the same.

Mathematics leaves open which way a direction points and, among equally strong ones, which come first. Both
are decided here by the places alone, so that neither a re-run, nor the number of threads, nor the order of
the channels shows.
"""

import numpy as np
import torch
from einops import rearrange
from torch import Tensor

SAME = 1e-6  # relative; what differs by less is equal


def components(values: np.ndarray, count: int = 3) -> np.ndarray:
    """How far each place of `[h, w, c]` goes along the strongest directions `[h, w, count]`, centred.

    A direction is turned so that its scores have a positive third moment; where that is zero, so that the
    first of the places farthest out is positive. Directions the map does not have are zero, and what is
    no number counts as zero.
    """
    rows, columns, _ = values.shape
    numbers = torch.from_numpy(np.nan_to_num(values, posinf=0, neginf=0)).double()
    places = rearrange(numbers, "h w c -> (h w) c")
    basis, lengths = strongest(places - places.mean(dim=0))
    scores = [turned(one) for one in settled(basis, lengths, count)]
    scores += [torch.zeros(len(places), dtype=torch.float64)] * (count - len(scores))
    return rearrange(torch.stack(scores).numpy(), "n (h w) -> h w n", h=rows, w=columns)


def strongest(centred: Tensor) -> tuple[Tensor, Tensor]:
    """Left singular vectors `[places, k]` and values `[k]`, largest first; none that is rounding."""
    few = len(centred) <= centred.shape[1]
    squares, vectors = torch.linalg.eigh(centred @ centred.T if few else centred.T @ centred)
    lengths = squares.flip(0).clamp_min(0).sqrt()
    kept = int((lengths > max(SAME * float(lengths[0]), 1e-12)).sum())
    vectors, lengths = vectors.flip(1)[:, :kept], lengths[:kept]
    return (vectors if few else centred @ vectors / lengths), lengths


def settled(basis: Tensor, lengths: Tensor, count: int) -> list[Tensor]:
    """Up to `count` score vectors `[places]`; those of equal length get the basis their places choose."""
    found: list[Tensor] = []
    while len(found) < min(count, len(lengths)):
        first = len(found)
        equal = int((lengths[first] - lengths[first:] <= SAME * lengths[0]).sum())  # they are in order
        space = basis[:, first : first + equal]
        if equal > 1:
            space = chosen_basis(space, count - first)
        found += [vector * lengths[first] for vector in space.T]
    return found[:count]


def chosen_basis(space: Tensor, count: int) -> Tensor:
    """Directions of a space `[places, k]`, each towards the place that reaches farthest into what is left."""
    made = []
    for _ in range(min(count, space.shape[1])):
        reach = torch.linalg.vector_norm(space, dim=1)
        place = space[first_largest(reach)]
        direction = space @ place / torch.linalg.vector_norm(place)
        made.append(direction)
        space = space - torch.outer(direction, direction @ space)
    return torch.stack(made, dim=1)


def turned(scores: Tensor) -> Tensor:
    third = (scores**3).mean() / (scores**2).mean().clamp_min(1e-300) ** 1.5
    decides = third if third.abs() > SAME else scores[first_largest(scores.abs())]
    return -scores if decides < 0 else scores


def first_largest(values: Tensor) -> int:
    return int((values >= (1 - SAME) * values.max()).nonzero()[0])
