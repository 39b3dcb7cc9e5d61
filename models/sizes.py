"""The same model for images of another size: `create("fasternet_t0@320")`, `create("mobilevit_s@192x256")`.

Height before width, in pixels. Only networks whose weights do not know how many tokens there are.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from models.registry import MAKERS, ModelCard, Weights, card

MOST = 1024  # pixels a side


class SizeError(ValueError):
    """A size the architecture does not take."""


def sized(name: str) -> ModelCard | None:
    """The card of a model at another size; None for a name that asks for none.

    Raises SizeError, with the numbers, for a size the architecture does not take.
    """
    base, at, asked = name.partition("@")
    if not at:
        return None
    found = card(base)
    match = re.fullmatch(r"(\d{1,5})(?:x(\d{1,5}))?", asked)
    if not match:
        raise SizeError(f"{asked!r} is no size; write it as 320, or as 192x256, height before width.")
    height, width = int(match[1]), int(match[2] or match[1])
    refuse(found, height, width)
    if sizes_seen(found) == {(height, width)}:
        return found
    return replace(
        found,
        name=f"{base}@{height}x{width}" if height != width else f"{base}@{height}",
        image_size=height,
        preprocess=replace(found.preprocess, size=height, width=width),
        layouts=MappingProxyType(
            {key: replace(known, size=height, width=width) for key, known in found.layouts.items()}
        ),
        weights=at_size(found.weights, height, width),
    )


def sizes_seen(found: ModelCard) -> set[tuple[int, int]]:
    """Heights and widths of the images that random and trained weights see where no size is asked for."""
    return {found.preprocess.shape, *(one.preprocess.shape for one in found.weights.values())}


def at_size(weights: Mapping[str, Weights], height: int, width: int) -> Mapping[str, Weights]:
    return MappingProxyType(
        {
            name: replace(
                one,
                preprocess=replace(
                    one.preprocess,
                    size=height,
                    width=width,
                    detail=one.preprocess.detail * height // one.preprocess.size,
                ),
            )
            for name, one in weights.items()
        }
    )


def refuse(found: ModelCard, height: int, width: int) -> None:
    if not found.step:
        raise SizeError(
            f"{found.name} mixes a fixed number of tokens and takes "
            f"{found.image_size} × {found.image_size} pixels only, not {height} × {width}."
        )
    if height % found.step or width % found.step or not found.step <= min(height, width):
        raise SizeError(
            f"{found.name} takes sides that are multiples of {found.step} pixels; "
            f"{height} × {width} is not made of them."
        )
    if max(height, width) > MOST:
        raise SizeError(f"{height} × {width} pixels are too many; the limit is {MOST} a side.")


def usual_sizes(found: ModelCard) -> tuple[str, ...]:
    """Sizes worth offering, the published one first; none where only one is possible."""
    if not found.step:
        return ()
    own, step = found.image_size, found.step

    def near(share: float) -> int:
        return max(step, round(share * own / step) * step)

    less, more = near(0.75), near(1.5)
    squares = [own, near(0.5), less, near(1.25), more, near(2.0)]
    return tuple(dict.fromkeys([*map(str, squares), f"{less}x{own}", f"{own}x{less}", f"{own}x{more}"]))


MAKERS.append(sized)
