"""What ships: all nanos by every protocol, as far as a file of results goes.

`python -m explorer.attribution.benchmark.shipped results.json --photographs FOLDER` measures what is missing
in the file, for as many minutes as it is given, and writes `assets/measured.json` from all that is there;
rows that ship already stay unless they were measured again. `--deleted FOLDER` names weights trained with
cells missing, MODEL.safetensors, which do not ship; `--only PROTOCOL ...` leaves the others alone.
"""

import argparse
import json
import sys
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from explorer.attribution.benchmark.intervals import Interval
from explorer.attribution.benchmark.measure import Row
from explorer.attribution.benchmark.protocols import PROTOCOLS, Examined
from explorer.attribution.benchmark.results import as_row, measured, read, versions
from explorer.attribution.benchmark.truth_lab import OPTIONS, nanos
from explorer.engine.engine import Engine
from explorer.errors import ChoiceError
from models import card
from models.registry import ASSETS
from models.whole_files import written_whole

PATH = ASSETS / "measured.json"
METHODS = (
    *("saliency", "input_x_gradient", "integrated_gradients"),
    *("grad_cam", "hires_cam", "layer_cam", "finer_cam", "occlusion", "hsic", "attn_lrp"),
)
ALSO = (  # of which it is measured what is left without the weights
    *("smooth_grad", "var_grad", "gradient_shap", "expected_gradients", "deep_lift", "deep_lift_shap"),
    *(
        "guided_backprop",
        "deconvolution",
        "guided_grad_cam",
        "grad_cam_plus_plus",
        "score_cam",
        "lrp",
    ),
)
PICTURES = 6
OTHERWISE = {
    "randomised": 4,
    "difull": 8,
    "gridpg": 8,
    "suppressor": 12,
    "suppressor_by_hand": 12,
    "idsds": 16,
    "deletion": 12,
}
FIRST = ("difull", "deletion", "distractibility", "target_sensitivity", "planted", "by_hand", "gridpg")
OF_PHOTOGRAPHS = ("difull", "gridpg", "srg", "randomised")  # no cause is known
WITH_OTHER_WEIGHTS = ("idsds",)  # which do not ship


@dataclass(frozen=True)
class Shipped:
    """One method by one protocol on one model, as shipped."""

    protocol: str
    model: str
    source: str
    method: str
    found: Interval | None
    bar: float | None  # the upper end of the best control's interval
    pictures: int
    reason: str

    @property
    def clears(self) -> bool:
        return self.found is not None and self.bar is not None and self.found.low > self.bar


def summary(row: Row) -> list[Any]:
    """A row as it ships: its names, interval and bar in thousandths, how many pictures, the reason."""
    found = row.found
    ends = None if found is None else [round(1000 * one) for one in (found.value, found.low, found.high)]
    bar = None if row.bar is None else round(1000 * row.bar)
    return [row.protocol, row.model, row.source, row.method, ends, bar, row.pictures, row.reason]


def from_summary(row: list[Any]) -> Shipped:
    protocol, model, source, method, ends, bar, pictures, reason = row
    found = None if ends is None else Interval(*(one / 1000 for one in ends))
    at = None if bar is None else bar / 1000
    return Shipped(protocol, model, source, method, found, at, pictures, reason)


@cache
def shipped() -> tuple[Shipped, ...]:
    """All that ships. Raises ChoiceError where the file is missing or damaged."""
    try:
        rows = json.loads(PATH.read_text("utf-8"))["rows"]
        return tuple(from_summary(row) for row in rows)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ChoiceError("The shipped results of the benchmark are missing or damaged.") from error


def questions(
    photographs: Path | None, deleted: Path | None = None
) -> Iterator[tuple[str, str, Path | None, str]]:
    """Protocol, model, folder and weights, so that what is cut short has measured all models alike."""
    order = (*FIRST, *(name for name in PROTOCOLS if name not in (*FIRST, *WITH_OTHER_WEIGHTS)))
    for protocol in order:
        yield from ((protocol, name, None, "scenes") for name in nanos())
    for protocol in WITH_OTHER_WEIGHTS if deleted else ():
        yield from ((protocol, name, None, f"{deleted}/{name}.safetensors") for name in nanos())
    for protocol in OF_PHOTOGRAPHS if photographs else ():
        names = (name for name in nanos() if "cifar10" in card(name).weights)
        yield from ((protocol, name, photographs, "cifar10") for name in names)


def asked_of(protocol: str) -> int:
    """How many pictures or grids a protocol is asked with."""
    return OTHERWISE.get(protocol, PICTURES)


def methods_of(protocol: str, folder: Path | None) -> tuple[str, ...]:
    """The methods that are measured by a protocol on scenes or on photographs."""
    return (*METHODS, *ALSO) if protocol == "randomised" and folder is None else METHODS


def measure(
    path: Path,
    photographs: Path | None,
    minutes: float,
    deleted: Path | None = None,
    only: Collection[str] = tuple(PROTOCOLS),
) -> None:
    """Measure what is missing until the time is over; every row is kept at once."""
    models, start = Engine("cpu").models, time.monotonic()
    for protocol, name, folder, weights in questions(photographs, deleted):
        if protocol not in only:
            continue
        examined = Examined(models.load(name, weights), asked_of(protocol), folder)
        try:
            for _ in measured(examined, protocol, methods_of(protocol, folder), OPTIONS, path=path):
                if time.monotonic() - start > 60 * minutes:
                    return
        except ChoiceError as error:
            sys.stdout.write(f"{protocol} {name} {weights}: {error}\n")


def write(path: Path) -> None:
    """Make what ships from a file of results; what ships of the same weights stays if it is not in there."""
    kept = list(read(path).values())
    known = json.loads(PATH.read_text("utf-8"))
    checkpoints = {**known["checkpoints"], **{weights_of(one): one["checkpoint"] for one in kept}}
    rows = {tuple(row[:4]): row for row in known["rows"] if not is_of_others(row, known, checkpoints)}
    rows |= {tuple(made[:4]): made for made in (summary(as_row(one)) for one in kept)}
    head = {"versions": versions(), "checkpoints": checkpoints, "options": asdict(OPTIONS)}
    lines = ",\n".join(json.dumps(rows[name], separators=(",", ":")) for name in sorted(rows))
    with written_whole(PATH) as partly:
        partly.write_text(f'{json.dumps(head)[:-1]}, "rows": [\n{lines}\n]}}\n', "utf-8")


def weights_of(entry: Mapping[str, Any]) -> str:
    """How the weights that a row was measured with are called in what ships."""
    other = entry["protocol"] in WITH_OTHER_WEIGHTS
    return f"{entry['model']}/{'deleted' if other else entry['weights']}"


def is_of_others(row: list[Any], known: Mapping[str, Any], checkpoints: Mapping[str, str]) -> bool:
    """Whether a row that ships is of weights other than those that were measured now."""
    protocol, model, source = row[:3]
    weights = "scenes" if source == "scenes" else "cifar10"
    name = weights_of({"protocol": protocol, "model": model, "weights": weights})
    return known["checkpoints"].get(name) != checkpoints.get(name)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path)
    parser.add_argument("--photographs", type=Path, metavar="FOLDER")
    parser.add_argument("--deleted", type=Path, metavar="FOLDER")
    parser.add_argument("--only", nargs="+", choices=tuple(PROTOCOLS), default=tuple(PROTOCOLS))
    parser.add_argument("--minutes", type=float, default=600)
    asked = parser.parse_args()
    measure(asked.results, asked.photographs, asked.minutes, asked.deleted, asked.only)
    write(asked.results)
