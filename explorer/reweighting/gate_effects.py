"""What each gate is worth: make it flat, open it, close it, and see what becomes of a logit."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from explorer.capture import editing, hooked, probes
from explorer.engine.replay import Replay
from explorer.errors import ChoiceError
from explorer.in_notebook import InNotebook
from explorer.reweighting.gate_changes import MODES, fits
from explorer.reweighting.gates import KINDS, Gate, Usual, usual, values_of
from models.probe import Kind, Probe


@dataclass(frozen=True)
class GateEffects(InNotebook):
    """The table as far as it is done; rows from the first gate on."""

    target: int
    gates: tuple[str, ...]  # names of their probes
    logit: float  # as learned
    delta: np.ndarray  # [rows done, modes], logit afterwards minus as learned; NaN where a mode means nothing
    modes: tuple[str, ...] = tuple(MODES)

    @property
    def done(self) -> int:
        return len(self.delta)

    @property
    def total(self) -> int:
        return len(self.gates)


def gate_probes(model: nn.Module, kinds: Sequence[Kind]) -> dict[str, Probe]:
    """By name, in the order of the pass. Raises ChoiceError where there is none."""
    found = {name: probe for name, probe in probes(model).items() if probe.kind in kinds}
    if not found:
        raise ChoiceError(f"This model has no {' or '.join(KINDS[kind] for kind in kinds)}.")
    return found


@torch.no_grad()
def gate_effects(
    model: nn.Module, image: Tensor, *, target: int, kinds: Sequence[Kind] = tuple(KINDS)
) -> Iterator[GateEffects]:
    """The table, one row more each time. Only what follows a gate is run again for it."""
    found = gate_probes(model, kinds)
    replay = Replay(model, image, list(found))
    learned = float(replay.whole()[0, target])
    rows: list[list[float]] = []
    for name, probe in found.items():
        replay.check(name)
        row = []
        for mode in MODES.values():
            change = mode(name)
            if not fits(change, probe.kind):
                row.append(float("nan"))
                continue
            with hooked({probe: editing(partial(change.apply, kind=probe.kind))}):
                row.append(float(replay.logits(name)[0, target]) - learned)
        rows.append(row)
        yield GateEffects(target, tuple(found), learned, np.array(rows))


@dataclass(frozen=True)
class UsualGates:
    """How far open gates are over the pictures seen so far."""

    gates: tuple[Usual, ...]
    done: int
    total: int

    @property
    def bytes(self) -> int:
        return sum(4 * one.mean.nbytes for one in self.gates)


@torch.no_grad()
def usual_gates(
    model: nn.Module, images: Sequence[Tensor], kind: Kind = Kind.CHANNEL_GATE
) -> Iterator[UsualGates]:
    """After each picture, how far each channel of each gate of a kind is open over those so far."""
    found = gate_probes(model, (kind,))
    seen: list[list[Gate]] = []
    for number, image in enumerate(images, 1):
        seen.append(gates_of(model, image, found))
        yield UsualGates(usual(seen), number, len(images))


def gates_of(model: nn.Module, image: Tensor, found: dict[str, Probe]) -> list[Gate]:
    """The gates alone, of one pass."""
    kept: dict[str, Gate] = {}

    def keep(probe: Probe, _args: tuple, value: Tensor, *, name: str) -> None:
        kept[name] = Gate(name, probe.kind, values_of(probe.canonical(value).cpu(), probe.kind))

    with hooked({probe: partial(keep, name=name) for name, probe in found.items()}):
        model(image)
    return list(kept.values())
