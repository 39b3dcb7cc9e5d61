"""Which pixels move a place of a layer, and which places of a layer feel a pixel.

The effective field is measured: the squared gradient of what stands at a place, pixel by pixel. How large it
could be at most is a question to the architecture, see `explorer.mixing.theoretical_field`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from explorer.errors import ChoiceError
from explorer.in_notebook import InNotebook
from explorer.mixing.channel_mixtures import estimated, mixtures
from explorer.mixing.theoretical_field import of_channel, probe_at, reachable_places, unit_of, up_to
from models.registry import Preprocess

SHARES = (0.25, 0.5, 0.75, 0.95)  # of the energy
MIXTURES = 8  # of the channels at least, for the energy of all of them
AFFORDABLE = 32 * 64 * 64  # pixels of all gradients together, which more mixtures are taken for
SQUARES = 32  # squares along the shorter side of the image, for what a pixel is taken to be


@dataclass(frozen=True)
class EffectiveField(InNotebook):
    """How strongly each pixel moves what stands at one place of a layer."""

    layer: str
    place: tuple[int, int]  # row, column
    grid: tuple[int, int]  # rows and columns of the layer
    channel: int | None  # None: all channels together
    energy: np.ndarray  # [h, w], squared gradient summed over the colours, and the channels
    pictures: int = 1  # averaged over so many
    mixtures: int = 0  # of the channels, that the energy was estimated with; 0 where it is exact
    errors: np.ndarray | None = None  # [h, w], standard error of the energy; None where it is exact
    error: float = 0.0  # standard error of the sum of all energy, as a part of it

    @property
    def pixels(self) -> tuple[int, ...]:
        """How many pixels hold each of `SHARES` of the energy; zeros where nothing moves the place."""
        return tuple(int(held(self.energy, share).sum()) for share in SHARES)

    @property
    def levels(self) -> np.ndarray:
        """How many of the regions that hold `SHARES` of the energy a pixel is in `[h, w]`, 0 to 4."""
        return np.stack([held(self.energy, share) for share in SHARES]).sum(axis=0, dtype=np.uint8)


@dataclass(frozen=True)
class SensitivityMap(InNotebook):
    """How far the places of a layer move when one square of the image changes."""

    layer: str
    square: tuple[int, int, int, int]  # top, left, bottom, right in pixels of the image
    channel: int | None
    change: np.ndarray  # [rows, columns], length over the channels, in units of the layer
    can: np.ndarray  # [rows, columns] bool, the places that can feel it by the architecture

    @property
    def inside(self) -> float:
        """Share of the squared change at places that can feel the square through weights and shifts."""
        whole = float((self.change**2).sum())
        return float((self.change[self.can] ** 2).sum()) / whole if whole else 0.0


def held(energy: np.ndarray, share: float) -> np.ndarray:
    """The fewest pixels that hold a share of all energy, bool `[h, w]`; none where there is no energy."""
    flat = energy.astype(np.float64).ravel()
    order = np.argsort(-flat, kind="stable")
    whole = np.cumsum(flat[order])
    count = 0 if whole[-1] <= 0 else int(np.searchsorted(whole, share * whole[-1] * (1 - 1e-12))) + 1
    mask = np.zeros(flat.size, bool)
    mask[order[:count]] = True
    return mask.reshape(energy.shape)


def effective_field(
    model: nn.Module,
    image: Tensor,
    layer: str,
    place: tuple[int, int],
    channel: int | None = None,
    most: int | None = None,
) -> EffectiveField:
    """The energy of a place (row, column) of a layer over the pixels of `image` `[1, 3, h, w]`.

    One channel: its squared gradient, exactly. None: summed over all channels. Up to `most` channels are
    taken one by one; of more, so many mixtures v with signs +1 and -1 are, since the mean of (v . J)^2 is the
    sum of J_c^2 (Hutchinson, 1990); how they spread gives the standard error. The signs are always the same.
    most: gradients to take at most; None for what is affordable, as many as there are channels for all.
    """
    image = image.detach().requires_grad_()
    with torch.enable_grad():
        values = up_to(lambda: model(image), probe_at(model, layer), {})
        unit = unit_of(values, layer, place, channel)
        most = most or max(MIXTURES, AFFORDABLE // (image.shape[-2] * image.shape[-1]))
        found = EffectiveField(layer, place, (values.shape[1], values.shape[2]), channel, np.zeros((1, 1)))
        if len(unit) <= most:
            drawn = energies(unit, image, torch.eye(len(unit)).to(unit))
            return replace(found, energy=drawn.sum(dim=0).float().cpu().numpy())
        signs, rows = mixtures(len(unit), most)
        made = estimated(energies(unit, image, signs.to(unit)), rows)
        return replace(found, mixtures=most, **made._asdict())


def energies(unit: Tensor, image: Tensor, directions: Tensor) -> Tensor:
    """The squared gradients `[n, h, w]` of what stands at a place, along directions `[n, channels]`."""
    pulled = (torch.autograd.grad(unit, image, one, retain_graph=True)[0] for one in directions)
    return torch.stack([squared(gradient) for gradient in pulled])


def squared(gradient: Tensor) -> Tensor:
    """Summed over the colours `[h, w]`, in float64, so that small values do not vanish."""
    return (gradient[0].double() ** 2).sum(dim=0)


def averaged(fields: Iterable[EffectiveField]) -> Iterator[EffectiveField]:
    """The mean of the energies so far, after each field; all of one place of one layer.

    Their mixtures are the same, and so may be their errors: that of the mean is taken to be the mean one.
    """
    so_far: list[EffectiveField] = []
    for field in fields:
        so_far = [*so_far, field]
        yield mean_of(so_far)


def mean_of(fields: list[EffectiveField]) -> EffectiveField:
    energy = np.mean([one.energy for one in fields], axis=0, dtype=np.float64)
    unsure = [one.errors for one in fields if one.errors is not None]
    wholes = [float(one.energy.sum(dtype=np.float64)) for one in fields]
    return replace(
        fields[-1],
        energy=np.asarray(energy, np.float32),
        pictures=len(fields),
        errors=np.mean(unsure, axis=0) if unsure else None,
        error=float(np.dot([one.error for one in fields], wholes)) / max(sum(wholes), 1e-300),
    )


def squares(shape: tuple[int, int]) -> tuple[int, int, int]:
    """Into how many rows and columns of squares an image is cut, and their side in pixels."""
    side = max(1, min(shape) // SQUARES)
    return -(-shape[0] // side), -(-shape[1] // side), side


def square_at(shape: tuple[int, int], row: int, column: int) -> tuple[int, int, int, int]:
    """Top, left, bottom and right in pixels of the square in a row and column."""
    rows, columns, side = squares(shape)
    if not (0 <= row < rows and 0 <= column < columns):
        raise ChoiceError(f"This image has {rows} × {columns} squares; there is no square {row}, {column}.")
    return row * side, column * side, min((row + 1) * side, shape[0]), min((column + 1) * side, shape[1])


def changed(image: Tensor, preprocess: Preprocess, square: tuple[int, int, int, int]) -> Tensor:
    """The image `[1, 3, h, w]` with every colour of a square at the end of its range it is farther from.

    Unlike turning light into dark, this moves every pixel, grey ones too, by at least half the range.
    """
    order = [2, 1, 0] if preprocess.channels == "bgr" else [0, 1, 2]
    mean, std = (
        image.new_tensor(values)[order][:, None, None] for values in (preprocess.mean, preprocess.std)
    )
    colours = image[0] * std + mean
    opposite = ((colours < 0.5).to(image.dtype) - mean) / std
    top, left, bottom, right = square
    inside = torch.zeros_like(colours, dtype=torch.bool)
    inside[:, top:bottom, left:right] = True
    return torch.where(inside, opposite, image[0])[None]


@torch.no_grad()
def sensitivity_map(
    model: nn.Module,
    image: Tensor,
    preprocess: Preprocess,
    layer: str,
    square: tuple[int, int, int, int],
    channel: int | None = None,
) -> SensitivityMap:
    """How far every place of a layer moves when a square of `image` `[1, 3, h, w]` is changed."""
    both = torch.cat([image, changed(image, preprocess, square)])
    values = of_channel(up_to(lambda: model(both), probe_at(model, layer), {}), layer, channel)
    length = torch.linalg.vector_norm((values[1] - values[0]).double(), dim=-1)
    mask = torch.zeros(image.shape[-2:], dtype=torch.bool)
    top, left, bottom, right = square
    mask[top:bottom, left:right] = True
    can = reachable_places(model, mask, layer, channel)
    return SensitivityMap(layer, square, channel, length.float().cpu().numpy(), can.numpy())
