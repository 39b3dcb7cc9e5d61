"""Which of the values that multiply something are gates, and of what kind."""

from dataclasses import dataclass

from torch import nn

from explorer.any_model.functions import SHORT
from explorer.any_model.ledger import Candidate, Use
from explorer.any_model.places import Place
from explorer.any_model.watch import Pass

SURE, LIKELY = "sure", "likely"
AXES = {
    "branch": ("branches", "channels"),
    "channel": ("channels",),
    "modulation": ("rows", "columns", "channels"),
    "attention": ("heads", "queries", "keys"),
}
# What the modules of well-known libraries call their gates, where the call itself stands in a larger forward.
NAMES = {
    ("SelectiveKernel", "branch"): "attn",
    ("OutlookAttention", "attention"): "attn_drop",
    ("FocalModulation", "modulation"): "f",
    ("GPSA", "channel"): "gating_param",
    ("CondConvResidual", "branch"): "routing_fn",
}


@dataclass(frozen=True)
class FoundGate:
    """One gate of a model, as one pass showed it."""

    module: str  # what decides the gate
    kind: str  # "branch", "channel", "modulation" or "attention"
    axes: tuple[str, ...]
    shape: tuple[int, ...]  # along the axes, for one picture
    activation: str  # "softmax", "sigmoid", "hard_sigmoid", "tanh", "response norm", another one, or "none"
    applied_to: str  # the module in whose forward it multiplies something; "" is the model itself
    sure: str  # SURE, or LIKELY where the product alone tells
    why: str  # one sentence


@dataclass(frozen=True, eq=False)
class Sighting:
    """A gate with what is needed to meet it again."""

    kind: str
    candidate: Candidate
    module: str
    applied_to: str
    places: tuple[Place, ...]  # more than one where the same values are computed again
    entered: tuple[Place, ...] = ()  # where what they are the activation of is met

    @property
    def shape(self) -> tuple[int, ...]:
        """Of its own tensor, the batch included."""
        return self.candidate.blended_shape if is_fused(self.candidate) else tuple(self.candidate.value.shape)


def sightings(seen: Pass, model: nn.Module) -> tuple[Sighting, ...]:
    """The gates of a pass, in its order. An activation that multiplies nothing is none."""
    parts = dict(model.named_modules())
    made: dict[tuple, list[Candidate]] = {}
    for one in seen.candidates:
        if kind_of(one):
            alone = one.plain or is_fused(one)
            key = (one.place,) if alone else (one.place.module, one.origin, one.activation)
            made.setdefault(key, []).append(one)
    return tuple(sighted(twins, parts) for twins in made.values())


def sighted(twins: list[Candidate], parts: dict[str, nn.Module]) -> Sighting:
    """One gate; the others are the same values, computed again."""
    one = twins[0]
    kind, owner = kind_of(one), one.place.module
    name = NAMES.get((type(parts[owner]).__name__, kind), "")
    module = f"{owner}.{name}".strip(".") if name and hasattr(parts[owner], name) else owner
    applied = one.uses[0].place.module if one.uses else owner
    entered = tuple(twin.enters for twin in twins)
    return Sighting(kind, one, module, applied, tuple(twin.place for twin in twins), entered)


def kind_of(one: Candidate) -> str:
    """The kind of gate, or nothing."""
    if is_fused(one):
        return "attention" if one.blended_shape[-1] > 1 else ""
    if one.axis is not None and one.value.shape[one.axis] == 1:
        return ""  # the only share of one is all of it
    matrices = [use for use in one.uses if use.matrix]
    if matrices:
        return "attention" if any(use.live for use in matrices) else "branch"
    uses = [use for use in one.uses if len(use.result_shape) > 2]
    if not uses:
        return ""
    if one.axis is not None:
        if not 1 < one.value.shape[one.axis] <= SHORT:
            if one.blended:
                return "attention"  # places added up by their shares, as one query would
            return by_shape(uses[0]) if len(uses[0].result_shape) == 4 else "modulation"
        return "channel" if is_of_channels(one, uses[0]) else "branch"
    return "modulation" if one.activation == "response norm" else by_shape(uses[0])


def is_fused(one: Candidate) -> bool:
    return not one.uses and bool(one.blended_shape)


def is_of_channels(one: Candidate, use: Use) -> bool:
    """Whether a softmax over channels only weighs them: nothing it multiplies is added up over them."""
    return not one.blended and use.axis == 1 and len(use.result_shape) == 4 and by_shape(use) == "channel"


def by_shape(use: Use) -> str:
    """Per channel, or per place: by the axes along which the gate is as long as what it multiplies."""
    rank = len(use.result_shape)
    own = (1,) * (rank - len(use.gate_shape)) + use.gate_shape
    long = [axis for axis in range(1, rank) if own[axis] > 1]
    if len(long) > 1 or not long:
        return "modulation" if long else "channel"
    if rank == 3 and long[0] == 1 and use.result_shape[2] > 1:
        return "modulation"  # one number for each token
    return "channel"


def told(one: Sighting, shape: tuple[int, ...], is_laid: bool) -> FoundGate:
    """What to say of a gate; `shape` is in the axes of its kind, the pictures left out.

    is_laid: it is known how its axes lie; else those of a modulation are numbered.
    """
    pairs = list(zip(AXES[one.kind], shape, strict=False))
    kept = [pair for pair in pairs if pair[1] > 1 or one.kind == "attention"] or pairs[-1:]
    if one.kind == "modulation" and not is_laid and [name for name, _ in kept] != ["channels"]:
        kept = [(f"axis {number}", length) for number, (_, length) in enumerate(kept, 1)]
    sure, why = reason(one)
    return FoundGate(
        one.module,
        one.kind,
        tuple(name for name, _ in kept),
        tuple(length for _, length in kept),
        one.candidate.activation,
        one.applied_to,
        sure,
        why,
    )


def reason(one: Sighting) -> tuple[str, str]:
    activation = one.candidate.activation.replace("_", " ")
    if is_fused(one.candidate):
        return SURE, "One fused step computes it; its weights are computed apart when they are looked at."
    if one.candidate.activation == "response norm":
        return SURE, "Each channel is multiplied by how strong it is beside the others."
    if one.candidate.plain:
        return LIKELY, "Two maps are multiplied; nothing but the product tells that one is a gate."
    return SURE, f"What a {activation} gives multiplies something else."


def hidden_gate(place: Place) -> FoundGate:
    why = "PyTorch computes it inside one call, where it can be neither read nor changed from outside."
    return FoundGate(place.module, "attention", AXES["attention"], (), "softmax", place.module, LIKELY, why)
