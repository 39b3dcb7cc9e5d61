"""`survey`: a row for each of many pictures, as Parquet."""

import argparse
from typing import Any

from tqdm import tqdm

from explorer.command_line.asked import Answered
from explorer.errors import ExplorerError
from explorer.explorer import Explorer
from explorer.report.survey_page import survey_report
from explorer.survey import survey as going
from explorer.survey.question import Question

OFTEN = 0.2  # seconds between two lines of progress


def survey(explorer: Explorer, asked: argparse.Namespace) -> Answered:
    """Go over all pictures of a source; what is no picture is told of and stops nothing."""
    if asked.out is None:
        raise ExplorerError("A survey needs --out DIR, the folder it is written to.")
    question = Question(
        source=asked.source,
        model=asked.model,
        weights=explorer.load(asked.model, asked.weights).weights,
        methods=tuple(asked.methods.split(",")) if asked.methods else (),
        batch=asked.batch,
        workers=asked.workers,
    )
    told = followed(explorer, question, asked)
    unreadable = [{"name": one["name"], "reason": one["reason"]} for one in told["unreadable"]]
    parquet = asked.out / going.FILE
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
        *(f"{one['name']}: {one['reason']}" for one in unreadable),
    ]
    text = "".join(f"{line}\n" for line in [*lines, str(report)])
    return Answered(text, data, {report.name: survey_report(parquet).encode()})


def followed(explorer: Explorer, question: Question, asked: argparse.Namespace) -> dict[str, Any]:
    """What the survey says of itself, with rate and time left on standard error while it runs."""
    with tqdm(unit="picture", mininterval=OFTEN, smoothing=0.05) as bar:
        try:
            for so_far in going.survey(explorer, question, asked.out, resume=asked.resume):
                if bar.total is None:
                    bar.total, bar.initial, bar.n = so_far.total, so_far.already, so_far.already
                bar.update(so_far.done - bar.n)
        except KeyboardInterrupt:
            raise ExplorerError(
                f"Stopped after about {bar.n} pictures; --resume goes on from there."
            ) from None
    return so_far.told
