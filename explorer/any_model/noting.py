"""Write down what a call made: the table of all rules."""

from explorer.any_model import attention_rules, by_hand
from explorer.any_model import functions as kinds
from explorer.any_model.calls import Call, Watcher
from explorer.any_model.einsums import einsum
from explorer.any_model.outputs import tensors_in
from explorer.any_model.products import interpolated, matrix, multiplied
from explorer.any_model.rules import RULES, opaque

EVERY = {
    **RULES,
    **by_hand.RULES,
    **attention_rules.RULES,
    "mul": multiplied,
    "addcmul": multiplied,
    "lerp": interpolated,
    **dict.fromkeys(kinds.MATRIX, matrix),
    "einsum": einsum,
}


def noted(watch: Watcher, call: Call) -> None:
    """Write down what a call made."""
    if call.given and (call.result is call.given[0][0] or call.name == "setitem"):
        first = call.given[0][1]
        watch.ledger.written |= dict.fromkeys((first.origin, *first.views), watch.ledger.calls)
    rule = EVERY.get(call.name, opaque)
    for made in tensors_in(call.result):
        if call.given:
            watch.ledger.put(made, rule(watch, call, made))
