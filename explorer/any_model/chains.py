"""Which modules of a model put out its layers, told from how one watched pass went through them.

A part that hands on what its last part made is a container: a stage, looked into. What does more with what
its parts made, as a residual block does when it adds, is a block. What changes the grid beside blocks is a
merging of patches, as is all that comes before the first block.
"""

from collections import Counter
from collections.abc import Iterator

from torch import nn
from torch.nn.utils.parametrize import ParametrizationList

from explorer.any_model.layer import Layer, put_out
from explorer.any_model.layouts import MOST_TOKENS
from explorer.any_model.watch import Pass
from models.probe import Role

Shape = tuple[int, ...]
FEWEST = 2  # layers; where less are found, every weighted part puts out one


class Tree:
    """Which run was part of which, as far as maps were put out."""

    def __init__(self, seen: Pass, model: nn.Module) -> None:
        self.parts = dict(model.named_modules())
        self.runs = seen.runs
        self.opened: dict[type[nn.Module], bool] = {}
        visits = Counter(run.name for run in seen.runs)
        self.children: dict[int, list[int]] = {}
        beside = {name for name, part in self.parts.items() if isinstance(part, ParametrizationList)}
        for number, run in enumerate(seen.runs):
            if run.name in beside or run.name.rpartition(".")[0] in beside:
                continue  # it makes weights
            if number and len(run.shape) > 2 and visits[run.name] == 1:
                self.children.setdefault(self.around(number), []).append(number)

    def around(self, number: int) -> int:
        """The smallest part around a run that puts out a map, or the model: wrappers are seen through."""
        above = self.runs[number].parent or 0
        while above and len(self.runs[above].shape) < 3:
            above = self.runs[above].parent or 0
        return above

    def part(self, number: int) -> nn.Module:
        return self.parts[self.runs[number].name]

    def kind(self, number: int) -> type[nn.Module]:
        return type(self.part(number))

    def is_made_of_parts(self, number: int) -> bool:
        """Whether a run is of something larger than one layer of weights."""
        part = self.part(number)
        weighted = any(one.ndim > 1 for one in part.parameters())
        return weighted and any(name != "parametrizations" for name, _ in part.named_children())

    def inner(self, number: int) -> list[int]:
        return [child for child in self.children.get(number, []) if self.is_made_of_parts(child)]

    def gives_last(self, number: int) -> bool:
        """Whether a run gives what the last of its parts made, which may be its only block."""
        inner = self.inner(number)
        return bool(inner) and self.runs[inner[-1]].given == self.runs[number].given

    def hands_on(self, number: int) -> bool:
        """Whether a run only hands on what the last of its parts made."""
        inner = self.inner(number)
        if self.kind(number) is nn.Sequential and any(map(self.inner, inner)):
            return True
        if not self.gives_last(number):
            return False
        kin = [child for child in inner if self.kind(child) is self.kind(inner[-1])]
        nested = len(kin) > 1 and all(map(self.inner, kin))
        return self.kind(number) is nn.Sequential or nested or self.is_open(inner[-1])

    def is_open(self, number: int) -> bool:
        """Whether a run is looked into: some of its class hand on, and all give what a part made."""
        kind = self.kind(number)
        if kind is nn.Sequential:
            return self.hands_on(number)
        if kind not in self.opened:
            self.opened[kind] = False  # while it is being found out: a class inside itself is a block
            alike = [one for one in range(len(self.runs)) if self.kind(one) is kind and self.runs[one].shape]
            self.opened[kind] = any(map(self.hands_on, alike)) and all(map(self.gives_last, alike))
        return self.opened[kind]

    def role(self, number: int, siblings: list[int], before: tuple[int, ...]) -> Role:
        """What a part puts out; `before` is the shape of what it was given."""
        alone = sum(self.kind(one) is self.kind(number) for one in siblings) == 1 and len(siblings) > 1
        return Role.PATCHES if alone and self.runs[number].shape != before else Role.BLOCK

    def walk(self, number: int, before: tuple[int, ...] = ()) -> Iterator[tuple[int, Role]]:
        """Blocks and what merges patches, in the order of the pass, and after its blocks each stage."""
        inner = self.inner(number)
        for child in inner:
            if self.is_open(child):
                inside = list(self.walk(child, before))
                same = {self.runs[one].given for one, _ in inside}
                yield from inside
                yield child, Role.STAGE if self.runs[child].given in same else Role.OTHER
            else:
                yield child, self.role(child, inner, before)
            before = self.runs[child].shape


def layers(seen: Pass, model: nn.Module) -> tuple[Layer, ...]:
    """The layers of a model in the order of the pass."""
    tree = Tree(seen, model)
    walked = list(tree.walk(0))
    if sum(role is Role.BLOCK for _, role in walked) < FEWEST:
        found = [(number, Role.BLOCK) for number in single_layers(tree)]
    else:
        stages = stages_of(tree, [number for number, role in walked if role is Role.STAGE])
        found = [(n, role) for n, role in walked if role is not Role.STAGE or n in stages]
        found = with_stem(tree, found)
    known = {tree.runs[n].given for n, _ in found}
    return tuple(layer for n, role in found for layer in put_out(tree.runs[n], role, known))


def stages_of(tree: Tree, containers: list[int]) -> set[int]:
    """Of containers that put out the same tensor, the one that has sisters, or else the innermost."""
    by_tensor: dict[int | None, list[int]] = {}
    for one in containers:
        by_tensor.setdefault(tree.runs[one].given, []).append(one)

    def has_sisters(one: int) -> bool:
        siblings = tree.children[tree.around(one)]
        return sum(tree.kind(other) is tree.kind(one) for other in siblings) > 1

    return {next(filter(has_sisters, reversed(group)), group[0]) for group in by_tensor.values()}


def with_stem(tree: Tree, found: list[tuple[int, Role]]) -> list[tuple[int, Role]]:
    """With what the model itself does before the first block and after the last.

    What it makes last before the blocks are the patches.
    """
    top = [
        one for one in tree.children.get(0, []) if not isinstance(tree.part(one), nn.Identity | nn.Dropout)
    ]

    def is_block(number: int) -> bool:
        return number not in top or sum(tree.kind(one) is tree.kind(number) for one in top) > 1

    blocks = [number for number, role in found if role is not Role.STAGE and is_block(number)]
    nested = [number for number in blocks if number not in top] or blocks
    ahead = [one for one in top if nested and tree.runs[one].ended < tree.runs[nested[0]].ended]
    ahead = [one for one in ahead if one not in dict(found) or one < nested[0]]
    made = sorted({tree.runs[one].given: one for one in ahead if one != nested[0]}.values())
    before = [(one, Role.PATCHES if one == made[-1] else Role.OTHER) for one in made]
    kept = [*before, *(item for item in found if item[0] not in ahead)]
    known = {tree.runs[one].given for one, _ in kept}
    end = max(tree.runs[one].ended for one, _ in kept)
    behind = {tree.runs[one].given: one for one in top if tree.runs[one].ended > end}
    kept += [(one, Role.OTHER) for given, one in behind.items() if given not in known]
    return [*other_grids(tree, nested[0], [tree.runs[one].shape for one, _ in kept]), *kept]


def other_grids(tree: Tree, first: int, known: list[Shape]) -> list[tuple[int, Role]]:
    """What was made last before the first block on every grid that no layer has."""
    last: dict[Shape, int] = {}
    runs = tree.runs
    early = [one for group in tree.children.values() for one in group if one < first]
    for one in sorted(early, key=lambda one: (runs[one].ended, -one)):
        grid = runs[one].shape[2:]
        if len(grid) == 2 and min(grid) > 1 and not any(is_on(grid, shape) for shape in known):
            last[grid] = one
    return [(one, Role.OTHER) for one in sorted(last.values())]


def is_on(grid: Shape, shape: Shape) -> bool:
    """Whether a map of a shape may lie on a grid, whatever its layout."""
    places, lengths = grid[0] * grid[1], shape[1:]
    if len(lengths) == 3:
        return lengths[1:] == grid or lengths[:2] == grid
    return any(0 <= length - places <= MOST_TOKENS for length in lengths)


def single_layers(tree: Tree) -> list[int]:
    """All parts without parts of their own; an activation stands for what it was applied to."""
    leaves = [one for group in tree.children.values() for one in group if not tree.children.get(one)]
    return sorted({tree.runs[one].given: one for one in sorted(leaves)}.values())
