"""What each command does: ask the library, and say the answer to people and to programs."""

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from explorer import answers
from explorer.attribution.registry import METHODS
from explorer.command_line import benchmark, gates, reports, surveys
from explorer.command_line.arguments import options_of
from explorer.command_line.asked import Answered, each_picture, last
from explorer.command_line.drawings import drawn_map, drawn_shares
from explorer.explorer import Explorer

Command = Callable[[Explorer, argparse.Namespace], Answered]


def about(explorer: Explorer, asked: argparse.Namespace) -> tuple[str, str]:
    """Model and weights by name; without weights asked for, the usual ones. Raises ChoiceError."""
    return asked.model, explorer.load(asked.model, asked.weights).weights


def inspect(explorer: Explorer, asked: argparse.Namespace) -> Answered:
    model, weights = about(explorer, asked)

    def answer(picture: str) -> dict[str, Any]:
        run = explorer.inspect(model, picture, weights)
        return {
            "picture": picture,
            "digest": explorer.digest(picture),
            "model": model,
            "weights": weights,
            "predictions": answers.classes(explorer.predict(model, picture, weights)),
            "seconds": run.seconds,
        }

    found, refused = each_picture(asked, answer)
    lines = [
        f"{picture}: " + ", ".join(f"{one['label']} {one['probability']:.1%}" for one in told["predictions"])
        for picture, told in found
    ]
    return Answered("\n".join(lines) + "\n", [told for _, told in found], refused=refused)


def attribute(explorer: Explorer, asked: argparse.Namespace) -> Answered:
    model, weights = about(explorer, asked)
    options = options_of(asked)
    settings = {"target": asked.target, "options": options}
    files: dict[str, bytes] = {}

    def answer(picture: str) -> dict[str, Any]:
        parts = explorer.attribute(model, picture, weights, method=asked.method, **settings)
        whole = last(parts, asked.method)
        files.update(drawn_map(Path(picture).stem, whole))
        return {
            "picture": picture,
            "model": model,
            "weights": weights,
            **answers.attribution(whole),
            "unit": METHODS[asked.method].unit,
            "options": answers.options_read(asked.method, options),
        }

    found, refused = each_picture(asked, answer)
    lines = [f"{picture}: {map_told(told)}" for picture, told in found]
    return Answered("\n".join(lines) + "\n", one_or_all(found), files, refused=refused)


def map_told(told: dict[str, Any]) -> str:
    """One line about a map: its class, where it is strongest, and what must be said of it."""
    values = np.array(told["values"])
    row, column = np.unravel_index(np.abs(values).argmax(), values.shape)
    strongest = f"strongest at row {row}, column {column} of {values.shape[0]} x {values.shape[1]}"
    return f"{told['label']}, {strongest}: {values[row, column]:.4g} {told['unit']}" + (
        f" ({told['warning']})" if told["warning"] else ""
    )


def reweight(explorer: Explorer, asked: argparse.Namespace) -> Answered:
    model, weights = about(explorer, asked)
    files: dict[str, bytes] = {}

    def answer(picture: str) -> dict[str, Any]:
        told = answers.shares(model, weights, explorer.inspect(model, picture, weights))
        files.update(drawn_shares(Path(picture).stem, told))
        return {"picture": picture, **told}

    found, refused = each_picture(asked, answer)
    text = "".join(f"{picture}\n{shares_told(told)}" for picture, told in found)
    return Answered(text, one_or_all(found), files, refused=refused)


def shares_told(told: dict[str, Any]) -> str:
    """A line for each block: the mean share of every branch."""
    return "".join(
        f"  {block['block']:<36} "
        + "  ".join(
            f"{name} {share:.1%}" for name, share in zip(block["branches"], block["mean"], strict=True)
        )
        + "\n"
        for block in told["blocks"]
    )


def knock_out(explorer: Explorer, asked: argparse.Namespace) -> Answered:
    model, weights = about(explorer, asked)

    def answer(picture: str) -> dict[str, Any]:
        parts = explorer.knock_out(model, picture, weights, target=asked.target, mode=asked.mode)
        table = last(parts, "knock-out")
        label = explorer.labels(model, weights)[table.target]
        told = {
            "picture": picture,
            "model": model,
            "weights": weights,
            "target": table.target,
            "label": label,
        }
        return {**told, "mode": table.mode, "logit": table.logit, **answers.knocked_out(table)}

    found, refused = each_picture(asked, answer)
    text = "".join(f"{picture}: {told['label']}\n{knock_outs_told(told)}" for picture, told in found)
    return Answered(text, one_or_all(found), refused=refused)


def knock_outs_told(told: dict[str, Any]) -> str:
    """A line for each block: what the logit changes by without each branch."""
    return "".join(
        f"  {block:<36} "
        + "  ".join(f"{name} {change:+.3f}" for name, change in zip(told["branches"], row, strict=True))
        + "\n"
        for block, row in zip(told["blocks"], told["delta"], strict=True)
    )


def one_or_all(found: list[tuple[str, dict[str, Any]]]) -> Any:
    """The answer about one picture as it is, about several as a list."""
    return found[0][1] if len(found) == 1 else [told for _, told in found]


COMMANDS: Mapping[str, Command] = MappingProxyType(
    {
        "inspect": inspect,
        "attribute": attribute,
        "reweight": reweight,
        "knock-out": knock_out,
        "report": reports.report,
        "replay": reports.replay,
        "survey": surveys.survey,
        "gates": gates.gates,
        "benchmark": benchmark.benchmark,
    }
)
