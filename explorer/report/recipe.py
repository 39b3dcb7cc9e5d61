"""The recipe of a report: what was asked, and what came out; and whether it comes out again."""

import hashlib
import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from torch import nn

from explorer import answers
from explorer.attribution.options import DEFAULTS, OPTIONS, Options
from explorer.attribution.registry import METHODS
from explorer.attribution.running import Attribution
from explorer.capture import Run
from explorer.engine.picture_store import Source
from explorer.errors import ChoiceError
from explorer.explorer import Explorer
from explorer.reweighting.branch_weights import branch_weights

FORMAT = 1
TOLERANCE = 1e-3  # of the largest number of each result; rounding differs between processors
PACKAGES = ("torch", "captum", "numpy", "einops")
LARGEST = 10_000_000  # bytes of a recipe
NUMBER = (int, float)
KINDS: Mapping[str, type | tuple[type, ...]] = MappingProxyType(
    {"whole": int, "class": int, "share": NUMBER, "choice": str, "layer": str}
)


@dataclass(frozen=True, kw_only=True)
class Question:
    """What a report is about; as it stands in the recipe."""

    model: str
    weights: str
    method: str = "integrated_gradients"
    target: int | None = None  # None is the likeliest class
    options: Options = DEFAULTS


@dataclass(frozen=True)
class Results:
    """What came out: one pass, and one map."""

    run: Run
    map: Attribution

    @property
    def numbers(self) -> dict[str, Any]:
        """Everything that is compared, by name, as lists."""
        shares = {block.block: block.mean.tolist() for block in branch_weights(self.run)}
        return {
            "logits": self.run.logits[0].tolist(),
            "shares": shares,
            "attribution": self.map.values.tolist(),
            "target": self.map.target,
        }


def asked(explorer: Explorer, picture: Source, question: Question) -> Results:
    """Ask all a report tells. Raises ExplorerError for what cannot be asked."""
    about = question.model, picture, question.weights
    *_, found = explorer.attribute(
        *about, method=question.method, target=question.target, options=question.options
    )
    return Results(explorer.inspect(*about), found)


def digest_of(model: nn.Module) -> str:
    """A name for the weights of a model: the SHA-256 of all its tensors, by their names."""
    summed = hashlib.sha256()
    for name, value in sorted(model.state_dict().items()):
        summed.update(name.encode())
        summed.update(value.detach().cpu().contiguous().numpy().tobytes())
    return summed.hexdigest()


def written(explorer: Explorer, picture: Source, question: Question, results: Results) -> dict[str, Any]:
    """The recipe, as plain data."""
    loaded = explorer.load(question.model, question.weights)
    return {
        "format": FORMAT,
        "versions": {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
        "picture": {"digest": explorer.digest(picture)},
        "model": question.model,
        "weights": question.weights,
        "weights_sha256": digest_of(loaded.model),
        "method": question.method,
        "target": results.map.target,
        "options": answers.options_read(question.method, question.options),
        "results": results.numbers,
    }


def read(path: Path) -> dict[str, Any]:
    """A recipe out of a file. Raises ChoiceError for what is none."""
    try:
        if path.stat().st_size > LARGEST:
            raise ChoiceError(f"{path} is too large for a recipe.")
        found = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ChoiceError(f"{path} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise ChoiceError(f"{path} is no recipe: it is not JSON.") from error
    needed = {
        "picture": dict,
        "model": str,
        "weights": str,
        "method": str,
        "target": int,
        "options": dict,
        "results": dict,
    }
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise ChoiceError(f"{path} is no recipe of format {FORMAT}.")
    for name, kind in needed.items():
        if not isinstance(found.get(name), kind):
            raise ChoiceError(f"{path} is no whole recipe: {name} is missing.")
    return found


def question_of(recipe: Mapping[str, Any]) -> Question:
    """What a recipe asks. Raises ChoiceError for a method or an option there is not."""
    if recipe["method"] not in METHODS:
        raise ChoiceError(f"There is no method {recipe['method']!r}.")
    for name, value in recipe["options"].items():
        if name not in OPTIONS:
            raise ChoiceError(f"There is no option {name}.")
        right = value is None or (
            isinstance(value, KINDS[OPTIONS[name].kind]) and not isinstance(value, bool)
        )
        if not right:
            raise ChoiceError(f"The option {name} cannot be {value!r}.")
    return Question(
        model=recipe["model"],
        weights=recipe["weights"],
        method=recipe["method"],
        target=recipe["target"],
        options=Options(**recipe["options"]),
    )


@dataclass(frozen=True)
class Replayed:
    """Whether a recipe came out again."""

    agrees: bool
    worst: float  # the largest difference, as a part of the largest number of its result
    tolerance: float
    differences: Mapping[str, float]  # by result


def replay(explorer: Explorer, recipe: Mapping[str, Any], picture: Source) -> Replayed:
    """Ask again what a recipe asked, and compare.

    Raises ChoiceError for another picture or other weights, as nothing could be learned from them.
    """
    if explorer.digest(picture) != recipe["picture"].get("digest"):
        raise ChoiceError("This is not the picture of the recipe: its pixels are others.")
    question = question_of(recipe)
    loaded = explorer.load(question.model, question.weights)
    if digest_of(loaded.model) != recipe.get("weights_sha256"):
        raise ChoiceError(
            f"The weights {question.weights!r} of {question.model} here are not those of the recipe."
        )
    now, before = asked(explorer, picture, question).numbers, recipe["results"]
    differences = {name: difference(now[name], before.get(name)) for name in now}
    worst = max(differences.values())
    return Replayed(worst <= TOLERANCE, worst, TOLERANCE, differences)


def difference(now: Any, before: Any) -> float:
    """The largest difference of two results, as a part of the largest number; infinite for other shapes."""
    if isinstance(now, dict):
        if not isinstance(before, dict) or now.keys() != before.keys():
            return float("inf")
        return max((difference(now[key], before[key]) for key in now), default=0.0)
    try:
        one, other = np.asarray(now, float), np.asarray(before, float)
    except (TypeError, ValueError):
        return float("inf")
    if one.shape != other.shape:
        return float("inf")
    apart = float(np.abs(one - other).max()) / max(float(np.abs(one).max()), 1e-12)
    return apart if np.isfinite(apart) else float("inf")
