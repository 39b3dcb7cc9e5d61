"""Print the table: `python -m benchmarks`, or one part of it: `python -m benchmarks core`."""

import sys

from benchmarks.attribution import attribution
from benchmarks.core import core
from benchmarks.decoding import decoding
from benchmarks.forward import forward
from benchmarks.idle import idle
from benchmarks.inputs import inputs
from benchmarks.maps import maps
from benchmarks.mixing import mixing
from benchmarks.page import page
from benchmarks.reweighting import reweighting
from benchmarks.survey import survey
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
}

if __name__ == "__main__":
    for name in sys.argv[1:] or PARTS:
        for line in PARTS[name]():
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
