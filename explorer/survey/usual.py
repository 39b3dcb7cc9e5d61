"""What a survey says is usual of each block's shares, to be laid beside those of one picture."""

import numpy as np

from explorer.reweighting.reference_shares import BAND, RARE, Typical
from explorer.survey.found import Rows

SURVEY = "survey"  # the source of what is typical


def usual(rows: Rows) -> tuple[Typical, ...]:
    """Block by block, of channels nothing; empty where there are fewer than two pictures, or no shares."""
    if len(rows) < 2:
        return ()
    return tuple(of_block(rows, name) for name in rows.gates if name.startswith("shares:"))


def of_block(rows: Rows, column: str) -> Typical:
    means = np.asarray(rows.columns[column], float)
    low, high, lowest, highest = np.percentile(means, BAND + RARE, axis=0)
    return Typical(
        block=column.partition(":")[2],
        branches=tuple(rows.about["branches"][column]),
        mean=means.mean(axis=0),
        low=low,
        high=high,
        lowest=lowest,
        highest=highest,
        channels=None,
        pictures=len(rows),
        source=SURVEY,
    )
