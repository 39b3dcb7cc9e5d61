"""`survey`: a row for each of many pictures, as Parquet."""

import argparse
import re
from pathlib import Path
from typing import Any

from tqdm import tqdm

from explorer.command_line.asked import Answered
from explorer.command_line.drawings import as_png
from explorer.errors import ExplorerError
from explorer.explorer import Explorer
from explorer.figures.shares import over_training
from explorer.report.language import localised, speaks_chinese
from explorer.report.survey_page import survey_report
from explorer.survey import survey as going
from explorer.survey.found import Rows, mean_shares
from explorer.survey.question import Question

OFTEN = 0.2  # seconds between two lines of progress


def survey(explorer: Explorer, asked: argparse.Namespace) -> Answered:
    """Go over all pictures of a source; what is no picture is told of and stops nothing."""
    if asked.out is None:
        raise ExplorerError("A survey needs --out DIR, the folder it is written to.")
    if asked.checkpoints:
        return over_checkpoints(explorer, asked)
    return of_one(explorer, asked, asked.weights, asked.out)


def over_checkpoints(explorer: Explorer, asked: argparse.Namespace) -> Answered:
    """A survey with each file of weights, in the order of the numbers in their names, and a figure."""
    files = sorted(asked.checkpoints, key=lambda file: numbered(file.stem))
    if asked.weights or len({file.stem for file in files}) < len(files):
        raise ExplorerError("Checkpoints take the place of --weights, and each needs a name of its own.")
    answered = [of_one(explorer, asked, str(file), asked.out / file.stem) for file in files]
    for file, one in zip(files, answered, strict=True):
        for name, content in one.files.items():
            (asked.out / file.stem / name).write_bytes(content)
    each = [mean_shares(Rows.read(Path(one.data["parquet"]))) for one in answered]
    if not each[0]:
        raise ExplorerError(f"{asked.model} has neither branches nor gates to draw over checkpoints.")
    drawing = over_training([file.stem for file in files], each)
    figure = asked.out / "checkpoints.png"
    data = {"figure": str(figure), "surveys": [one.data for one in answered]}
    return Answered(
        "".join(one.text for one in answered) + f"{figure}\n", data, {figure.name: as_png(drawing)}
    )


def numbered(name: str) -> list[tuple[int, str]]:
    """The parts of a name, numbers by their size: epoch-2 comes before epoch-10."""
    parts = re.findall(r"\d+|\D+", name)
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]


def of_one(explorer: Explorer, asked: argparse.Namespace, weights: str | None, out: Path) -> Answered:
    """A survey with one set of weights, written to a folder."""
    question = Question(
        source=asked.source,
        model=asked.model,
        weights=explorer.load(asked.model, weights).weights,
        methods=tuple(asked.methods.split(",")) if asked.methods else (),
        batch=asked.batch,
        workers=asked.workers,
        ray=asked.ray,
    )
    told = followed(explorer, question, out, resume=asked.resume)
    unreadable = [{"name": one["name"], "reason": one["reason"]} for one in told["unreadable"]]
    parquet = out / going.FILE
    report = parquet.with_suffix(".html")
    data = {
        "parquet": str(parquet),
        "report": str(report),
        "rows": told["rows"],
        "unreadable": unreadable,
        **{name: told[name] for name in ("source", "model", "weights", "methods")},
    }
    lines = [
        f"{parquet}: {told['rows']} pictures",
        *(f"{one['name']}: {localised(one['reason'])}" for one in unreadable),
    ]
    text = "".join(f"{line}\n" for line in [*lines, str(report)])
    html = survey_report(parquet, asked.beside, chinese=speaks_chinese())
    return Answered(text, data, {report.name: html.encode()})


def followed(explorer: Explorer, question: Question, out: Path, *, resume: bool) -> dict[str, Any]:
    """What the survey says of itself, with rate and time left on standard error while it runs."""
    with tqdm(unit="picture", mininterval=OFTEN, smoothing=0.05) as bar:
        try:
            for number, so_far in enumerate(going.survey(explorer, question, out, resume=resume)):
                if number == 0:
                    bar.total, bar.initial, bar.n = so_far.total, so_far.already, so_far.already
                bar.update(so_far.done - bar.n)
        except KeyboardInterrupt:
            raise ExplorerError(
                f"Stopped after about {bar.n} pictures; --resume goes on from there."
            ) from None
    return so_far.told
