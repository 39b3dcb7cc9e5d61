"""The command line: `python -m explorer gates timm:resnest14d`, with `--json` for programs.

Ends with 0, or with 2 and one sentence on standard error for what a person did wrong.
"""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

from explorer.any_model.find import Found
from explorer.any_model.gates import FoundGate
from explorer.errors import ExplorerError
from explorer.explorer import Explorer
from models.registry import card

LINE = "{:<36} {:<11} {:<28} {:<16} {:<14} {}\n"


def main(words: list[str] | None = None) -> int:
    asked = parser().parse_args(words)
    try:
        text, data = COMMANDS[asked.command](Explorer(asked.device), asked)
    except ExplorerError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    told = json.dumps(data, indent=2) + "\n" if asked.json else text
    if asked.out:
        asked.out.mkdir(parents=True, exist_ok=True)
        (asked.out / f"{asked.command}.{'json' if asked.json else 'txt'}").write_text(told, "utf-8")
    sys.stdout.write(told)
    return 0


def parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", action="store_true", help="one object or list on standard output")
    common.add_argument("--out", type=Path, metavar="DIR", help="keep what is printed in this folder as well")
    common.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:1")
    ask = argparse.ArgumentParser(prog="python -m explorer", description="See inside vision backbones.")
    commands = ask.add_subparsers(dest="command", required=True)
    gates = commands.add_parser("gates", parents=[common], help="print the gates of a model")
    gates.add_argument("model", help="a listed name, timm:NAME, or module:function")
    gates.add_argument("--weights", help="a name the model lists, random, or the path of a checkpoint")
    return ask


def gates(explorer: Explorer, asked: argparse.Namespace) -> tuple[str, list[dict]]:
    """The gates of a model in the order of a pass; without weights asked for, the model's usual ones."""
    explorer.engine.models.join(asked.model)
    found = explorer.found(asked.model, asked.weights or usual(explorer, asked.model))
    return table(found), [row(gate) for gate in found.gates]


def usual(explorer: Explorer, model: str) -> str | None:
    """The weights to take where none are asked for: what stands in a gate does not depend on them."""
    explorer.labels(model)  # refuses a name that is none
    return None if card(model).usual or card(model).weights else "random"


def row(gate: FoundGate) -> dict:
    return {
        "module": gate.module,
        "kind": gate.kind,
        "axes": list(gate.axes),
        "shape": list(gate.shape),
        "activation": gate.activation,
        "applied_to": gate.applied_to,
        "sure": gate.sure,
    }


def table(found: Found) -> str:
    lines = [LINE.format("module", "kind", "axes", "shape", "activation", "applied to")]
    for gate in found.gates:
        shape = " x ".join(map(str, gate.shape))
        where = gate.applied_to or "(the model itself)"
        lines.append(LINE.format(gate.module, gate.kind, " ".join(gate.axes), shape, gate.activation, where))
    likely = sum(gate.sure != "sure" for gate in found.gates)
    said = f"{len(found.gates)} gates, {likely} of them told by a product alone; {len(found.layers)} layers"
    left = [f"{layer.module}: {layer.why}" for layer in found.undecided]
    return (
        "".join(lines)
        + f"{said}, the layout of {len(left)} undecided.\n"
        + "".join(f"{one}\n" for one in left)
    )


COMMANDS: dict[str, Callable[[Explorer, argparse.Namespace], tuple[str, list[dict]]]] = {"gates": gates}

if __name__ == "__main__":
    sys.exit(main())
