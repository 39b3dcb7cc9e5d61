"""What parts of a model are given and none of them puts out: sums inside blocks, and the vector of the head.

A sum is heard where a part is handed it, which costs a hook. To change it is another matter, as a block adds
to it past that part as well: that is done where it is added up.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

from torch import nn

from explorer.any_model.layer import Layer
from explorer.any_model.places import GIVEN, Place
from explorer.any_model.watch import Pass, Ran
from models.probe import Role


def sums_inside(seen: Pass, blocks: Sequence[Layer]) -> Iterator[Layer]:
    """Sums that a block makes of maps like its own and hands to a part, as after its places were mixed."""
    runs, once = seen.runs, alone(seen)
    known = {run.given for run in runs if not run.hands_on}
    alike = {one.module: one.shape for one in blocks if one.role is Role.BLOCK and one.part is None}
    counts: Counter[str] = Counter()
    for run in runs:
        origin, shape = run.taken
        summed = seen.sums.get(origin)
        block = "" if run.parent is None else runs[run.parent].name
        if summed is None or summed.module != block or origin in known or run.name not in once:
            continue
        if alike.get(block) == shape:
            known.add(origin)
            number = counts[block] or None
            counts[block] += 1
            taken = Place(run.name, function=GIVEN)
            yield Layer(block, Role.MIXED, run.begun, shape, origin, number, taken, summed)


def heads(seen: Pass, model: nn.Module) -> Iterator[Ran]:
    """The largest parts that make the logits, or what they are averaged of, out of a vector."""
    runs, once, parts = seen.runs, alone(seen), dict(model.named_modules())
    found: set[int] = set()
    vectors: set[int] = set()
    last = max((run.ended for run in runs if run.shape and run.parent is not None), default=0)
    for number, run in enumerate(runs):
        origin, shape = run.taken
        if run.parent in found:
            found.add(number)
        elif len(shape) == 2 and shape[1] > 1 and run.name in once and run.name:
            made, width = run.vector
            makes = made in seen.ends or (run.begun >= last and width in seen.ends.values())
            if makes and not run.hands_on and any(one.ndim > 1 for one in parts[run.name].parameters()):
                found.add(number)
                if origin not in vectors:
                    vectors.add(origin)
                    yield run


def alone(seen: Pass) -> set[str]:
    """The names of what runs once in a pass."""
    counts = Counter(run.name for run in seen.runs)
    return {name for name, count in counts.items() if count == 1}
