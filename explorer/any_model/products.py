"""What a product tells: which of its factors is a gate, and of what."""

import math
from dataclasses import replace

import torch
from torch import Tensor

from explorer.any_model import functions as kinds
from explorer.any_model.calls import CLOSE, Call, Watcher
from explorer.any_model.ledger import Candidate, Facts, Use
from explorer.any_model.rules import joined, sixth


def factors(call: Call) -> list[tuple[int, Tensor, Facts]]:
    """The two tensors a product is of, with the numbers of their arguments."""
    known = {id(tensor): facts for tensor, facts in call.given}
    found = [(number, one, known[id(one)]) for number, one in enumerate(call.args) if isinstance(one, Tensor)]
    return found[-2:]


def multiplied(watch: Watcher, call: Call, made: Tensor) -> Facts:
    """A product number by number; shapes may be stretched."""
    pair = factors(call)
    if len(pair) < 2:
        number = next((one for one in call.args if isinstance(one, int | float)), 0)
        return sixth(watch, call, made, abs(number - 1 / 6) < 1e-6)
    facts = product(watch, call, pair, made)
    if call.name == "addcmul":
        before = call.given[0][1]
        if before.blend and facts.blend and before.blend[0] is facts.blend[0]:
            return joined(watch, call, made, facts.blend[0], before.blend[1] | facts.blend[1])
        return watch.ledger.sum(call.live, call.place)
    return facts


def product(watch: Watcher, call: Call, pair: list[tuple[int, Tensor, Facts]], made: Tensor) -> Facts:
    first, second = pair[0][2], pair[1][2]
    if first.origin == second.origin:  # x * f(x) is an activation: swish, GELU, a square
        return first.but(gates=(), blend=None)
    if first.gates or second.gates:
        return gated(watch, call, pair, made)
    for one, other in ((first, second), (second, first)):
        if not other.live:
            return one.but(gates=(), six=False) if one.live else watch.ledger.new(call.live)
        if one.origin in other.stats and other.response != "response norm":
            return one.but(gates=(), blend=None)  # a norm written by hand
    return plainly(watch, call, pair, made)


def gated(watch: Watcher, call: Call, pair: list[tuple[int, Tensor, Facts]], made: Tensor) -> Facts:
    """One factor, or both, come out of an activation that makes gates; of two the smaller is the gate."""
    gate, other = sorted(pair, key=lambda one: (not one[2].gates, one[1].numel()))
    if any(one.origin == other[2].origin for one in gate[2].gates):
        return other[2].but(gates=(), blend=None)  # an activation again
    if not other[2].live and not other[2].gates:
        return constant_between(call, gate, other, made)
    blend = None
    for one in gate[2].gates:
        use = used(call, one, gate, other, made)
        one.uses.append(use)
        count = 0 if one.axis is None else one.value.shape[one.axis]
        branches = range(count) if use.axis is not None else [use.branch] if use.branch is not None else []
        blend = (one, frozenset(branches)) if branches else blend
    gates = other[2].gates
    return watch.ledger.new(True, gates=gates, blend=blend)


def constant_between(
    call: Call, gate: tuple[int, Tensor, Facts], other: tuple[int, Tensor, Facts], made: Tensor
) -> Facts:
    """A gate times a constant is a gate still; shares times a stack of weights may be a mixture of them."""
    for one in gate[2].gates:
        if one.axis is not None and made.numel() > gate[1].numel():
            use = replace(used(call, one, gate, other, made), matrix=True)
            if use.axis is not None:
                one.mixtures.append(use)
                return gate[2].but(blend=(one, frozenset(range(one.value.shape[one.axis]))))
    return gate[2]


def interpolated(watch: Watcher, call: Call, made: Tensor) -> Facts:
    """`lerp`: the third tensor says how much of the second is taken instead of the first."""
    if len(call.given) == 3:
        product(watch, call, factors(call), made)
    return watch.ledger.new(call.live)


def used(
    call: Call,
    one: Candidate,
    gate: tuple[int, Tensor, Facts],
    other: tuple[int, Tensor, Facts],
    made: Tensor,
) -> Use:
    branch = axis = None
    if one.axis is not None and one.value.numel():
        branch = branch_of(one, gate[1])
        axis = None if branch is not None else summing_axis(one, gate[1], made)
    return Use(
        call.place,
        gate[0],
        other[0],
        own_shape(gate[1], one.value),
        tuple(other[1].shape),
        tuple(made.shape),
        other[2].live,
        call.name in kinds.MATRIX,
        branch,
        axis,
        other[2].origin,
    )


def unstretched(value: Tensor) -> tuple[int, ...]:
    """The shape of a tensor before it was expanded."""
    steps = zip(value.shape, value.stride(), strict=True)
    return tuple(1 if step == 0 else length for length, step in steps)


def own_shape(part: Tensor, value: Tensor) -> tuple[int, ...]:
    """The shape of a factor before it was expanded, or repeated; `value` is what it was made of."""
    shape = unstretched(part)
    if part.numel() <= value.numel() or math.prod(shape) <= value.numel():
        return shape
    even = [bool((part == part.narrow(axis, 0, 1)).all()) for axis in range(part.ndim)]
    return tuple(1 if same else length for length, same in zip(shape, even, strict=True))


def branch_of(one: Candidate, part: Tensor) -> int | None:
    """Which branch of a softmax a factor is, by its values; of equal ones the first not used yet."""
    axis = one.axis or 0
    if part.numel() * one.value.shape[axis] != one.value.numel() or one.value.shape[axis] == 1:
        return None
    taken = {use.branch for use in one.uses}
    flat = part.detach().flatten()
    fits = [
        number
        for number, share in enumerate(one.value.unbind(axis))
        if torch.equal(share.flatten().to(flat.dtype), flat)
    ]
    return next((number for number in fits if number not in taken), fits[0] if fits else None)


def summing_axis(one: Candidate, part: Tensor, made: Tensor) -> int | None:
    """The axis of a product that a factor sums to one over, counted in what the product makes."""
    count = one.value.shape[one.axis or 0]
    for axis in range(part.ndim):
        if part.shape[axis] == count and count > 1:
            total = part.detach().float().sum(dim=axis)
            if bool(((total - 1).abs() < 10 * CLOSE).all()):
                return axis + made.ndim - part.ndim
    return None


def plainly(watch: Watcher, call: Call, pair: list[tuple[int, Tensor, Facts]], made: Tensor) -> Facts:
    """Two maps times each other, with nothing else to tell which is the gate.

    It is the one that is stretched to the other; of equal ones the one that went through an activation, or
    else the one that was made last. Where both are stretched, it is not the one that sums the map up.
    """
    if made.ndim < 3:
        return watch.ledger.new(True)
    both = all(one[1].numel() < made.numel() for one in pair)

    def rank(one: tuple[int, Tensor, Facts]) -> tuple:
        return bool(one[2].stats) if both else one[1].numel(), not one[2].bent, -one[2].made

    gate, other = sorted(pair, key=rank)
    if gate[2].response != "response norm" and other[2].response == "response norm":
        gate, other = other, gate
    place = replace(call.place, part=gate[0])
    name = gate[2].response or gate[2].bent or "none"
    found = Candidate(
        place, name, gate[1].detach(), gate[2].origin, True, None, watch.ledger.calls, plain=True
    )
    found.uses.append(used(call, found, gate, other, made))
    watch.candidates.append(found)
    facts = watch.ledger.new(True)
    watch.ledger.products[facts.origin] = found
    return facts


def matrix(watch: Watcher, call: Call, made: Tensor) -> Facts:
    """A product of matrices: attention where one factor is made of shares, or a mixture of weights."""
    pair = factors(call)
    if len(pair) < 2:
        return watch.ledger.new(call.live)
    for gate, other in (pair, pair[::-1]):
        for one in gate[2].gates:
            one.uses.append(used(call, one, gate, other, made))
        if gate[2].gates:
            break
    return watch.ledger.new(call.live)
