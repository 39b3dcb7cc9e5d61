"""What a survey found, as one HTML file that needs nothing else."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from explorer.errors import ExplorerError
from explorer.figures.class_shares import separability, through_depth
from explorer.figures.raster import data_uri
from explorer.pictures import open_picture
from explorer.report.language import page_in_chinese
from explorer.report.page import TEMPLATES, drawn
from explorer.survey import found, odd
from explorer.survey.found import ByClass, Rows
from explorer.survey.sources import items
from models.layer_names import short

ODD, PAIRS = 12, 6
SIDE = 96  # pixels of a thumbnail
CERTAIN = 0.05
MOST_LISTED = 100  # pictures that could not be read


@dataclass(frozen=True)
class Shown:
    """One picture of the report."""

    name: str
    label: str
    predicted: str
    value: str  # what it is shown for
    picture: str | None  # the address of a small copy; None where it cannot be had any more


def survey_report(place: Path, *, chinese: bool = False) -> str:
    """The HTML about a survey at `place`. Raises ExplorerError for what is none."""
    rows = Rows.read(place)
    classes, compared = found.by_class(rows) if len(rows) else ([], ())
    oddest, pairs = chosen(rows)
    small = thumbnails(rows, {*oddest, *(one for first, second, _ in pairs for one in (first, second))})
    strange = odd.unusual(rows) if oddest else np.zeros(0)
    about = rows.about
    html = TEMPLATES.get_template("survey.html").render(
        about=about,
        looked_at=len(rows),
        by_label=any(rows.columns["label"]),
        classes=classes,
        depth=[drawn(figure, chinese=chinese) for figure in through(classes, compared)],
        compared=sorted(compared, key=lambda one: one.probability),
        separability=drawn(told_apart(compared), chinese=chinese) if compared else None,
        certain=CERTAIN,
        channels=found.channels(rows),
        accuracy=found.accuracy(rows),
        odd=[shown(rows, one, f"{strange[one]:.2f}", small) for one in oddest],
        foreign="foreignness" in rows.columns,
        pairs=[tuple(shown(rows, one, f"{cosine:.3f}", small) for one in both) for *both, cosine in pairs],
        scores=scores(rows),
        unreadable=about["unreadable"][:MOST_LISTED],
        short=short,
    )
    return page_in_chinese(html) if chinese else html


def chosen(rows: Rows) -> tuple[list[int], list[tuple[int, int, float]]]:
    """The oddest pictures, oddest first, and the pairs nearest to each other; none without features."""
    if len(rows) < 2 or "embedding" not in rows.columns:
        return [], []
    order = np.argsort(-odd.unusual(rows), kind="stable")[:ODD]
    return [int(one) for one in order], odd.pairs(rows, PAIRS)


def through(classes: list[str], compared: Sequence[ByClass]) -> Iterable[Any]:
    """A figure for each kind of blocks with the same branches."""
    for branches in dict.fromkeys(one.branches for one in compared):
        alike = [one for one in compared if one.branches == branches]
        yield through_depth(
            classes,
            branches,
            [short(one.compared.block) for one in alike],
            np.stack([one.compared.means for one in alike]),
            np.stack([one.low for one in alike]),
            np.stack([one.high for one in alike]),
        )


def told_apart(compared: Sequence[ByClass]) -> Any:
    return separability(
        [short(one.compared.block) for one in compared],
        np.array([one.compared.explained for one in compared]),
        np.array([one.probability <= CERTAIN for one in compared]),
    )


def shown(rows: Rows, row: int, value: str, small: dict[int, str]) -> Shown:
    predicted = rows.predicted
    return Shown(
        rows.columns["name"][row],
        rows.columns["label"][row] or "",
        predicted[row] if predicted else "",
        value,
        small.get(row),
    )


def thumbnails(rows: Rows, wanted: set[int]) -> dict[int, str]:
    """Small copies of some rows' pictures, by row; of those that can still be had."""
    sought = {int(rows.columns["index"][row]): row for row in wanted}
    made: dict[int, str] = {}
    try:
        for index, item in enumerate(items(rows.about["source"])):
            if len(made) == len(sought):
                break
            if index in sought and item.name == rows.columns["name"][sought[index]]:
                made[sought[index]] = thumbnail(item.read())
    except ExplorerError:  # the source has gone, or is another one now
        return made
    return made


def thumbnail(data: bytes) -> str:
    picture = open_picture(data)
    picture.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    return data_uri(np.asarray(picture))


def scores(rows: Rows) -> list[tuple[str, np.ndarray, int]]:
    """Of each scored method the mean of its scores and of its controls, and over how many pictures."""
    made = []
    for name, values in rows.columns.items():
        if name.startswith("scores:"):
            told = values[np.isfinite(values).all(axis=1)]
            if len(told):
                made.append((name.removeprefix("scores:"), told.mean(axis=0), len(told)))
    return made
