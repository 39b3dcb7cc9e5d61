"""One call of torch as it was watched, and what the rules write to."""

from typing import Any, NamedTuple, Protocol

from torch import Tensor

from explorer.any_model.ledger import Candidate, Facts, Ledger
from explorer.any_model.places import Place

CLOSE = 1e-3  # how near to one shares must add up


class Call(NamedTuple):
    """One call that has been made."""

    name: str
    made_at: tuple[str, int, str, int]  # a `Place`, which few calls need
    args: tuple
    kwargs: dict
    given: list[tuple[Tensor, Facts]]  # the tensors it was given, with what was known of them before
    result: Any

    @property
    def place(self) -> Place:
        return Place(*self.made_at)

    def named(self, name: str) -> "Call":
        """The same under the name of what it amounts to."""
        return self._replace(name=name)

    @property
    def facts(self) -> list[Facts]:
        return [facts for _, facts in self.given]

    @property
    def live(self) -> bool:
        return any(one.live for one in self.facts)

    def argument(self, number: int, name: str, otherwise: Any = None) -> Any:
        return self.args[number] if len(self.args) > number else self.kwargs.get(name, otherwise)


class Watcher(Protocol):
    """What the rules write to."""

    ledger: Ledger
    candidates: list[Candidate]
    hidden: list[Place]
