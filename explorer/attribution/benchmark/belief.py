"""Which method to believe for a model: where it clears the controls, protocol by protocol."""

from collections.abc import Iterable
from dataclasses import dataclass

from explorer.attribution.benchmark.intervals import Interval
from explorer.attribution.benchmark.shipped import Shipped

# Any method that follows the model passes these; that says nothing of a map of this model being right.
SANITY = ("difull", "by_hand", "randomised")
# Of a network written by hand, and of the same network trained on: neither is the model that is asked about.
OF_OTHERS = ("suppressor_by_hand", "idsds")
FEWEST = 2  # protocols that a method has to clear
MOST = 1.0  # that any protocol's number can be: a bar as high leaves nothing to clear


@dataclass(frozen=True)
class Belief:
    """What speaks for a method on one model, and what against: protocols by name."""

    method: str
    clears: tuple[str, ...]
    fails: tuple[str, ...]

    @property
    def is_believed(self) -> bool:
        """Whether it clears the controls in several protocols, and more often than not."""
        return len(self.clears) >= FEWEST and len(self.clears) > len(self.fails)


def beliefs(rows: Iterable[Shipped], model: str, source: str = "scenes") -> tuple[Belief, ...]:
    """The methods of a model, those first that clear the controls in most protocols.

    Those of `SANITY` and `OF_OTHERS` are not counted. Where a method has no score, or where a control may
    already be as good as can be, that says nothing for or against it.
    """
    told: dict[str, tuple[list[str], list[str]]] = {}
    for row in rows:
        counts = row.protocol not in (*SANITY, *OF_OTHERS) and row.found is not None and row.bar != MOST
        if counts and (row.model, row.source) == (model, source):
            told.setdefault(row.method, ([], []))[not row.clears].append(row.protocol)
    found = [Belief(method, tuple(clears), tuple(fails)) for method, (clears, fails) in told.items()]
    return tuple(sorted(found, key=lambda one: (len(one.fails) - len(one.clears), one.method)))


def order_kept(rows: Iterable[Shipped], method: str, model: str, weights: str) -> Interval | None:
    """How much of the rank order of a method's maps stays as the weights are lost, the top layers first.

    None where it was not measured for this model and these weights.
    """
    source = {"scenes": "scenes", "cifar10": "photographs"}.get(weights)
    asked = ("randomised", model, source, method)
    for row in rows:
        if (row.protocol, row.model, row.source, row.method) == asked and row.found:
            return Interval(1 - row.found.value, 1 - row.found.high, 1 - row.found.low)
    return None
