"""Numbers as strokes: the path of an SVG drawing, a bar for each."""

import numpy as np

MOST = 512  # bars; of more, each stands for several


def bars(values: np.ndarray, height: float = 40.0) -> tuple[str, str, int, float]:
    """The paths of the bars above and below zero, how many there are, and where zero lies from the top.

    Bars are one wide, from 0 on. Of more than `MOST` numbers each bar is the farthest from zero of several.
    """
    step = -(-len(values) // MOST)
    padded = np.pad(values.astype(np.float64), (0, -len(values) % step)).reshape(-1, step)
    shown = np.nan_to_num(padded[np.arange(len(padded)), np.abs(padded).argmax(axis=1)])
    top, bottom = max(float(shown.max()), 0.0), min(float(shown.min()), 0.0)
    unit = height / ((top - bottom) or 1.0)
    zero = top * unit
    strokes = [f"M{i + 0.5:g} {zero:.1f}V{zero - value * unit:.1f}" for i, value in enumerate(shown)]
    up = "".join(stroke for stroke, value in zip(strokes, shown, strict=True) if value > 0)
    down = "".join(stroke for stroke, value in zip(strokes, shown, strict=True) if value < 0)
    return up, down, len(shown), round(zero, 1)
