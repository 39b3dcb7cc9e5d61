"""What an Einstein sum of two tensors is: a product by number, a blend of branches, or one of matrices."""

from torch import Tensor

from explorer.any_model.calls import Call, Watcher
from explorer.any_model.functions import SHORT
from explorer.any_model.ledger import Facts
from explorer.any_model.products import factors, matrix, product, used
from explorer.any_model.rules import blended

Factor = tuple[int, Tensor, Facts]


def einsum(watch: Watcher, call: Call, made: Tensor) -> Facts:
    letters = read(call.args[0]) if call.args and isinstance(call.args[0], str) else None
    pair = factors(call)
    if letters is None or len(pair) < 2:
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


def read(equation: str) -> tuple[str, str, str] | None:
    """The axes of two tensors and of what they make; None where they are written in another way."""
    given, arrow, out = equation.replace(" ", "").partition("->")
    named = given.split(",")
    plain = arrow and len(named) == 2 and all(one.isalpha() and len(set(one)) == len(one) for one in named)
    return (named[0], named[1], out) if plain else None


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
