"""Named identity layers that mark the tensors worth looking at."""

from enum import Enum

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

    @property
    def has_listeners(self) -> bool:
        """Whether a hook hears what passes; where not, a costly tensor need not be made at all."""
        return bool(self._forward_hooks)

    def canonical(self, value: Tensor | list[Tensor]) -> Tensor:
        """The tensor in the axes of its kind; a view where the layout allows one."""
        return rearrange(value, self.pattern, **self.sizes)

    def native(self, value: Tensor) -> Tensor:
        """The way back: a tensor in the axes of the kind, as the model expects it at this place."""
        own, canonical = self.pattern.split("->")
        return rearrange(value, f"{canonical} -> {own}", **self.sizes)

    def extra_repr(self) -> str:
        return f"{self.kind.name}, {self.pattern!r}"
