"""What this program will not take on: models too large for this machine, and files strangers may not name.

What a model costs is counted before anything of it is built, see `models.costs`.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from explorer.errors import ChoiceError
from models.costs import block_costs
from models.registry import ModelCard

MOST_MULTIPLY_ADDS = 100e9  # for one picture; about 15 s on two cores
SHARE_OF_MEMORY = 0.5  # that one model and one picture may take
CGROUP = Path("/sys/fs/cgroup/memory.max")


@dataclass(frozen=True)
class Limits:
    """What may be asked for here."""

    hosted: bool = False  # strangers are served, so no path of this machine is opened for them
    memory: float = 0.0  # bytes; 0 means the share of this machine

    @property
    def most_bytes(self) -> float:
        return self.memory or SHARE_OF_MEMORY * memory_of_machine()

    def refuse_costly(self, found: ModelCard) -> ModelCard:
        """The card; raises ChoiceError, with numbers, for a model that this machine cannot hold or finish."""
        costs = block_costs(found.name)
        parameters = sum(one.parameters for one in costs)
        multiply_adds = sum(one.multiply_adds for one in costs)
        held = 4 * parameters + sum(one.bytes for one in costs)
        if held > self.most_bytes or multiply_adds > MOST_MULTIPLY_ADDS:
            raise ChoiceError(
                f"{found.name} would take {parameters / 1e6:,.0f} million parameters, {held / 1e9:.1f} GB "
                f"and {multiply_adds / 1e9:,.0f} billion multiply-adds for a picture; here the limits are "
                f"{self.most_bytes / 1e9:.1f} GB and {MOST_MULTIPLY_ADDS / 1e9:.0f} billion."
            )
        return found

    def refuse_elsewhere(self, model: str) -> None:
        """Raises ChoiceError for a model that is no name of a list, where strangers are served."""
        if self.hosted:
            raise ChoiceError(f"There is no model {model!r} here; name one of timm as timm:resnet18.")

    def refuse_path(self, found: ModelCard, weights: str, known: tuple[str, ...]) -> None:
        """Raises ChoiceError for weights that are no name the card lists, where strangers are served."""
        if self.hosted and weights not in known:
            raise ChoiceError(f"{found.name} has no weights called {weights!r} here.")


def memory_of_machine() -> float:
    """Bytes this process may use: those of the machine, or of its container where that has fewer."""
    physical = (
        float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")) if hasattr(os, "sysconf") else 8e9
    )
    try:
        return min(physical, float(CGROUP.read_text()))
    except (OSError, ValueError):  # no container, or one without a limit
        return physical
