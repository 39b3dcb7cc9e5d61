"""What is known of attention that one call computes: its shape; its weights are made for listeners."""

from torch import Tensor

from explorer.any_model import functions as kinds
from explorer.any_model.ledger import Candidate, Facts
from explorer.any_model.rules import Call, Rule, Watcher


def fused(watch: Watcher, call: Call, made: Tensor) -> Facts:
    """Attention in one step; its weights are met when somebody listens."""
    query, key = (call.argument(number, name) for number, name in enumerate(("query", "key")))
    return one_step(watch, call, query, (*query.shape[:-1], key.shape[-2]))


def multihead(watch: Watcher, call: Call, made: Tensor) -> Facts:
    """The same with its maps before and after; a bias and a zero may stand among the keys."""
    if made is not call.result[0]:
        return watch.ledger.new(True)
    query, key, *_ = call.args
    if query.ndim != 3 or len(call.args) < 10:
        return hidden(watch, call, made)
    more = (call.args[7] is not None) + bool(call.args[9])
    return one_step(watch, call, query, (query.shape[1], call.args[4], len(query), len(key) + more))


def one_step(watch: Watcher, call: Call, query: Tensor, shape: tuple[int, ...]) -> Facts:
    found = Candidate(call.place, "softmax", query.new_empty(0).expand(0), -1, True, len(shape) - 1)
    found.blended_shape, found.made = shape, watch.ledger.calls
    watch.candidates.append(found)
    return watch.ledger.new(True)


def hidden(watch: Watcher, call: Call, made: Tensor) -> Facts:
    watch.hidden.append(call.place)
    return watch.ledger.new(True)


RULES: dict[str, Rule] = {kinds.FUSED: fused, kinds.MULTIHEAD: multihead, kinds.HIDDEN: hidden}
