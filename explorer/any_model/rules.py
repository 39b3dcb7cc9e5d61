"""What a call of torch does to what is known of tensors, function by function."""

from collections.abc import Callable
from dataclasses import replace

from torch import Tensor

from explorer.any_model import functions as kinds
from explorer.any_model.calls import CLOSE, Call, Watcher
from explorer.any_model.ledger import Candidate, Facts
from explorer.any_model.places import Place


def opaque(watch: Watcher, call: Call, made: Tensor) -> Facts:
    """Anything else: new values. Heads that talk to each other leave an attention what it is."""
    alive = [facts for facts in call.facts if facts.live]
    if len(alive) == 1 and alive[0].gates and made.ndim == 4 and made.shape == call.given[0][0].shape:
        return watch.ledger.new(True).but(gates=alive[0].gates)
    return watch.ledger.new(call.live)


def moved(watch: Watcher, call: Call, made: Tensor) -> Facts:
    return call.facts[0] if call.given else watch.ledger.new(False)


def picked(watch: Watcher, call: Call, made: Tensor) -> Facts:
    gates = tuple(dict.fromkeys(one for facts in call.facts for one in facts.gates))
    first = call.facts[0]
    blend = first.blend if len(call.given) == 1 else None
    return watch.ledger.part(call.live, first, gates=gates, stats=first.stats, blend=blend)


def pointwise(watch: Watcher, call: Call, made: Tensor) -> Facts:
    """A function of every number by itself."""
    first = call.facts[0]
    gates = first.gates if call.name in ("clamp", "clip", "clamp_min", "clamp_max") else ()
    top = call.argument(2, "max", call.kwargs.get("max_val"))
    six = call.name == "relu6" or (call.name in kinds.SIXES and top == 6)
    bent = "relu6" if six else call.name if call.name in kinds.BENDS else first.bent
    raised = call.place if call.name == "exp" else first.raised
    response = first.response if call.name in ("sqrt", "clamp_min", "clamp") else ""
    return first.but(bent=bent, raised=raised, gates=gates, six=six, response=response, blend=None)


def compared(watch: Watcher, call: Call, made: Tensor) -> Facts:
    """Where one is above the other; beside a constant a function of every number by itself."""
    alive = {facts.origin for facts in call.facts if facts.live}
    return call.facts[0].but(gates=(), blend=None) if len(alive) == 1 else watch.ledger.new(call.live)


def activated(watch: Watcher, call: Call, made: Tensor) -> Facts:
    """A sigmoid or the like: what it made may be a gate."""
    first = call.facts[0]
    name = kinds.SIGMOIDS[call.name]
    found = Candidate(call.place, name, made.detach(), first.origin, first.live)
    return started(watch, found, first.but(bent=name, stats=frozenset()))


def shared_out(watch: Watcher, call: Call, made: Tensor) -> Facts:
    """A softmax, over the axis it is given."""
    first = call.facts[0]
    axis = call.argument(4 if call.name == "gumbel_softmax" else 1, "dim", -1)
    axis = made.ndim - 1 if axis is None else axis % made.ndim
    found = Candidate(call.place, "softmax", made.detach(), first.origin, first.live, axis)
    return started(watch, found, watch.ledger.new(first.live))


def started(watch: Watcher, found: Candidate, facts: Facts) -> Facts:
    found.made, found.given = watch.ledger.calls, facts.origin
    watch.candidates.append(found)
    return facts.but(gates=(found,), blend=None, response="", six=False)


def statistic(watch: Watcher, call: Call, made: Tensor) -> Facts:
    """A mean, a norm, a sum."""
    first = call.facts[0]
    stats = first.stats | {first.origin}
    response = "norm" if call.name in kinds.NORMS else ""
    facts = watch.ledger.new(call.live, stats=stats, response=response)
    if call.name == "sum" and (factor := watch.ledger.products.get(first.origin)):
        watch.ledger.products[facts.origin] = factor
        if any(use.gate_shape == use.other_shape for use in factor.uses) and len(summed_axes(call)) == 1:
            factor.uses.clear()  # an inner product, number by number
    if call.name == "sum" and first.blend and len(call.given) == 1:
        gate, _ = first.blend
        summed = summed_axes(call)
        if any(use.axis in summed for use in gate.uses):
            blended(gate, call.place, made, facts.origin)
        gate.uses += [use for use in gate.mixtures if use.axis in summed]
    return facts


def summed_axes(call: Call) -> set[int]:
    axes = call.argument(1, "dim", call.kwargs.get("axis"))
    given = (axes,) if isinstance(axes, int) else axes if isinstance(axes, tuple | list) else ()
    return {axis % call.given[0][0].ndim for axis in given}


def added(watch: Watcher, call: Call, made: Tensor) -> Facts:
    """A sum or a difference: of shares, of what branches bring, or with a constant."""
    if len(call.given) < 2:
        return pointless(call, made)
    (_, first), (_, second) = call.given[:2]
    if first.gates and second.gates:
        return first.but(gates=tuple(dict.fromkeys((*first.gates, *second.gates))), blend=None)
    if first.blend and second.blend and first.blend[0] is second.blend[0]:
        return joined(watch, call, made, first.blend[0], first.blend[1] | second.blend[1])
    for one, other in ((first, second), (second, first)):
        if one.live and (not (other.live or other.gates) or one.origin in other.stats):
            return one.but(six=False)
        if one.gates and not other.live:
            return one
    if first.origin == second.origin:
        return first.but(gates=(), blend=None)
    return watch.ledger.sum(call.live, call.place)


def joined(watch: Watcher, call: Call, made: Tensor, gate: Candidate, branches: frozenset[int]) -> Facts:
    """What some branches bring, added up."""
    facts = watch.ledger.new(True, blend=(gate, branches))
    if gate.axis is not None and len(branches) == gate.value.shape[gate.axis]:
        blended(gate, call.place, made, facts.origin)
    return facts


def blended(gate: Candidate, place: Place, made: Tensor, origin: int) -> None:
    gate.blended, gate.blended_shape, gate.blended_origin = place, tuple(made.shape), origin


def pointless(call: Call, made: Tensor) -> Facts:
    """With one number for all."""
    return call.facts[0].but(six=False) if call.given else Facts(-1)


def divided(watch: Watcher, call: Call, made: Tensor) -> Facts:
    if len(call.given) < 2:
        number = next((one for one in call.args if isinstance(one, int | float)), 0)
        return sixth(watch, call, made, number == 6)
    (_, first), (_, second) = call.given[:2]
    if factor := watch.ledger.products.get(second.origin):
        factor.uses.clear()  # what something is divided by is no gate
    if first.origin in second.stats:
        axis = summed_to_one(made) if first.bent == "exp" else None
        if axis is not None:  # a softmax written by hand
            found = Candidate(call.place, "softmax", made.detach(), first.origin, first.live, axis)
            found.entered = replace(first.raised, part=0) if first.raised else None
            return started(watch, found, watch.ledger.new(first.live))
        response = "response norm" if first.response else ""
        return first.but(response=response)
    return added(watch, call, made)


def summed_to_one(made: Tensor) -> int | None:
    """The only axis whose numbers add up to one."""
    axes = [axis for axis in range(made.ndim) if made.shape[axis] > 1]
    found = [axis for axis in axes if bool(((made.detach().float().sum(axis) - 1).abs() < CLOSE).all())]
    return found[0] if len(found) == 1 else None


def sixth(watch: Watcher, call: Call, made: Tensor, is_sixth: bool) -> Facts:
    """What was cut at 6, divided by 6, is a hard sigmoid."""
    first = call.facts[0]
    if not (first.six and is_sixth and first.live):
        return pointless(call, made)
    found = Candidate(call.place, "hard_sigmoid", made.detach(), first.origin, first.live)
    return started(watch, found, first)


Rule = Callable[[Watcher, Call, Tensor], Facts]
RULES: dict[str, Rule] = {
    **dict.fromkeys(kinds.MOVES, moved),
    **dict.fromkeys(kinds.PICKS, picked),
    **dict.fromkeys(kinds.POINTWISE, pointwise),
    **dict.fromkeys(kinds.COMPARISONS, compared),
    **dict.fromkeys(kinds.STATISTICS, statistic),
    **dict.fromkeys(("sigmoid", "hardsigmoid", "tanh"), activated),
    **dict.fromkeys(("add", "sub", "rsub"), added),
    **dict.fromkeys(("softmax", "gumbel_softmax"), shared_out),
    "neg": lambda _watch, call, made: pointless(call, made),
    "div": divided,
}
