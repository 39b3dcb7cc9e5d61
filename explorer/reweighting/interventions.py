"""What may take the place of the branch weights a block has learned.

Each intervention is a value: it names a block and makes, from the learned weights, the ones to use. It goes
through the block's probe, so no parameter changes, and it compares and prints as Python.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from explorer.capture import Edit, module_of, probe_inside, probes
from explorer.errors import ChoiceError
from explorer.reweighting.branch_weights import BlockWeights, block_of
from explorer.reweighting.gate_changes import GateChange, gate_edit
from models.probe import Kind


@dataclass(frozen=True)
class Uniform:
    """Every channel blends by the same shares."""

    block: str
    shares: tuple[float, ...]

    def apply(self, weights: Tensor) -> Tensor:
        shares = weights.new_tensor(normalised(self.shares, weights.shape[1]))
        return shares[None, :, None].expand_as(weights)


@dataclass(frozen=True)
class Moved:
    """The learned weights, moved as little as possible until their mean over the channels is `shares`.

    As little as possible in relative entropy, by proportional fitting: what tells the channels apart stays.
    """

    block: str
    shares: tuple[float, ...]

    def apply(self, weights: Tensor) -> Tensor:
        shares = weights.new_tensor(normalised(self.shares, weights.shape[1]), dtype=torch.float64)
        fitted = weights.double().clamp_min(1e-12)
        for _ in range(500):
            means = fitted.mean(dim=2, keepdim=True)
            if (means[:, :, 0] - shares).abs().max() < 1e-7:
                break
            fitted = fitted * (shares[None, :, None] / means.clamp_min(1e-300))
            fitted = fitted / fitted.sum(dim=1, keepdim=True)
        return fitted.to(weights.dtype)


@dataclass(frozen=True)
class Without:
    """One branch removed; in every channel the others take its share in proportion to theirs.

    Applied to the logits of the gate, see `with_share`.
    """

    block: str
    branch: str

    def apply(self, logits: Tensor, branch: int) -> Tensor:
        return with_share(logits, branch, 0.0)


@dataclass(frozen=True)
class Frozen:
    """One branch held at an equal share in every channel, by its logit; the others keep their proportion."""

    block: str
    branch: str

    def apply(self, logits: Tensor, branch: int) -> Tensor:
        return with_share(logits, branch, 1 / logits.shape[1])


@dataclass(frozen=True)
class Taken:
    """The branch weights of another picture, `[branches][channels]`."""

    block: str
    weights: tuple[tuple[float, ...], ...]

    def apply(self, weights: Tensor) -> Tensor:
        taken = weights.new_tensor(self.weights)
        if taken.shape != weights.shape[1:]:
            raise ChoiceError(
                f"{self.block} has {weights.shape[1]} branches of {weights.shape[2]} channels; "
                f"the weights to take have {' × '.join(map(str, taken.shape))}."
            )
        return taken[None].expand_as(weights)


@dataclass(frozen=True)
class Scaled:
    """For blocks that only add their branches up: every branch times its share over an equal share."""

    block: str
    shares: tuple[float, ...]

    def apply(self, branches: Tensor) -> Tensor:
        shares = branches.new_tensor(normalised(self.shares, branches.shape[1]))
        return branches * (shares * len(shares))[None, :, None, None, None]


Intervention = Uniform | Moved | Without | Frozen | Taken | Scaled
Change = Intervention | GateChange


def equal(count: int) -> tuple[float, ...]:
    return (1 / count,) * count


def only(branch: int, count: int) -> tuple[float, ...]:
    return tuple(float(index == branch) for index in range(count))


def everywhere(
    blocks: Sequence[BlockWeights], block: str, shares: Sequence[float]
) -> tuple[Intervention, ...]:
    """The same shares in every channel of one block, or of "all"; scaled where nothing is learned."""
    named = blocks if block == "all" else [block_of(tuple(blocks), block)]
    given = tuple(float(share) for share in shares)
    return tuple((Uniform if one.learned else Scaled)(one.block, given) for one in named)


def normalised(shares: Sequence[float], count: int) -> list[float]:
    """Shares that sum to one. Raises ChoiceError for a wrong number, negative or all-zero shares."""
    values = [float(share) for share in shares]
    if len(values) != count:
        raise ChoiceError(
            f"There are {count} branches, so {count} shares are needed; {len(values)} were given."
        )
    if not all(0 <= value < float("inf") for value in values):
        raise ChoiceError(f"Shares are numbers from zero up; given were {told(values)}.")
    if sum(values) == 0:
        raise ChoiceError(f"At least one share must be above zero; given were {told(values)}.")
    return [value / sum(values) for value in values]


def told(values: Sequence[float]) -> str:
    return ", ".join(f"{value:g}" for value in values)


def with_share(logits: Tensor, branch: int, share: float) -> Tensor:
    """Logits `[b, branches, channels]` whose softmax has a branch at a share, the others in proportion.

    A share s needs the logit log(s / (1 - s)) + logsumexp of the others. The softmax itself would not do to
    start from: where a gate is saturated, the shares of the others are below what a float can hold.
    """
    before, after = logits[:, :branch], logits[:, branch + 1 :]
    odds = math.log(share / (1 - share)) if share else -math.inf
    others = torch.cat([before, after], dim=1).logsumexp(dim=1, keepdim=True)
    return torch.cat([before, others + odds, after], dim=1)


def edits(model: nn.Module, changes: Iterable[Change]) -> dict[str, Edit]:
    """The changes by the probe they go through. Raises ChoiceError for what does not fit the model."""
    made: dict[str, Edit] = {}
    last = {one.gate if isinstance(one, GateChange) else one.block: one for one in changes}  # it counts
    for one in last.values():
        if isinstance(one, GateChange):
            made |= gate_edit(model, one)
            continue
        kind = kind_changed(one)
        there = probes(model, kind)
        name = probe_inside(model, one.block, kind)
        if name is None:
            known = ", ".join(map(module_of, there))
            raise ChoiceError(f"There is no block {one.block!r} to change; there are {known or 'none'}.")
        made[name] = edit(one, there[name].branches)
    return made


def kind_changed(one: Intervention) -> Kind:
    """What an intervention puts something else in the place of."""
    if isinstance(one, Scaled):
        return Kind.BRANCHES
    return Kind.BRANCH_LOGITS if isinstance(one, Without | Frozen) else Kind.BRANCH_WEIGHTS


def edit(one: Intervention, branches: tuple[str, ...]) -> Edit:
    if not isinstance(one, Without | Frozen):
        if isinstance(one, Uniform | Moved | Scaled):
            normalised(one.shares, len(branches))  # refused before anything runs
        return one.apply
    if one.branch not in branches:
        raise ChoiceError(f"{one.block} has the branches {', '.join(branches)}; there is no {one.branch!r}.")
    index = branches.index(one.branch)
    return lambda logits: one.apply(logits, index)
