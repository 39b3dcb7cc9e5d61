"""Which pictures of a survey are odd, and which are alike, by what the model made of them."""

import numpy as np

from explorer.survey.found import Rows

AT_ONCE = 500  # rows of a table of cosines


def unusual(rows: Rows) -> np.ndarray:
    """How odd each picture is `[n]`: how foreign to what the weights know, else how far its features lie.

    The latter in standard deviations of each channel, the root mean square over the channels.
    """
    if "foreignness" in rows.columns:
        return np.asarray(rows.columns["foreignness"], float)
    features = np.asarray(rows.columns["embedding"], float)
    spread = features.std(axis=0)
    apart = (features - features.mean(axis=0)) / np.where(spread > 0, spread, 1)
    return np.sqrt((apart**2).mean(axis=1))


def nearest(rows: Rows) -> tuple[np.ndarray, np.ndarray]:
    """Of each picture the one whose features point the most alike, and the cosine between them `[n]`."""
    features = np.asarray(rows.columns["embedding"], np.float32)
    features = features - features.mean(axis=0)
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    unit = features / np.where(lengths > 0, lengths, 1)
    partner, cosine = np.zeros(len(unit), int), np.zeros(len(unit))
    for start in range(0, len(unit), AT_ONCE):
        alike = unit[start : start + AT_ONCE] @ unit.T
        own = np.arange(len(alike))
        alike = np.where(own[:, None] + start == np.arange(len(unit)), -np.inf, alike)
        partner[start : start + AT_ONCE] = alike.argmax(axis=1)
        cosine[start : start + AT_ONCE] = alike.max(axis=1)
    return partner, cosine


def pairs(rows: Rows, most: int) -> list[tuple[int, int, float]]:
    """The pictures that are nearest to each other, each in one pair."""
    partner, cosine = nearest(rows)
    met: set[int] = set()
    made: list[tuple[int, int, float]] = []
    for one in np.argsort(-cosine, kind="stable"):
        other = int(partner[one])
        if not {int(one), other} & met and len(made) < most:
            met |= {int(one), other}
            made.append((min(int(one), other), max(int(one), other), float(cosine[one])))
    return made
