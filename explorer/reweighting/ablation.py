"""What each branch of each block is worth: take its share away, and see what becomes of a logit."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from explorer.capture import Run, editing, hooked, module_of, probes, run
from explorer.engine.replay import Replay
from explorer.errors import ChoiceError
from explorer.in_notebook import InNotebook
from explorer.reweighting.branch_attribution import by_branch, gradient_x_share, integrated_share
from explorer.reweighting.branch_weights import SATURATED, branch_weights
from explorer.reweighting.gate_attribution import explained, gate_attribution
from explorer.reweighting.interventions import Frozen, Intervention, Without, edit
from models.probe import Kind, Probe

MODES: dict[str, Callable[[str, str], Intervention]] = {"removed": Without, "equal": Frozen}
OWED = ("gradient", "integrated")  # what a layer method says instead of an experiment


@dataclass(frozen=True)
class KnockOut(InNotebook):
    """The table as far as it is done; rows from the first block on."""

    target: int
    mode: str  # a key of MODES: the share is removed, or held at an equal one; or one of OWED
    blocks: tuple[str, ...]
    branches: tuple[str, ...]
    logit: float  # as learned
    saturated: float  # part of all channels that one branch has nearly to itself, see `SATURATED`
    delta: np.ndarray  # [rows done, branches], logit afterwards minus as learned, or the part of it owed

    @property
    def done(self) -> int:
        return len(self.delta)

    @property
    def total(self) -> int:
        return len(self.blocks)


def knock_out(
    model: nn.Module, image: Tensor, *, target: int, mode: str = "removed", baseline: Tensor | None = None
) -> Iterator[KnockOut]:
    """The table, one row more each time. Only what follows a block is run again for it.

    mode: "removed" or "equal" are experiments; "gradient" and "integrated", which needs a baseline, say how
        much of the logit is owed to the shares, by Captum's layer methods.

    Branches that are only added up have no share to take away; those two modes explain them all the same,
    from nothing. Raises ChoiceError for a model without split attention and for a mode that is not there.
    """
    if mode not in (*MODES, *OWED):
        raise ChoiceError(f"The table is of {', '.join((*MODES, *OWED))}; not of {mode!r}.")
    weighed = probes(model, Kind.BRANCH_WEIGHTS)
    if not weighed and mode in OWED and (added := explained(model, (Kind.BRANCHES,))):
        yield from added_up(model, image, target, mode, added)
        return
    if not weighed:
        raise ChoiceError("This model has no split attention: there is no share to take away.")
    blocks = tuple(map(module_of, weighed))
    branches = next(iter(weighed.values())).branches
    seen = run(model, image)
    learned, saturated = float(seen.logits[0, target]), saturated_part(seen)
    made = (
        removed(model, image, target, mode, learned)
        if mode in MODES
        else owed(model, image, target, baseline, mode)
    )
    rows: list[list[float]] = []
    for row in made:
        rows.append(row)
        yield KnockOut(target, mode, blocks, branches, learned, saturated, np.array(rows))


def added_up(
    model: nn.Module, image: Tensor, target: int, mode: str, added: dict[str, Probe]
) -> Iterator[KnockOut]:
    """The table of branches that no learned shares blend."""
    blocks, branches = tuple(map(module_of, added)), next(iter(added.values())).branches
    for found in gate_attribution(model, image, target=target, path=mode, kinds=(Kind.BRANCHES,)):
        rows = np.array([one.values.sum(axis=1) for one in found.owed])
        yield KnockOut(target, mode, blocks, branches, found.logit, 0.0, rows)


def saturated_part(seen: Run) -> float:
    """Part of the channels of all blocks in which one branch takes nearly the whole blend."""
    largest = np.concatenate([found.values.max(axis=0) for found in branch_weights(seen)])
    return float((largest > SATURATED).mean())


def removed(model: nn.Module, image: Tensor, target: int, mode: str, learned: float) -> Iterator[list[float]]:
    """Row by row, what becomes of the logit when each branch loses its share."""
    gates = probes(model, Kind.BRANCH_LOGITS)
    replay = Replay(model, image, list(gates))
    for name, probe in gates.items():
        replay.check(name)
        row = []
        for branch in probe.branches:
            change = edit(MODES[mode](module_of(name), branch), probe.branches)
            with hooked({probe: editing(change)}):
                row.append(float(replay.logits(name)[0, target]) - learned)
        yield row


def owed(
    model: nn.Module, image: Tensor, target: int, baseline: Tensor | None, mode: str
) -> Iterator[list[float]]:
    """Row by row, how much of the logit is owed to the shares of each branch."""
    for probe in probes(model, Kind.BRANCH_WEIGHTS).values():
        if mode == "gradient":
            yield by_branch(gradient_x_share(model, image, probe, target))
        else:
            nothing = torch.zeros_like(image) if baseline is None else baseline
            yield by_branch(integrated_share(model, image, probe, target, nothing))
