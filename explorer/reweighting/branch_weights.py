"""How blocks blend their branches: learned shares, shares of size, and where in the picture each branch acts.

Everything here is a function of a `Run`. Vision Permutator and S2-MLPv2 decide the shares with a split
attention; AS-MLP adds its branches up as they are, so there only their sizes can be compared.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from explorer.capture import Run, probes
from explorer.errors import ChoiceError
from explorer.in_notebook import InNotebook
from models.probe import Kind, Role

SATURATED = 0.99  # a share; what is above it hardly answers to the picture any more


@dataclass(frozen=True)
class BlockWeights(InNotebook):
    """The branch weights of one block for one picture; they sum to one over the branches."""

    block: str  # the module that blends, e.g. "stages.1.blocks.0.token_mixing"
    branches: tuple[str, ...]
    values: np.ndarray  # [branches, channels], shares
    learned: bool = True  # decided by a split attention; else only how large the branches are

    @property
    def mean(self) -> np.ndarray:
        """Share of each branch, averaged over the channels `[branches]`."""
        return self.values.mean(axis=1)

    def order(self, by: str, typical: np.ndarray | None = None) -> np.ndarray:
        """Channels sorted by a branch's share, by `entropy`, or by `deviation` from typical values.

        The largest come first; by anything else the channels stay as they are.
        """
        if by in self.branches:
            return np.argsort(-self.values[self.branches.index(by)], kind="stable")
        if by == "entropy":
            return np.argsort(-self.entropy, kind="stable")
        if by == "deviation" and typical is not None:
            return np.argsort(-np.abs(self.values - typical).sum(axis=0), kind="stable")
        return np.arange(self.values.shape[1])

    @property
    def saturated(self) -> float:
        """Part of the channels in which one branch has more than `SATURATED` of the blend."""
        return float((self.values.max(axis=0) > SATURATED).mean())

    @property
    def entropy(self) -> np.ndarray:
        """How evenly each channel blends `[channels]`: 0 takes one branch only, 1 all alike."""
        shares = np.clip(self.values, 1e-12, 1)
        return -(shares * np.log(shares)).sum(axis=0) / np.log(len(self.branches))

    def histogram(self, bins: int = 20) -> np.ndarray:
        """How the shares are distributed `[branches, bins]`: parts of the channels in bins of [0, 1]."""
        counts = [np.histogram(shares, bins=bins, range=(0, 1))[0] for shares in self.values]
        return np.stack(counts) / self.values.shape[1]


def branch_weights(run: Run, picture: int = 0) -> tuple[BlockWeights, ...]:
    """Every block with a split attention, in the order of the pass; none for a model without.

    picture: which of a batch.
    """
    return tuple(
        BlockWeights(found.block, found.branches, found.value[picture].numpy())
        for found in run.of(Kind.BRANCH_WEIGHTS)
    )


def size_shares(run: Run) -> tuple[BlockWeights, ...]:
    """Blocks that add branches up without weighing them: the share of each in the sum of absolute values."""
    weighed = {found.block for found in run.of(Kind.BRANCH_WEIGHTS)}
    made = []
    for found in run.of(Kind.BRANCHES):
        if found.block not in weighed:
            shares = sizes_of(found.value)[0].numpy()
            made.append(BlockWeights(found.block, found.branches, shares, learned=False))
    return tuple(made)


def sizes_of(branches: Tensor) -> Tensor:
    """The share of each of `[b, branches, h, w, c]` in the sum of absolute values, `[b, branches, c]`."""
    sizes = branches.abs().mean(dim=(2, 3))
    return sizes / sizes.sum(dim=1, keepdim=True).clamp_min(1e-12)


def blends(run: Run) -> tuple[BlockWeights, ...]:
    """The learned branch weights, or, where nothing is learned, the shares of size; none without branches."""
    return branch_weights(run) or size_shares(run)


def block_of(blocks: tuple[BlockWeights, ...], name: str) -> BlockWeights:
    for block in blocks:
        if block.block == name:
            return block
    known = ", ".join(block.block for block in blocks)
    raise ChoiceError(f"There is no block {name!r} that blends branches; there are {known or 'none'}.")


@dataclass(frozen=True)
class Contributions:
    """Where the branches of one block act, over the places of its map."""

    block: str
    branches: tuple[str, ...]
    size: np.ndarray  # [branches, h, w], length over the channels of a_k * branch_k
    signed: np.ndarray | None  # [branches, h, w], in logits; None for a run without gradients
    blended: np.ndarray | None  # [h, w], blended x gradient, the sum of `signed` over the branches


def contributions(run: Run, block: str) -> Contributions:
    """Size and signed contribution to the run's target of every branch of a block.

    `signed` is sum_c a_k * branch_k * d logit / d blended: the first-order effect of what a branch brings
    in. Its maps add up to the block's own `blended` x gradient. Branches that are only added up count whole.
    """
    branches = run.inside(block, Kind.BRANCHES)
    if branches is None:
        raise ChoiceError(f"There is no block {block!r} with branches in this model.")
    brought = branches.value[0]
    weights, blended = run.inside(block, Kind.BRANCH_WEIGHTS), run.inside(block, Role.BLENDED)
    if weights is not None:
        brought = weights.value[0, :, None, None, :] * brought
    gradient = None if blended is None else run.gradients.get(blended.name)
    return Contributions(
        block,
        branches.branches,
        torch.linalg.vector_norm(brought, dim=-1).numpy(),
        None if gradient is None else along_channels(brought, gradient).numpy(),
        None if blended is None or gradient is None else along_channels(blended.value, gradient)[0].numpy(),
    )


def along_channels(values: Tensor, gradient: Tensor) -> Tensor:
    """`[k, h, w, c]` times `[1, h, w, c]`, summed over the channels `[k, h, w]`."""
    return torch.einsum("khwc,hwc->khw", values, gradient[0])


@dataclass(frozen=True)
class Difference:
    """How the branch weights of one block differ between two pictures, second minus first."""

    block: str
    branches: tuple[str, ...]
    values: np.ndarray  # [branches, channels], in [-1, 1]

    @property
    def mean(self) -> np.ndarray:
        return self.values.mean(axis=1)

    @property
    def size(self) -> float:
        """Mean absolute difference, over branches and channels."""
        return float(np.abs(self.values).mean())


def differences(first: Run, second: Run) -> tuple[Difference, ...]:
    """Block by block and channel by channel; both runs are of one model."""
    return tuple(
        Difference(one.block, one.branches, other.values - one.values)
        for one, other in zip(blends(first), blends(second), strict=True)
    )


def blended_probes(model: nn.Module) -> list[str]:
    """Names of the probes of what split attentions blend."""
    return [name for name, probe in probes(model).items() if probe.role is Role.BLENDED]
