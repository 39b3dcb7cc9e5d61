"""What an Einstein sum of two tensors is: a product by number, a blend of branches, or one of matrices."""

from torch import Tensor

from explorer.any_model.calls import Call, Watcher
from explorer.any_model.functions import SHORT
from explorer.any_model.ledger import Facts
from explorer.any_model.products import factors, matrix, product, used
from explorer.any_model.rules import blended

Factor = tuple[int, Tensor, Facts]


def einsum(watch: Watcher, call: Call, made: Tensor) -> Facts:
    pair = factors(call)
    sizes = [one.ndim for _, one, _ in pair]
    letters = read(call.args[0], sizes) if call.args and isinstance(call.args[0], str) else None
    if letters is None:
        return matrix(watch, call, made)
    left, right, out = letters
    summed = (set(left) | set(right)) - set(out)
    plainly = call.named("mul")
    if not summed:
        stretched = [aligned(one, own, out) for one, own in zip(pair, (left, right), strict=True)]
        return product(watch, plainly, stretched, made)
    if len(summed) == 1:
        for gate, own, other, theirs in ((pair[0], left, pair[1], right), (pair[1], right, pair[0], left)):
            facts = blend(watch, plainly, gate, own, other, theirs, summed, made)
            if facts is not None:
                return facts
    return matrix(watch, call, made)


OTHERS = "αβγδεζηθ"  # what dots stand for, the last axes last


def read(equation: str, axes: list[int]) -> tuple[str, str, str] | None:
    """The axes of two tensors and of what they make; None where they are written in another way.

    axes: how many each of the tensors has.
    """
    given, arrow, out = equation.replace(" ", "").partition("->")
    named = given.split(",")
    if len(named) != 2 or len(axes) != 2:
        return None
    meant = [count - len(one.replace("...", "")) for one, count in zip(named, axes, strict=True)]
    dots = [OTHERS[-count:] if count > 0 else "" for count in meant]
    named = [one.replace("...", more) for one, more in zip(named, dots, strict=True)]
    if not arrow:
        out = "..." + "".join(one for one in sorted(given) if one.isalpha() and given.count(one) == 1)
    plain = all(one.isalpha() and len(set(one)) == len(one) for one in named)
    return (named[0], named[1], out.replace("...", max(dots, key=len))) if plain else None


def aligned(one: Factor, own: str, out: str) -> Factor:
    """A factor with the axes of what is made, in their order; of length one where it has none of a name."""
    number, value, facts = one
    ordered = value.permute([own.index(name) for name in out if name in own])
    return number, ordered[tuple(slice(None) if name in own else None for name in out)], facts


def blend(
    watch: Watcher,
    call: Call,
    gate: Factor,
    own: str,
    other: Factor,
    theirs: str,
    summed: set[str],
    made: Tensor,
) -> Facts | None:
    """Branches added up by the shares of a softmax over them; None where it is something else."""
    (branches,) = summed
    if branches not in own or not set(own) <= set(theirs) or not other[2].live:
        return None
    shares = aligned(gate, own, theirs)
    facts = None
    for one in gate[2].gates:
        use = used(call, one, shares, other, other[1])
        few = one.axis is not None and one.value.shape[one.axis] <= SHORT
        if few and use.axis == theirs.index(branches):
            one.uses.append(use)
            facts = facts or watch.ledger.new(True)
            blended(one, call.place, made, facts.origin)
    return facts
