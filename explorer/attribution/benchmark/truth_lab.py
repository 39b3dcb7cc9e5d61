"""The truth lab: where the cause of a picture is known, which methods find it, in which families.

The table over 100 held-out scenes is computed once and shipped; the page can compute a row of it again.
`python -m explorer.attribution.benchmark.truth_lab` makes all of it again, `--only vip_nano` that of one,
`--methods attn_lrp` the row of one.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

import numpy as np
import torch
from PIL import Image

from explorer.attribution.applicability import preflight
from explorer.attribution.localization import Localisation, localised
from explorer.attribution.options import Options
from explorer.attribution.registry import METHODS
from explorer.attribution.running import attributions
from explorer.errors import ChoiceError
from explorer.pictures import to_image
from explorer.reweighting.reference_shares import checksum
from models import card, create, list_models, scenes
from models.registry import ASSETS
from models.whole_files import written_whole

PATH = ASSETS / "truth.json"
SEEDS = range(100)  # of the held-out scenes
# Lighter than usual where a method asks the model hundreds of times; the same for all families.
OPTIONS = Options(steps=25, samples=12, cells=8, segments=36, draws=120, orders=3, channels=32)


@dataclass(frozen=True)
class Score:
    """How well one method finds the causes for one model, over `scenes` scenes so far."""

    pointing: float  # share of scenes whose largest value lies on the cause
    mass: float  # mean share of the positive values on it
    rank_accuracy: float  # mean share of the largest values on it
    scenes: int


def scored(found: Sequence[Localisation]) -> Score:
    return Score(
        float(np.mean([one.pointing for one in found])),
        float(np.mean([one.mass for one in found])),
        float(np.mean([one.rank_accuracy for one in found])),
        len(found),
    )


def scores(
    model: torch.nn.Module, name: str, method: str, seeds: Sequence[int] = SEEDS, options: Options = OPTIONS
) -> Iterator[Score]:
    """The score over the scenes so far, one scene more each time; the class explained is the true one."""
    preprocess = card(name).weights["scenes"].preprocess
    device = next(model.parameters()).device
    found: list[Localisation] = []
    for seed in seeds:
        scene = scenes.draw(seed, preprocess.size)
        image, _ = to_image(Image.fromarray(scene.picture), preprocess)
        *_, made = attributions(
            model, image.to(device), preprocess, method=method, target=scene.label, options=options
        )
        found.append(localised(made.values, scene.mask))
        yield scored(found)


def nanos() -> list[str]:
    return [name for name in list_models() if "scenes" in card(name).weights]


@cache
def shipped() -> dict:
    """The table as shipped: scenes, options, checkpoints, and rows `{method: {model: score or reason}}`."""
    try:
        table = json.loads(PATH.read_text("utf-8"))
        return {"scenes": table["scenes"], "rows": dict(table["rows"]), **table}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ChoiceError("The shipped table of the truth lab is missing or damaged.") from error


def row(method: str) -> dict[str, Score | str]:
    """A method's scores by model, or in a sentence why it has none."""
    known = shipped()["rows"].get(method, {})
    return {name: one if isinstance(one, str) else Score(**one) for name, one in known.items()}


def compute(names: list[str], methods: list[str]) -> None:
    """Compute the rows of some models and methods anew; the others stay as shipped."""
    known: dict[str, Any] = shipped() if PATH.exists() else {"checkpoints": {}, "rows": {}}
    table: dict[str, Any] = {
        "scenes": len(SEEDS),
        "options": asdict(OPTIONS),
        "checkpoints": {**known["checkpoints"], **{name: checksum(name) for name in names}},
        "rows": {method: known["rows"][method] for method in METHODS if method in known["rows"]},
    }
    for method in methods:
        table["rows"][method] = dict(known["rows"].get(method, {}))
        for name in names:
            model = create(name, "scenes").requires_grad_(False)
            verdict = preflight(model, card(name).preprocess, method, torch.device("cpu"))
            if verdict.level == "meaningless":
                table["rows"][method][name] = verdict.reason
                continue
            *_, last = scores(model, name, method)
            table["rows"][method][name] = asdict(last)
            sys.stdout.write(f"{method} {name} {last}\n")
            sys.stdout.flush()
    with written_whole(PATH) as partly:
        partly.write_text(json.dumps(table, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--only", choices=nanos(), nargs="+", help="the others stay as shipped")
    parser.add_argument("--methods", choices=list(METHODS), nargs="+", default=list(METHODS))
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    compute(asked.only or nanos(), asked.methods)
