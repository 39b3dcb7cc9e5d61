"""What each bundled set of weights knows, computed once and shipped in `assets/familiar`.

`python -m explorer.after_training` makes the files, see `explorer.familiarity.measure`.
"""

import json
import logging
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from explorer.capture import Run
from explorer.familiarity.distance import Familiar
from explorer.familiarity.scores import Evidence, foreignness
from explorer.reweighting.reference_shares import DAMAGED, checksum
from models.registry import ASSETS
from models.whole_files import written_whole

log = logging.getLogger("mixscope")
FOLDER = ASSETS / "familiar"
NOBODY = Familiar(np.zeros((0, 0)), np.zeros((0, 0)))  # where the score is no distance


@dataclass(frozen=True, kw_only=True)
class Familiarity:
    """What is said of one picture."""

    by: str  # one of `explorer.familiarity.scores.SCORES`
    score: float  # larger the more foreign
    threshold: float  # one in twenty known pictures lies beyond
    known: str  # what the model was trained on, "scenes" or "cifar10"
    detected: float  # the share of photographs of other things that lies beyond

    @property
    def is_familiar(self) -> bool:
        return self.score <= self.threshold


@dataclass(frozen=True, kw_only=True)
class Reference:
    """What is asked of a picture, and the threshold it is held to."""

    by: str
    known: Familiar
    threshold: float
    detected: float

    def told(self, seen: Run, weights: str) -> Familiarity:
        score = float(foreignness(Evidence.of(seen), self.by, self.known)[0])
        return Familiarity(
            by=self.by, score=score, threshold=self.threshold, known=weights, detected=self.detected
        )


def path_of(name: str, weights: str) -> Path:
    return FOLDER / f"{name}.{weights}.npz"


def measured_of(name: str, weights: str) -> dict[str, Any]:
    """What `explorer.after_training` measured of these very weights; empty where it has not."""
    try:
        told = json.loads(path_of(name, weights).with_suffix(".json").read_text("utf-8"))
        return told if told["checkpoint"] == checksum(name, weights) else {}
    except DAMAGED:
        return {}


def keep(name: str, weights: str, reference: Reference) -> None:
    """Write what ships; centres and spread only where the score needs them."""
    known = reference.known if reference.by == "distance" else NOBODY
    FOLDER.mkdir(parents=True, exist_ok=True)
    with written_whole(path_of(name, weights)) as partly:
        np.savez_compressed(
            partly,
            by=reference.by,
            centres=known.centres.astype(np.float32),
            precision=known.precision.astype(np.float32),
            threshold=reference.threshold,
            detected=reference.detected,
            checkpoint=checksum(name, weights),
        )


@lru_cache(maxsize=32)
def shipped(name: str, weights: str) -> Reference | None:
    """What comes with bundled weights; None where nothing does, where it is of another file, or damaged."""
    path = path_of(name, weights)
    if not path.is_file():
        return None
    try:
        with np.load(path) as file:
            if str(file["checkpoint"]) != checksum(name, weights):
                return None
            return Reference(
                by=str(file["by"]),
                known=Familiar(file["centres"], file["precision"]),
                threshold=float(file["threshold"]),
                detected=float(file["detected"]),
            )
    except DAMAGED as error:
        log.warning("%s is damaged: %s", path.name, error)
        return None


def familiarity(seen: Run, name: str, weights: str) -> Familiarity | None:
    """What is to be said of the picture of a pass; None where nothing is known of the weights."""
    reference = shipped(name, weights)
    return None if reference is None else reference.told(seen, weights)
