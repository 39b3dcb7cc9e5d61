"""Print the table: `python -m benchmarks`, or some parts of it: `python -m benchmarks core page`.

With `--peers` timm and Captum are measured beside ours; with `--write` the rows go into RESULTS.md, too.
"""

import argparse
import sys
from collections.abc import Callable, Iterable

from benchmarks.attribution import attribution
from benchmarks.core import core
from benchmarks.decoding import decoding
from benchmarks.forward import forward
from benchmarks.growth import growth
from benchmarks.idle import idle
from benchmarks.inputs import inputs
from benchmarks.maps import maps
from benchmarks.memory import memory
from benchmarks.mixing import mixing
from benchmarks.page import page
from benchmarks.peers import peers
from benchmarks.results import write
from benchmarks.reweighting import reweighting
from benchmarks.survey import survey
from benchmarks.survey_ray import survey_ray, survey_scheduler
from benchmarks.throughput import throughput
from benchmarks.timing import Row
from benchmarks.turns import turns
from benchmarks.walk import walk_costs

PARTS = {
    "core": core,
    "forward": forward,
    "inputs": inputs,
    "decoding": decoding,
    "idle": idle,
    "turns": turns,
    "reweighting": reweighting,
    "attribution": attribution,
    "walk": walk_costs,
    "maps": maps,
    "mixing": mixing,
    "survey": survey,
    "page": page,
    "memory": memory,
    "throughput": throughput,
    "growth": growth,
}

OTHERS = {"peers": peers}
BY_NAME = {"survey-ray": survey_ray, "survey-scheduler": survey_scheduler}  # need Ray


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument(
        "parts",
        nargs="*",
        metavar="part",
        help=f"of {', '.join({**PARTS, **OTHERS, **BY_NAME})}; else all but the last two",
    )
    ask.add_argument("--peers", action="store_true", help="timm and Captum beside ours")
    ask.add_argument("--write", action="store_true", help="into benchmarks/RESULTS.md")
    asked = ask.parse_args()
    known: dict[str, Callable[[], Iterable[Row]]] = {**PARTS, **OTHERS, **BY_NAME}
    unknown = [part for part in asked.parts if part not in known]
    if unknown:
        ask.error(f"there is no part {', '.join(unknown)}; there is {', '.join(known)}")
    for name in [*(asked.parts or (() if asked.peers else PARTS)), *(OTHERS if asked.peers else ())]:
        rows: list[Row] = []
        for row in known[name]():
            rows.append(row)
            sys.stdout.write(f"{row}\n")
            sys.stdout.flush()
        if asked.write:
            write({name: rows})


if __name__ == "__main__":
    main()
