"""Shares moved by hand: what the page asks for and what it is told, so that it shows what is computed.

The page itself fills the other sliders up to a hundred, in one go with the question (`mixscope.shares` of
page.js), and counts its questions. An answer never moves a slider, except by saying which question it knew:
the page does as it is told only if nothing was asked since.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import gradio as gr

from explorer.errors import ChoiceError
from explorer.reweighting.branch_weights import BlockWeights
from explorer.reweighting.interventions import (
    Intervention,
    Moved,
    Scaled,
    Taken,
    Uniform,
    Without,
    normalised,
)
from explorer.ui.controls import Amount
from explorer.ui.events import Unseen
from explorer.ui.selection import PICK

LONGEST = 8_000  # letters of changes in a link
KINDS: dict[str, type[Moved] | type[Uniform] | type[Scaled]] = {
    "moved": Moved,
    "uniform": Uniform,
    "scaled": Scaled,
}


@dataclass(frozen=True)
class Asked:
    """The latest question: its number, the slider that was moved, and all shares in percent."""

    number: int = 0
    slider: int = -1
    shares: tuple[float, ...] = ()


@dataclass(frozen=True)
class Told:
    """Where the sliders belong, in percent, for a page that has asked nothing after question `number`."""

    number: int
    shares: tuple[float, ...]


class AskedBox(Unseen):
    """Holds a question; anything else counts as none."""

    def preprocess(self, payload: str | None) -> Any:
        try:
            given = json.loads(payload or "{}")
            shares = tuple(float(share) for share in given["shares"])
            return Asked(int(given["number"]), int(given["slider"]), shares)
        except (ValueError, TypeError, KeyError, OverflowError):
            return Asked()


class ToldBox(Unseen):
    """Holds where the sliders belong; the page listens to its change."""

    def postprocess(self, value: Told | str | None) -> str | None:
        return value if isinstance(value, str) or value is None else json.dumps(asdict(value))


class LinkBox(Unseen):
    """Holds the changes in force as a link has them, see `written` and `read`."""

    def preprocess(self, payload: str | None) -> Any:
        return (payload or "")[:LONGEST]


def percent(shares: Any) -> tuple[float, ...]:
    """Shares as the sliders show them."""
    return tuple(round(100 * float(share), 1) for share in shares)


def written(now: tuple[Intervention, ...], theirs: Mapping[str, BlockWeights] | None = None) -> str:
    """Changes as a link holds them: `block~moved~20,30,50;block~without~width`; others are left out.

    theirs: how the other picture of the link is blended; weights taken from it are `block~taken~other`.
    """
    return ";".join(filter(None, (one_written(one, theirs or {}) for one in now)))


def one_written(one: Intervention, theirs: Mapping[str, BlockWeights]) -> str:
    if isinstance(one, Taken):
        return f"{one.block}~taken~other" if one == taken_from(theirs.get(one.block)) else ""
    if isinstance(one, Without):
        return f"{one.block}~without~{one.branch}"
    if isinstance(one, Moved | Uniform | Scaled):
        shares = ",".join(f"{share:g}" for share in percent(one.shares))
        return f"{one.block}~{type(one).__name__.lower()}~{shares}"
    return ""


def taken_from(found: BlockWeights | None) -> Taken | None:
    """The weights of another picture, to be used for this one."""
    return None if found is None else Taken(found.block, tuple(map(tuple, found.values.tolist())))


def takes(link: str) -> bool:
    """Whether a link has weights of the other picture in it."""
    return "~taken~" in link


def read(
    text: str, blocks: tuple[BlockWeights, ...], theirs: Mapping[str, BlockWeights] | None = None
) -> tuple[Intervention, ...]:
    """The changes a link holds, of those this model can have; `theirs` as for `written`."""
    known = {found.block: found for found in blocks}
    parts = [part.split("~") for part in text[:LONGEST].split(";")]
    fitting = [part for part in parts if len(part) == 3 and part[0] in known]
    made = [one_read(known[name], kind, value, (theirs or {}).get(name)) for name, kind, value in fitting]
    return tuple({one.block: one for one in made if one is not None}.values())


def one_read(
    found: BlockWeights, kind: str, value: str, other: BlockWeights | None = None
) -> Intervention | None:
    """One change of a block; None for what it cannot have."""
    if kind == "taken":
        return taken_from(other) if found.learned and value == "other" else None
    if kind == "without":
        return Without(found.block, value) if found.learned and value in found.branches else None
    if kind not in KINDS or (kind == "scaled") == found.learned:
        return None
    try:
        shares = normalised([float(share) for share in value.split(",")], len(found.branches))
    except (ValueError, ChoiceError):
        return None
    return KINDS[kind](found.block, tuple(shares))


def connect_sliders(sliders: list[Amount], asked: AskedBox, told: ToldBox) -> None:
    """In the browser alone: a moved slider moves the others and asks; what is told moves all of them."""
    every = [asked, told, *sliders]
    for index, slider in enumerate(sliders):
        moved = f"(...now) => window.mixscope.shares.moved({index}, ...now)"
        gr.on([slider.input, slider.release], None, every, [asked, *sliders], js=moved, **PICK)
    told.change(None, every, sliders, js="(...now) => window.mixscope.shares.told(...now)", **PICK)
