"""What a visitor has changed so far: interventions, step by step, so that each step can be taken back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from explorer.reweighting.branch_weights import BlockWeights
from explorer.reweighting.interventions import (
    Frozen,
    Intervention,
    Moved,
    Scaled,
    Taken,
    Uniform,
    Without,
    equal,
    only,
)
from explorer.ui.tabs.reweighting.shares import percent, read, taken_from, written
from models.layer_names import short

LEARNED, EQUAL, OTHER = "learned", "equal", "other"
MOVED, UNIFORM = "moved", "uniform"
ALL = "all"
MOST_STEPS = 100


@dataclass(frozen=True)
class Drag:
    """Which slider is moved, and what it moves."""

    slider: int
    block: str | None
    scope: str
    how: str


@dataclass(frozen=True)
class Changes:
    """The steps made with one model; the last is what is in force."""

    model: str = ""
    steps: tuple[tuple[Intervention, ...], ...] = ()
    drag: Drag | None = None  # the slider that made the last step; a drag is one step, not many
    asked: int = 0  # the number of the latest question of the sliders that is answered, or no longer counts

    @property
    def now(self) -> tuple[Intervention, ...]:
        return self.steps[-1] if self.steps else ()

    def fitting(self, model: str) -> "Changes":
        """These changes for the same model; none for another."""
        return self if model == self.model else Changes(model, asked=self.asked)

    @property
    def takes(self) -> bool:
        """Whether weights of the other picture are in force."""
        return any(isinstance(one, Taken) for one in self.now)

    def begun(
        self,
        model: str,
        linked: str,
        blocks: tuple[BlockWeights, ...],
        theirs: Mapping[str, BlockWeights] | None = None,
    ) -> "Changes":
        """The changes that fit the model; a visitor who has just come starts with those of the link."""
        fitting = self.fitting(model)
        now = () if self.model else read(linked, blocks, theirs)
        return replace(fitting, steps=(now,)) if now else fitting

    def made(self, new: Sequence[Intervention], blocks: Sequence[str], drag: Drag | None = None) -> "Changes":
        """One step more: for these blocks, the new interventions take the place of what was."""
        kept = tuple(one for one in self.now if one.block not in blocks)
        if (*kept, *new) == self.now:
            return self  # asked for twice
        before = self.steps[:-1] if drag and drag == self.drag else self.steps
        return replace(self, steps=(*before, (*kept, *new))[-MOST_STEPS:], drag=drag)

    def undone(self) -> "Changes":
        return replace(self, steps=self.steps[:-1], drag=None)

    def reset(self) -> "Changes":
        return replace(self, steps=(*self.steps, ()) if self.now else self.steps, drag=None)


def presets(branches: tuple[str, ...], learned: bool) -> list[tuple[str, str]]:
    """What can be chosen at once, as (words, name)."""
    offered = [("as learned" if learned else "as it is", LEARNED)]
    offered += [("equal shares", EQUAL)] if learned else []
    offered += [(f"only {branch}", f"only {branch}") for branch in branches]
    offered += [(f"without {branch}", f"without {branch}") for branch in branches]
    return offered + ([("weights of the other picture", OTHER)] if learned else [])


def preset(name: str, found: BlockWeights, theirs: BlockWeights | None) -> list[Intervention]:
    """The interventions a preset means for one block; none for what it does not offer."""
    count = len(found.branches)
    uniform = Uniform if found.learned else Scaled
    means: dict[str, Intervention] = {EQUAL: uniform(found.block, equal(count))}
    for index, branch in enumerate(found.branches):
        others = tuple(float(other != branch) / max(count - 1, 1) for other in found.branches)
        gone = Without(found.block, branch) if found.learned else Scaled(found.block, others)
        means |= {f"only {branch}": uniform(found.block, only(index, count)), f"without {branch}": gone}
    if taken := taken_from(theirs):
        means[OTHER] = taken
    return [means[name]] if name in means else []


def preset_of(
    now: tuple[Intervention, ...],
    found: BlockWeights,
    theirs: BlockWeights | None,
    chosen: str | None = None,
) -> str | None:
    """The preset in force for a block, the chosen one where two mean the same; None for what is none."""
    mine = [one for one in now if one.block == found.block]
    if not mine:
        return LEARNED
    told = {} if theirs is None else {found.block: theirs}
    link = written((mine[0],), told)
    names = [chosen or LEARNED, *(name for _, name in presets(found.branches, found.learned))]
    same = (name for name in names if link and written(tuple(preset(name, found, theirs)), told) == link)
    return next(same, None)


def by_hand(shares: tuple[float, ...], found: BlockWeights, how: str) -> Intervention:
    """What sliders mean for one block."""
    if not found.learned:
        return Scaled(found.block, shares)
    return (Moved if how == MOVED else Uniform)(found.block, shares)


def current(found: BlockWeights, now: tuple[Intervention, ...]) -> np.ndarray:
    """Shares the sliders stand at: those in force, or the learned ones. `found` is of the changed run."""
    if found.learned:
        return found.mean
    scaled = (one.shares for one in now if isinstance(one, Scaled) and one.block == found.block)
    return np.array(next(scaled, equal(len(found.branches))))


def described(one: Intervention) -> tuple[str, str]:
    """An intervention as block and words."""
    block = short(one.block).capitalize()
    if isinstance(one, Without):
        return block, f"without {one.branch}"
    if isinstance(one, Taken):
        return block, "weights of the other picture"
    if isinstance(one, Frozen):
        return block, f"{one.branch} at an equal share"
    words = {Moved: "mean shares {}", Uniform: "every channel {}", Scaled: "scaled {}"}[type(one)]
    return block, words.format(" / ".join(f"{share:g}" for share in percent(one.shares)))


def python(now: tuple[Intervention, ...], other: str) -> list[str]:
    """The interventions as lines of a list; the weights of another picture as the way to get them."""
    taken = any(isinstance(one, Taken) for one in now)
    head = [f'theirs = branch_weights(explorer.inspect(model, "{other}", weights))'] if taken else []
    lines = [f"    {line(one)}," for one in now]
    return [*head, "changes = [", *lines, "]"] if now else [*head, "changes = []  # as learned"]


def line(one: Intervention) -> str:
    if isinstance(one, Taken):
        return f'Taken("{one.block}", block_of(theirs, "{one.block}").values.tolist())'
    if isinstance(one, Without | Frozen):
        return f'{type(one).__name__}("{one.block}", "{one.branch}")'
    return f'{type(one).__name__}("{one.block}", {tuple(round(share, 6) for share in one.shares)})'
