"""What a survey found, as one HTML file that needs nothing else."""

from collections.abc import Iterable, Mapping, Sequence
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
from explorer.survey import found
from explorer.survey.drift import SURVEYS, drift
from explorer.survey.found import ByClass, Rows
from explorer.survey.seen import Seen
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


def survey_report(place: Path, beside: Path | None = None, *, chinese: bool = False) -> str:
    """The HTML about a survey at `place`, and how far it differs from another.

    Raises ExplorerError for what is none, and where the two have no blocks alike.
    """
    seen, other = of_rows(Rows.read(place)), None if beside is None else Rows.read(beside)
    return report_of(seen, thumbnails(seen.rows, shown_at(seen)), other, chinese=chinese)


def of_rows(rows: Rows) -> Seen:
    """A whole survey."""
    return Seen(rows, rows.about["pictures"], rows.about["pictures"])


def report_of(
    seen: Seen, small: Mapping[int, str], other: Rows | None = None, *, chinese: bool = False
) -> str:
    """The HTML. small: addresses of small copies by row, of those of `shown_at` that can be had."""
    rows, about = seen.rows, seen.rows.about
    apart = None if other is None else drift(rows, other)
    classes, compared = seen.by_class
    oddest, pairs = chosen(seen)
    strange = np.zeros(0) if seen.unusual is None else seen.unusual
    html = TEMPLATES.get_template("survey.html").render(
        about=about,
        looked_at=len(rows),
        by_label=any(rows.columns["label"]),
        classes=classes,
        depth=[drawn(figure, chinese=chinese) for figure in through(classes, compared)],
        compared=sorted(compared, key=lambda one: one.probability),
        separability=drawn(told_apart(compared), chinese=chinese) if compared else None,
        certain=CERTAIN,
        other=None if other is None else other.about,
        drift=apart,
        drifted=[drawn(one, chinese=chinese) for one in through(SURVEYS, apart.compared)] if apart else [],
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


def chosen(seen: Seen) -> tuple[list[int], list[tuple[int, int, float]]]:
    """The oddest pictures, oddest first, and the pairs nearest to each other; none where nothing tells."""
    if seen.unusual is None:
        return [], []
    return [int(one) for one in np.argsort(-seen.unusual, kind="stable")[:ODD]], seen.pairs(PAIRS)


def shown_at(seen: Seen) -> set[int]:
    """The rows whose pictures are shown."""
    oddest, pairs = chosen(seen)
    return {*oddest, *(one for first, second, _ in pairs for one in (first, second))}


def through(classes: Sequence[str], compared: Sequence[ByClass]) -> Iterable[Any]:
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


def shown(rows: Rows, row: int, value: str, small: Mapping[int, str]) -> Shown:
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
