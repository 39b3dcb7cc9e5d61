"""How split attentions blend their branches: the share of every branch in every channel of every block."""

from dataclasses import dataclass

import numpy as np

from explorer.capture import Run
from explorer.errors import ChoiceError
from models.probe import Kind


@dataclass(frozen=True)
class BlockWeights:
    """The branch weights of one block for one picture; they sum to one over the branches."""

    block: str  # the module that blends, e.g. "stages.1.blocks.0.token_mixing"
    branches: tuple[str, ...]
    values: np.ndarray  # [branches, channels], shares

    @property
    def mean(self) -> np.ndarray:
        """Share of each branch, averaged over the channels `[branches]`."""
        return self.values.mean(axis=1)

    def order(self, by: str) -> np.ndarray:
        """Channels sorted by the share of one branch, or by `entropy`, largest first; else as they are."""
        if by in self.branches:
            return np.argsort(-self.values[self.branches.index(by)], kind="stable")
        if by == "entropy":
            return np.argsort(-self.entropy, kind="stable")
        return np.arange(self.values.shape[1])

    @property
    def entropy(self) -> np.ndarray:
        """How evenly each channel blends `[channels]`: 0 takes one branch only, 1 all alike."""
        shares = np.clip(self.values, 1e-12, 1)
        return -(shares * np.log(shares)).sum(axis=0) / np.log(len(self.branches))


def branch_weights(run: Run) -> tuple[BlockWeights, ...]:
    """Every block that blends, in the order of the pass; none for a model without split attention."""
    return tuple(
        BlockWeights(found.name.rpartition(".")[0], found.branches, found.value[0].numpy())
        for found in run.of(Kind.BRANCH_WEIGHTS)
    )


def block_of(blocks: tuple[BlockWeights, ...], name: str) -> BlockWeights:
    for block in blocks:
        if block.block == name:
            return block
    known = ", ".join(block.block for block in blocks)
    raise ChoiceError(f"There is no block {name!r} that blends branches; there are {known or 'none'}.")
