"""Named identity layers that mark the tensors worth looking at."""

from collections.abc import Callable
from enum import Enum
from typing import Any, NamedTuple

from einops import rearrange
from torch import Tensor, nn


class Kind(Enum):
    """What a probed tensor means. The value names its axes, in the order readers receive them."""

    FEATURE_MAP = "b h w c"  # one vector per place
    ATTENTION = "b heads q k"  # sums to one over k
    BRANCHES = "b branches h w c"  # what a split attention blends
    BRANCH_WEIGHTS = "b branches c"  # sums to one over branches
    BRANCH_LOGITS = "b branches channels"  # what branch weights are the softmax of
    CHANNEL_GATE = "b channels"  # how far each channel of a map is open
    MODULATION = "b h w channels"  # what a map is multiplied by, place by place; 1 along axes it is the same
    VECTOR = "b c"  # no place left


PLACELESS = (Kind.VECTOR, Kind.CHANNEL_GATE, Kind.BRANCH_WEIGHTS, Kind.BRANCH_LOGITS)


class Role(Enum):
    """Where in a network a probe stands, as far as readers care."""

    PATCHES = "what the stem or a merging of patches puts out"
    BLOCK = "what a block puts out"
    STAGE = "what a stage puts out: the same tensor as its last block's"
    MIXED = "inside a block, after its places were mixed"
    BLENDED = "what a split attention makes of its branches"
    OTHER = "anywhere else"


OUTPUTS = (Role.PATCHES, Role.BLOCK, Role.STAGE)


class Later(NamedTuple):
    """A tensor that is made when somebody reads it, and what of."""

    parts: list[Tensor]
    make: Callable[[list[Tensor]], Tensor]  # gives it in the axes in which it would pass the probe
    size: int  # bytes of what is made


class Probe(nn.Identity):
    """Passes a tensor through unchanged and says what it is.

    Its name is the one PyTorch gives it, e.g. `stages.1.blocks.0.after_tokens`. Always use what it
    returns, so that a hook may replace the tensor: `x = self.after_tokens(x)`. A list of equally
    shaped tensors may pass too; the first axis of the pattern then counts the list.

    Args:
        kind: what the tensor means.
        pattern: einops pattern from the tensor's own axes to those of `kind`.
        branches: names along the axis `branches`, for the kinds that have it.
        role: where in the network it stands.
        sizes: lengths of axes the pattern cannot infer.
    """

    # Told the probe and what passed it, or a `Later`, after all hooks. It changes nothing, and costs less
    # than a hook does.
    reader: Callable[[tuple["Probe", Any]], object] | None = None

    def __init__(
        self,
        kind: Kind,
        pattern: str,
        *,
        branches: tuple[str, ...] = (),
        role: Role = Role.OTHER,
        **sizes: int,
    ) -> None:
        super().__init__()
        self.kind = kind
        self.pattern = pattern
        self.branches = branches
        self.role = role
        self.sizes = sizes

    def __call__(self, value: Any) -> Any:
        passed = super().__call__(value)
        if self.reader is not None:
            self.reader((self, passed))
        return passed

    @property
    def has_hooks(self) -> bool:
        """Whether something may take the place of what passes; where not, it need not be made at all."""
        return bool(self._forward_hooks)

    def told_later(self, later: Later) -> None:
        """Tell a reader what is not made in this pass."""
        if self.reader is not None:
            self.reader((self, later))

    def canonical(self, value: Tensor | list[Tensor]) -> Tensor:
        """The tensor in the axes of its kind; a view where the layout allows one."""
        return rearrange(value, self.pattern, **self.sizes)

    def native(self, value: Tensor) -> Tensor:
        """The way back: a tensor in the axes of the kind, as the model expects it at this place."""
        own, canonical = self.pattern.split("->")
        return rearrange(value, f"{canonical} -> {own}", **self.sizes)

    def extra_repr(self) -> str:
        return f"{self.kind.name}, {self.pattern!r}"
