"""Passes that show how tensors lie: of images with a spot moved about, and of an image of another size."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

import torch
from einops import rearrange, reduce
from torch import Tensor, nn

from explorer.any_model.layouts import Layout, Seen, Size, Trial, possible
from explorer.any_model.listening import listening
from explorer.any_model.places import Place

NEARER = 1.1  # by how much more of a change has to lie under the spots for tokens to stand behind the places
SPOTS = ((0.25, 0.25), (0.25, 0.75), (0.75, 0.25))  # middles, as shares of the height and the width
# What a model says that does not take a size; it was written by others and may say it in many ways.
REFUSALS = (
    *(RuntimeError, ValueError, AssertionError, IndexError, TypeError, KeyError, AttributeError),
    *(NotImplementedError, ZeroDivisionError),
)


@torch.no_grad()
def tried(
    model: nn.Module, size: Size, places: Mapping[Place, tuple[int, ...]]
) -> tuple[dict[Place, Seen], Trial]:
    """What two more passes show at places, given with their shapes for one picture of a size."""
    seen = {place: Seen(shape) for place, shape in places.items()}
    weight = next(model.parameters(), torch.zeros(1))

    def shown(place: Place, value: Tensor) -> None:
        seen[place].four = tuple(value.shape)
        for one in possible(seen[place].shape, size):
            if len(value) == 4 and value.shape[1:] == seen[place].shape[1:] and min(one.grid) > 1:
                seen[place].fits[one] = clearness(value.detach().float(), one)
        drop_shifted(seen[place].fits, value.detach().float(), size)

    def noted(place: Place, value: Tensor) -> None:
        seen[place].other = tuple(value.shape)

    alone = False
    try:
        with listening(model, {place: partial(shown, place) for place in places}):
            model(spotted(size).to(weight))
    except REFUSALS:
        one_by_one(model, spotted(size).to(weight), seen, shown)
        alone = True
    for other in other_sizes(size):
        try:
            with listening(model, {place: partial(noted, place) for place in places}):
                model(torch.zeros(1, 3, *other).to(weight))
        except REFUSALS:
            continue
        return seen, Trial(size, other, alone)
    for one in seen.values():
        one.other = ()  # of a pass that broke off on the way
    return seen, Trial(size, None, alone)


def one_by_one(
    model: nn.Module, images: Tensor, seen: Mapping[Place, Seen], shown: Callable[[Place, Tensor], None]
) -> None:
    """The same for a model that takes one picture at a time."""
    met: dict[Place, list[Tensor]] = {place: [] for place in seen}

    def kept(place: Place, value: Tensor) -> None:
        met[place].append(value.clone())

    for image in images.split(1):
        with listening(model, {place: partial(kept, place) for place in seen}):
            model(image)
    for place, values in met.items():
        seen[place].fits.clear()
        if len({value.shape for value in values}) == 1:
            shown(place, torch.cat(values))


def other_sizes(size: Size) -> list[Size]:
    """Sizes to try, the height and the width changed by different shares."""
    height, width = size
    sizes = [(height - 64, width - 32), (height + 32, width + 64)]
    return [one for one in sizes if min(one) >= 64]


def spotted(size: Size) -> Tensor:
    """Four images `[4, 3, h, w]`: noise, and the same with a spot in three places."""
    dice = torch.Generator().manual_seed(0)
    images = torch.randn(1, 3, *size, generator=dice).repeat(4, 1, 1, 1)
    half = max(1, min(size) // 12)
    for number, middle in enumerate(SPOTS, 1):
        row, column = (round(share * side) for share, side in zip(middle, size, strict=True))
        images[number, :, row - half : row + half, column - half : column + half] = 3.0
    return images


def drop_shifted(fits: dict[Layout, float], value: Tensor, size: Size) -> None:
    """Of tokens before the places and as many behind keep those beside which the spots are where they lie."""
    images = spotted(size)
    spots = (images[1:] != images[:1]).any(dim=1).float()
    for one in [one for one in fits if one.behind]:
        before = replace(one, behind=False)
        there = torch.nn.functional.adaptive_avg_pool2d(spots, one.grid)
        nearer = overlap(changes(value, one), there) > NEARER * overlap(changes(value, before), there)
        fits.pop(before if nearer else one, None)


def overlap(change: Tensor, spots: Tensor) -> float:
    return float((change * spots).sum() / change.sum().clamp_min(1e-12))


def changes(value: Tensor, one: Layout) -> Tensor:
    """How much each place changes with each spot `[spots, h, w]`, beside what all of them take part in."""
    places = value[:, one.places] if one.tokens else value
    sizes = {"h": one.grid[0]} if "(h w)" in one.pattern else {}
    change = rearrange(places, f"{one.pattern} -> b h w c", **sizes)
    change = change[1:] - change[:1]
    change = change - reduce(change, "spots h w c -> spots 1 1 c", "mean")
    return reduce(change.abs(), "spots h w c -> spots h w", "mean")


def clearness(value: Tensor, one: Layout) -> float:
    """By how much the quarter of the map under the spot changes more than the next, at the least."""
    change = changes(value, one)
    rows, columns = (side // 2 for side in one.grid)
    corners = (change[:, :rows, :columns], change[:, :rows, -columns:], change[:, -rows:, :columns])
    parts = torch.stack(
        [*(c.mean(dim=(1, 2)) for c in corners), change[:, -rows:, -columns:].mean(dim=(1, 2))], 1
    )
    under = parts.diagonal()
    others = parts.clone().masked_fill(torch.eye(3, 4, dtype=torch.bool), 0).amax(dim=1)
    return float((under / others.clamp_min(1e-12)).min()) if bool(under.max() > 0) else 0.0
