"""What is kept of a pass: a few numbers a picture, by the name of their column; axes `[b]` or `[b, n]`.

Gates are asked for by kind, so that any model's are found. `docs/survey.md` tells what each column holds.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from einops import rearrange, reduce
from torch import Tensor

from explorer.capture import Activation, Run
from explorer.familiarity.reference import Reference
from explorer.familiarity.scores import Evidence, foreignness
from explorer.reweighting.branch_weights import sizes_of
from explorer.reweighting.gates import CLOSED, KINDS
from models.probe import Kind

LIKELIEST = 5  # classes
Columns = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Measured:
    """Of the pictures of one pass, or of several passes one after the other."""

    columns: Columns
    openness: Mapping[str, np.ndarray] = field(default_factory=dict)  # [2, channels], least and most by gate
    branches: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # by column of shares


def measured(seen: Run, classes: int, known: Reference | None) -> Measured:
    """All columns of a pass. classes: how many there are, 0 for what classifies nothing."""
    blends = list(shares(seen))
    gates = [(found.name, opened(found, len(seen.logits))) for found in gates_of(seen)]
    columns: dict[str, np.ndarray] = {}
    if classes:
        columns |= likeliest(seen.logits, min(LIKELIEST, classes))
    columns |= {f"shares:{block}": reduce(values, "b k c -> b k", "mean") for block, _, values in blends}
    columns |= {f"open:{name}": reduce(values, "b c -> b", "mean") for name, values in gates}
    columns |= {f"closed:{name}": (values < CLOSED).mean(axis=1, dtype=np.float32) for name, values in gates}
    maps = seen.outputs()
    columns |= {f"features:{found.name}": statistics(found.value) for found in maps}
    if maps:
        columns |= {"embedding": reduce(maps[-1].value, "b h w c -> b c", "mean").numpy()}
    if known is not None:
        score = foreignness(Evidence.of(seen), known.by, known.known)
        columns |= {"foreignness": score.astype(np.float32), "familiar": score <= known.threshold}
    whole = {f"shares:{block}": rearrange(values, "b k c -> b (k c)") for block, _, values in blends}
    whole |= {f"open:{name}": values for name, values in gates}
    openness = {name: np.stack([values.min(axis=0), values.max(axis=0)]) for name, values in whole.items()}
    return Measured(columns, openness, {f"shares:{block}": names for block, names, _ in blends})


def likeliest(logits: Tensor, most: int) -> Columns:
    """The numbers of the likeliest classes and their probabilities, likeliest first."""
    probabilities = logits.softmax(dim=1)
    order = probabilities.argsort(dim=1, descending=True, stable=True)[:, :most]
    return {
        "top_class": order.numpy().astype(np.int32),
        "top_probability": probabilities.gather(1, order).numpy(),
    }


def shares(seen: Run) -> Iterator[tuple[str, tuple[str, ...], np.ndarray]]:
    """Each block that blends branches, their names and shares `[b, branches, c]`.

    As in `explorer.reweighting.branch_weights.blends`: learned ones, or, where none are, shares of size.
    """
    learned = seen.of(Kind.BRANCH_WEIGHTS)
    for found in learned or seen.of(Kind.BRANCHES):
        yield found.block, found.branches, (found.value if learned else sizes_of(found.value)).numpy()


def gates_of(seen: Run) -> list[Activation]:
    return [found for found in seen.activations.values() if found.kind in KINDS]


def opened(found: Activation, pictures: int) -> np.ndarray:
    """How far each channel or head of a gate is open `[b, c]`, as `explorer.reweighting.gates.Gate.size`."""
    if found.kind is Kind.ATTENTION:  # parts of a map count as heads of one
        sharpest = found.value.amax(dim=3).mean(dim=2)
        return rearrange(sharpest, "(b parts) heads -> b (parts heads)", b=pictures).numpy()
    places = rearrange(found.value, "b ... c -> b c (...)")
    return places.square().mean(dim=2).sqrt().numpy()


def statistics(values: Tensor) -> np.ndarray:
    """Mean, standard deviation and share of exact zeros of each map of `[b, h, w, c]`, `[b, 3]`."""
    of_map = rearrange(values, "b h w c -> b (h w c)")
    mean = of_map.mean(dim=1)
    # `torch.var_mean` takes five times as long.
    spread = torch.linalg.vector_norm(of_map - mean[:, None], dim=1) / of_map.shape[1] ** 0.5
    zeros = 1 - np.count_nonzero(of_map.numpy(), axis=1) / of_map.shape[1]
    return np.stack([mean.numpy(), spread.numpy(), zeros.astype(np.float32)], axis=1)


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
