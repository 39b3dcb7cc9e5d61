"""What is known of gates inside one call: attention, whose weights are made for listeners, and `glu`."""

from torch import Tensor

from explorer.any_model import functions as kinds
from explorer.any_model.calls import Call, Watcher
from explorer.any_model.ledger import Candidate, Facts, Use
from explorer.any_model.rules import Rule


def fused(watch: Watcher, call: Call, made: Tensor) -> Facts:
    """Attention in one step; its weights are met when somebody listens."""
    query, key = (call.argument(number, name) for number, name in enumerate(("query", "key")))
    sources = frozenset(facts.origin for one, facts in call.given if one is query or one is key)
    return one_step(watch, call, query, (*query.shape[:-1], key.shape[-2]), sources)


def multihead(watch: Watcher, call: Call, made: Tensor) -> Facts:
    """The same with its maps before and after; a bias and a zero may stand among the keys."""
    if made is not call.result[0]:
        return watch.ledger.new(True)
    if len(call.args) < 10 or call.args[0].ndim != 3:
        return hidden(watch, call, made)
    query, key, *_ = call.args
    more = (call.args[7] is not None) + bool(call.args[9])
    return one_step(watch, call, query, (query.shape[1], call.args[4], len(query), len(key) + more))


def one_step(
    watch: Watcher,
    call: Call,
    query: Tensor,
    shape: tuple[int, ...],
    sources: frozenset[int] = frozenset(),
) -> Facts:
    found = Candidate(call.place, "softmax", query.new_empty(0).expand(0), -1, True, len(shape) - 1)
    found.blended_shape, found.made, found.sources = shape, watch.ledger.calls, sources
    watch.candidates.append(found)
    return watch.ledger.new(True)


def glued(watch: Watcher, call: Call, made: Tensor) -> Facts:
    """`glu`: the second half of an axis, through a sigmoid, multiplies the first."""
    (given, facts), *_ = call.given
    gate = given.detach().chunk(2, call.argument(1, "dim", -1))[1].sigmoid()
    found = Candidate(call.place, "sigmoid", gate, facts.origin, facts.live, made=watch.ledger.calls)
    shape = tuple(made.shape)
    found.uses.append(Use(call.place, 0, 0, shape, shape, shape, facts.live, matrix=False))
    watch.candidates.append(found)
    return watch.ledger.new(facts.live)


def hidden(watch: Watcher, call: Call, made: Tensor) -> Facts:
    watch.hidden.append(call.place)
    return watch.ledger.new(True)


RULES: dict[str, Rule] = {
    kinds.FUSED: fused,
    kinds.MULTIHEAD: multihead,
    kinds.GLU: glued,
    kinds.HIDDEN: hidden,
}
