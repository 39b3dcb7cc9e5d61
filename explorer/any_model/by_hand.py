"""Activations written out in steps: logarithms of shares raised again, a logistic function, a hard choice."""

from dataclasses import replace

from torch import Tensor

from explorer.any_model import rules
from explorer.any_model.calls import CLOSE, Call, Watcher
from explorer.any_model.ledger import Candidate, Facts


def logged(watch: Watcher, call: Call, made: Tensor) -> Facts:
    """`log_softmax`, `logsigmoid`: raised again, they are the activation itself."""
    first = call.facts[0]
    facts = first.but(gates=()) if call.name == "logsigmoid" else watch.ledger.new(first.live)
    return facts.but(logged=call.place)


def raised(watch: Watcher, call: Call, made: Tensor) -> Facts:
    first = call.facts[0]
    axis = rules.summed_to_one(made) if first.logged else None
    if axis is not None and first.logged and first.logged.function == "log_softmax":
        found = Candidate(call.place, "softmax", made.detach(), first.origin, first.live, axis)
        found.entered = replace(first.logged, part=0)
        return rules.started(watch, found, watch.ledger.new(first.live))
    if first.logged and first.logged.function == "logsigmoid":
        return logistic(watch, call, made)
    return rules.pointwise(watch, call, made)


def inverted(watch: Watcher, call: Call, made: Tensor) -> Facts:
    """One through something: of a power of e and one more it is the logistic function."""
    return (
        logistic(watch, call, made) if is_logistic(call.facts, made) else rules.pointwise(watch, call, made)
    )


def divided(watch: Watcher, call: Call, made: Tensor) -> Facts:
    """A quotient; of a power of e through itself and one more it is the logistic function."""
    facts = call.facts
    same = len(facts) > 1 and facts[0].origin == facts[1].origin
    return (
        logistic(watch, call, made) if same and is_logistic(facts, made) else rules.divided(watch, call, made)
    )


def is_logistic(facts: list[Facts], made: Tensor) -> bool:
    """Whether what was made of powers of e lies between nothing and one."""
    powers = bool(facts) and all(one.bent == "exp" and one.live for one in facts)
    return powers and bool(((made.detach() > 0) & (made.detach() < 1)).all())


def logistic(watch: Watcher, call: Call, made: Tensor) -> Facts:
    return rules.activated(watch, call.named("sigmoid"), made)


def added(watch: Watcher, call: Call, made: Tensor) -> Facts:
    """A sum; shares made hard while their gradient stays that of the soft ones are shares still."""
    softs = [one.gates[0] for one in call.facts if len(one.gates) == 1 and one.gates[0].axis is not None]
    alive = len(call.given) > 1 and all(one.live for one in call.facts)
    for soft in softs if alive else ():
        if made.shape == soft.value.shape and is_choice(made) and rules.summed_to_one(made) == soft.axis:
            found = Candidate(call.place, "softmax", made.detach(), soft.origin, True, soft.axis)
            found.entered = soft.enters
            return rules.started(watch, found, watch.ledger.new(True))
    return rules.added(watch, call, made)


def is_choice(made: Tensor) -> bool:
    """Whether one takes all and the others nothing; two attentions that are blended stay two."""
    values = made.detach()
    return bool(((values - values.round()).abs() < CLOSE).all())


RULES: dict[str, rules.Rule] = {
    **dict.fromkeys(("log_softmax", "logsigmoid"), logged),
    **dict.fromkeys(("rdiv", "reciprocal"), inverted),
    **dict.fromkeys(("add", "sub"), added),
    "exp": raised,
    "div": divided,
}
