"""What is kept of a pass: a few numbers a picture, by the name of their column; axes `[b]` or `[b, n]`.

Gates are asked for by kind, so that any model's are found. `docs/survey.md` tells what each column holds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from einops import rearrange, reduce
from torch import Tensor, nn

from explorer.capture import Activation, listened, probes
from explorer.familiarity.distance import last_features
from explorer.familiarity.reference import Reference
from explorer.familiarity.scores import Evidence, foreignness
from explorer.reweighting.branch_weights import sizes_of
from explorer.reweighting.gates import CLOSED, KINDS
from models.probe import OUTPUTS, Kind, Probe

LIKELIEST = 5  # classes
Columns = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Measured:
    """Of the pictures of one pass, or of several passes one after the other."""

    columns: Columns
    openness: Mapping[str, np.ndarray] = field(default_factory=dict)  # [2, channels], least and most by gate
    branches: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # by column of shares


class Gathered:
    """The columns of one pass, made of each tensor as it is heard."""

    def __init__(self, pictures: int) -> None:
        self.pictures = pictures
        self.blends: dict[
            str, tuple[tuple[str, ...], np.ndarray]
        ] = {}  # by block: branches, shares [b, k, c]
        self.gates: dict[str, np.ndarray] = {}  # [b, c]
        self.maps: dict[str, np.ndarray] = {}  # [b, 3]
        self.last: Tensor | None = None  # map, [b, h, w, c]

    def hear(self, found: Activation) -> None:
        if found.kind is Kind.BRANCH_WEIGHTS:
            self.blends[found.block] = found.branches, found.value.numpy()
        elif found.kind is Kind.BRANCHES:
            self.blends[found.block] = found.branches, sizes_of(found.value).numpy()
        elif found.kind in KINDS:
            self.gates[found.name] = opened(found, self.pictures)
        else:
            self.maps[found.name] = self.of_map(found.value)

    def of_map(self, value: Tensor) -> np.ndarray:
        """A stage puts out the very tensor that its last block does, which is looked at once."""
        same = (
            self.last is not None
            and value.data_ptr() == self.last.data_ptr()
            and value.shape == self.last.shape
        )
        self.last = value
        return next(reversed(self.maps.values())) if same else statistics(value)


def wanted(model: nn.Module) -> Mapping[str, Probe]:
    """The probes that columns are made of: maps that parts put out, gates, and shares.

    Shares are learned ones, or, where none are, those of size, as in `branch_weights.blends`.
    """
    found = probes(model)
    learned = any(probe.kind is Kind.BRANCH_WEIGHTS for probe in found.values())
    kinds = {Kind.BRANCH_WEIGHTS if learned else Kind.BRANCHES, *KINDS}
    return {
        name: probe
        for name, probe in found.items()
        if probe.kind in kinds or (probe.kind is Kind.FEATURE_MAP and probe.role in OUTPUTS)
    }


def heard(model: nn.Module, image: Tensor) -> tuple[Tensor, Gathered]:
    """Logits of a pass and what was gathered of it; of somebody else's model, which is watched while it
    runs, after it has run."""
    gathered, kept = Gathered(len(image)), list[Activation]()
    at_once = not hasattr(model, "probed")
    logits = listened(model, image, wanted(model), gathered.hear if at_once else kept.append)
    for found in kept:
        gathered.hear(found)
    return logits, gathered


def measured(model: nn.Module, image: Tensor, classes: int, known: Reference | None) -> Measured:
    """All columns of a pass. classes: how many there are, 0 for what classifies nothing."""
    logits, seen = heard(model, image)
    shares = {f"shares:{block}": values for block, (_, values) in seen.blends.items()}
    columns: dict[str, np.ndarray] = {}
    if classes:
        columns |= likeliest(logits, min(LIKELIEST, classes))
    columns |= {name: reduce(values, "b k c -> b k", "mean") for name, values in shares.items()}
    columns |= {f"open:{name}": reduce(values, "b c -> b", "mean") for name, values in seen.gates.items()}
    columns |= {
        f"closed:{name}": (values < CLOSED).mean(axis=1, dtype=np.float32)
        for name, values in seen.gates.items()
    }
    columns |= {f"features:{name}": values for name, values in seen.maps.items()}
    if seen.last is not None:
        columns |= {"embedding": reduce(seen.last, "b h w c -> b c", "mean").numpy()}
    if known is not None and seen.last is not None:
        evidence = Evidence(last_features(seen.last), logits.double().numpy())
        score = foreignness(evidence, known.by, known.known)
        columns |= {"foreignness": score.astype(np.float32), "familiar": score <= known.threshold}
    whole = {name: rearrange(values, "b k c -> b (k c)") for name, values in shares.items()}
    whole |= {f"open:{name}": values for name, values in seen.gates.items()}
    openness = {name: np.stack([values.min(axis=0), values.max(axis=0)]) for name, values in whole.items()}
    return Measured(
        columns, openness, {f"shares:{block}": names for block, (names, _) in seen.blends.items()}
    )


def likeliest(logits: Tensor, most: int) -> Columns:
    """The numbers of the likeliest classes and their probabilities, likeliest first."""
    probabilities = logits.softmax(dim=1)
    order = probabilities.argsort(dim=1, descending=True, stable=True)[:, :most]
    return {
        "top_class": order.numpy().astype(np.int32),
        "top_probability": probabilities.gather(1, order).numpy(),
    }


def opened(found: Activation, pictures: int) -> np.ndarray:
    """How far each channel or head of a gate is open `[b, c]`, as `explorer.reweighting.gates.Gate.size`."""
    if found.kind is Kind.ATTENTION:  # parts of a map count as heads of one
        sharpest = found.value.amax(dim=3).mean(dim=2)
        return rearrange(sharpest, "(b parts) heads -> b (parts heads)", b=pictures).numpy()
    places = rearrange(found.value, "b ... c -> b c (...)")
    return places.square().mean(dim=2).sqrt().numpy()


def statistics(values: Tensor) -> np.ndarray:
    """Mean, standard deviation and share of exact zeros of each map of `[b, h, w, c]`, `[b, 3]`.

    `torch.var_mean` takes twenty times as long, and a table of deviations drives the model's own out of the
    processor's memory; so the variance is mean square less squared mean, as long as no digit cancels by that.
    """
    of_map = rearrange(values, "b h w c -> b (h w c)")
    rows, mean = of_map.numpy(), of_map.mean(dim=1).numpy()
    squares = torch.linalg.vector_norm(of_map, dim=1).numpy() ** 2 / np.float32(rows.shape[1])
    variance = squares - mean**2
    for cancels in np.flatnonzero(~(variance > squares / 4)):
        apart = of_map[cancels] - of_map[cancels].mean()
        variance[cancels] = torch.linalg.vector_norm(apart).numpy() ** 2 / np.float32(rows.shape[1])
    other = np.count_nonzero(rows, axis=1) if some_zero(rows) else np.full(len(rows), rows.shape[1])
    return np.stack([mean, np.sqrt(variance), 1 - other / rows.shape[1]], axis=1).astype(np.float32)


def some_zero(values: np.ndarray) -> bool:
    """Whether any of float32 numbers is exactly zero, told from their bits: a third of counting."""
    bits = np.ascontiguousarray(values).view(np.int32)
    return not bits.all() or bits.min() == np.iinfo(np.int32).min  # 0.0, or -0.0


def joined(parts: list[Measured]) -> Measured:
    """Several passes as one; the first says what columns there are."""
    columns = {name: np.concatenate([part.columns[name] for part in parts]) for name in parts[0].columns}
    return Measured(columns, widest([part.openness for part in parts if part.openness]), parts[0].branches)


def widest(each: Sequence[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """The least and the most of each channel over several, `[2, channels]` by gate."""
    return {
        name: np.stack(
            [np.min([one[name][0] for one in each], axis=0), np.max([one[name][1] for one in each], axis=0)]
        )
        for name in (each[0] if each else {})
    }


def none_of(measure: Measured) -> Measured:
    """The same columns of no picture."""
    return Measured({name: values[:0] for name, values in measure.columns.items()}, {}, measure.branches)
