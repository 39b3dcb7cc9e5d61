"""An einops pattern as a drawing: which axis goes where."""

from dataclasses import dataclass

from explorer.code_walk.source_lines import axes_in

LETTER, EDGE, INSIDE, GAP, BREAK = 8.2, 16, 4, 10, 30  # of a letter, a box, and between boxes, axes, tensors


@dataclass(frozen=True)
class Box:
    """One axis on one side of the arrow."""

    name: str
    x: float  # left edge
    width: float
    size: int | None  # length of the axis, where it is known
    kept: bool  # whether it is there on the other side too

    @property
    def middle(self) -> float:
        return self.x + self.width / 2


@dataclass(frozen=True)
class Group:
    """Axes that stand in brackets and count as one."""

    x: float
    width: float
    size: int | None


@dataclass(frozen=True)
class Drawing:
    """The axes before and after, and the ways between them, from the middle of one box to another."""

    pattern: str
    before: tuple[Box, ...]
    after: tuple[Box, ...]
    groups_before: tuple[Group, ...]
    groups_after: tuple[Group, ...]
    links: tuple[tuple[float, float], ...]
    width: float


def drawing(pattern: str, made: tuple[int, ...] = ()) -> Drawing:
    """Of `"b h (w s) -> b s h w"`; `made` is the shape of what came out, where it is known."""
    left, right = (side.strip() for side in pattern.split("->"))
    ours = axes_in(right)
    shape = made if len(made) == len(ours) else made[:0]
    if len(ours) == len(made) + 1:  # the first axis was taken apart at once
        shape = (0, *made)
    known = {axis: size for axis, size in zip(ours, shape, strict=False) if size and not axis.startswith("(")}
    totals = {axis: size for axis, size in zip(ours, shape, strict=False) if size}
    on_left, on_right = set(names(left)), set(names(right))
    before, groups_before, far = row(left, known, totals, on_right)
    after, groups_after, wide = row(right, known, totals, on_left)
    links = [(one.middle, other.middle) for one in before for other in after if one.name == other.name]
    return Drawing(
        " ".join(pattern.split()),
        tuple(before),
        tuple(after),
        tuple(groups_before),
        tuple(groups_after),
        tuple(links),
        max(far, wide),
    )


def names(side: str) -> list[str]:
    return side.replace("(", " ").replace(")", " ").replace(",", " ").split()


def row(side: str, known: dict, totals: dict, others: set[str]) -> tuple[list[Box], list[Group], float]:
    """The boxes of one side from left to right, those in brackets close together, and how far they reach."""
    boxes: list[Box] = []
    groups: list[Group] = []
    x = 4.0
    for tensor in side.split(","):
        for axis in axes_in(tensor):
            start = x
            for name in names(axis):
                size = int(name) if name.isdigit() else known.get(name)
                told = None if name.isdigit() else size
                width = EDGE + LETTER * len(f"{name} {told}" if told else name)
                boxes.append(Box(name, x, width, told, name in others or name.isdigit()))
                x += width + INSIDE
            if axis.startswith("("):
                groups.append(Group(start - 3, x - INSIDE - start + 6, totals.get(axis)))
            x += GAP
        x += BREAK - GAP
    return boxes, groups, x - BREAK + 4
