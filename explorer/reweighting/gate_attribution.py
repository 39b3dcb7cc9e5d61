"""How much of a logit each gate accounts for, channel by channel, by the gradient along the gate's own path.

Only the gate moves: what comes before it stays as the picture made it, what comes after is computed anew.
Integrated gradients (Sundararajan et al., 2017, eq. 1) along that path add up to what the gate changes.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import torch
from einops import rearrange, reduce
from torch import Tensor, nn

from explorer.attribution.methods.gradients import gauss_legendre
from explorer.capture import hooked, module_of, probes
from explorer.engine.replay import Replay
from explorer.errors import ChoiceError
from explorer.in_notebook import InNotebook
from explorer.reweighting.gate_changes import Flattened
from explorer.reweighting.gates import KINDS
from models.probe import Kind, Probe

EXPLAINED = (*KINDS, Kind.BRANCH_WEIGHTS, Kind.BRANCHES)
PATHS = MappingProxyType({"gradient": "gradient × gate, from closed", "integrated": "integrated, from flat"})
ROUNDS = (8, 32, 128)  # steps tried one after the other, until the gap is small enough
ENOUGH, ROUNDING = 0.01, 1e-6  # of the change, and in logits


@dataclass(frozen=True)
class Owed:
    """What one gate accounts for."""

    gate: str  # name of its probe
    values: np.ndarray  # in logits: [channels], [heads] of attention, or [branches, channels]
    change: float  # the logit with the gate as it is, minus with the one its path begins at
    branches: tuple[str, ...] = ()

    @property
    def total(self) -> float:
        return float(self.values.sum(dtype=np.float64))

    @property
    def gap(self) -> float:
        """What the values say too much, or too little: their sum minus the change of the logit."""
        return self.total - self.change


@dataclass(frozen=True)
class GateAttribution(InNotebook):
    """The gates so far; the unit is the logit."""

    target: int
    path: str  # a key of PATHS
    gates: tuple[str, ...]  # names of all their probes
    logit: float  # as learned
    owed: tuple[Owed, ...]

    @property
    def done(self) -> int:
        return len(self.owed)

    @property
    def total(self) -> int:
        return len(self.gates)


def gate_attribution(
    model: nn.Module,
    image: Tensor,
    *,
    target: int,
    path: str = "integrated",
    kinds: Sequence[Kind] = EXPLAINED,
) -> Iterator[GateAttribution]:
    """Gate by gate, how much of the logit of `image` `[1, 3, h, w]` is owed to each channel, head or branch.

    path: "gradient" takes the gate times the gradient, the first-order effect of closing it; "integrated"
        goes from a gate that tells nothing apart, see `told_apart`, and adds up to what that changes.

    Branches that no learned shares blend are followed from nothing, for their share is always one. Raises
    ChoiceError for another path, and where there is no gate of these kinds.
    """
    if path not in PATHS:
        raise ChoiceError(f"The path is {' or '.join(PATHS)}; not {path!r}.")
    found = explained(model, kinds)
    if not found:
        raise ChoiceError("This model has no gates and no branches of these kinds to explain.")
    replay = Replay(model, image, list(found))
    logit, owed = float(replay.whole()[0, target]), []
    for name, probe in found.items():
        replay.check(name)
        owed.append(owed_to(Walk(replay, name, probe, target, path)))
        yield GateAttribution(target, path, tuple(found), logit, tuple(owed))


def explained(model: nn.Module, kinds: Sequence[Kind]) -> dict[str, Probe]:
    """The probes of gates, and of branches where no shares blend them."""
    there = probes(model)
    weighed = {module_of(name) for name, probe in there.items() if probe.kind is Kind.BRANCH_WEIGHTS}
    return {
        name: probe
        for name, probe in there.items()
        if probe.kind in kinds and not (probe.kind is Kind.BRANCHES and module_of(name) in weighed)
    }


def told_apart(gate: Tensor, kind: Kind) -> Tensor:
    """What a gate says beyond one that is flat: even shares of branches, all channels or places alike."""
    if kind is Kind.BRANCHES:
        return gate
    if kind is Kind.BRANCH_WEIGHTS:
        return gate - gate.mean(dim=1, keepdim=True)
    return gate - Flattened("").apply(gate, kind)


@dataclass(frozen=True)
class Walk:
    """The way of one gate from where its path begins, everything before it held."""

    replay: Replay
    name: str
    probe: Probe
    target: int
    path: str

    @property
    def moves(self) -> Callable[[Tensor], Tensor]:
        """How far the gate goes along its path."""
        return (
            (lambda gate: gate) if self.path == "gradient" else lambda gate: told_apart(gate, self.probe.kind)
        )

    def at(self, share: float, slope: bool = True) -> tuple[float, list[Tensor]]:
        """The logit at a share of the way, and the way times the gradient there, in the axes of the kind."""
        points: list[tuple[Tensor, Tensor]] = []

        def put(probe: Probe, _args: tuple, value):
            gate = probe.canonical(value).detach()
            way = self.moves(gate)
            points.append(((gate - (1 - share) * way).requires_grad_(slope), way))
            return probe.native(points[-1][0].clone())

        with torch.set_grad_enabled(slope), hooked({self.probe: put}), self.replay.up_to(self.name):
            logit = self.replay.model(self.replay.image)[0, self.target]
        if not slope:
            return float(logit), []
        inputs = [point for point, _ in points]
        slopes = torch.autograd.grad(logit, inputs, materialize_grads=True)
        return float(logit.detach()), [way * one for (_, way), one in zip(points, slopes, strict=True)]


def owed_to(walk: Walk) -> Owed:
    """Integrated with as many steps as the gap needs; the gradient alone where that is asked for."""
    change = walk.at(1.0, slope=False)[0] - walk.at(0.0, slope=False)[0]
    for steps in ROUNDS if walk.path == "integrated" else (1,):
        shares, weights = gauss_legendre(steps) if steps > 1 else (np.ones(1), np.ones(1))
        values = sum(
            float(weight) * summed(one, walk.probe.kind)
            for share, weight in zip(shares, weights, strict=True)
            for one in walk.at(float(share))[1]
        )
        made = np.asarray(values, dtype=np.float32)
        owed = Owed(walk.name, made, change, walk.probe.branches if made.ndim > 1 else ())
        if abs(owed.gap) <= ENOUGH * abs(change) + ROUNDING:
            break
    return owed


def summed(values: Tensor, kind: Kind) -> np.ndarray:
    """Over the places: `[channels]`, `[heads]`, or `[branches, channels]`."""
    if kind is Kind.ATTENTION:
        made = reduce(values, "b heads q k -> (b heads)", "sum")
    elif kind is Kind.BRANCHES:
        made = reduce(values, "1 branches h w c -> branches c", "sum")
    elif kind is Kind.BRANCH_WEIGHTS:
        made = rearrange(values, "1 branches c -> branches c")
    else:
        made = reduce(values, "1 ... c -> c", "sum")
    return made.detach().double().cpu().numpy()
