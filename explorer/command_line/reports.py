"""`report` and `replay`: a picture and a model as one file, and whether its numbers come out again."""

import argparse
import json
from dataclasses import asdict

from explorer.command_line.arguments import options_of
from explorer.command_line.asked import Answered
from explorer.errors import ExplorerError
from explorer.explorer import Explorer
from explorer.report import page, recipe
from explorer.report.language import speaks_chinese


def report(explorer: Explorer, asked: argparse.Namespace) -> Answered:
    """The report at `--out FILE.html`, and the recipe beside it as `FILE.recipe.json`."""
    if asked.out is None or asked.out.suffix.lower() not in (".html", ".htm"):
        raise ExplorerError("A report needs --out FILE.html, the file it becomes.")
    if len(asked.pictures) != 1:
        raise ExplorerError("A report is about one picture.")
    question = recipe.Question(
        model=asked.model,
        weights=explorer.load(asked.model, asked.weights).weights,
        method=asked.method,
        target=asked.target,
        options=options_of(asked),
    )
    html, made = page.report(explorer, asked.pictures[0], question, chinese=speaks_chinese())
    beside = asked.out.with_suffix(".recipe.json").name
    told = {
        "report": str(asked.out),
        "recipe": str(asked.out.with_name(beside)),
        "digest": made["picture"]["digest"],
    }
    files = {asked.out.name: html.encode(), beside: (json.dumps(made, indent=1) + "\n").encode()}
    return Answered(f"{asked.out}\n", told, files, document=True)


def replay(explorer: Explorer, asked: argparse.Namespace) -> Answered:
    found = recipe.replay(explorer, recipe.read(asked.recipe), asked.picture)
    said = "agree" if found.agrees else "do not agree"
    apart = f"they differ by {found.worst:.1e} at most; up to {found.tolerance:.0e} is rounding"
    return Answered(f"The numbers {said}: {apart}.\n", asdict(found))
