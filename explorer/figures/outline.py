"""A line around places of a picture."""

import numpy as np

LIGHT, DARK = (255, 255, 255), (16, 33, 58)


def outlined(pixels: np.ndarray, places: np.ndarray) -> np.ndarray:
    """A picture `[h, w, 3]` with a light line just inside places, True `[h, w]`, and a dark one around it.

    Where places reach the side of the picture there is no line.
    """
    inner, outer = places & near(~places), ~places & near(places)
    drawn = np.where(inner[..., None], np.array(LIGHT, np.uint8), pixels)
    return np.where(outer[..., None], np.array(DARK, np.uint8), drawn)


def near(places: np.ndarray) -> np.ndarray:
    """True `[h, w]` on places and beside them; what lies beyond the sides counts as a copy of the sides."""
    padded = np.pad(places, 1, mode="edge")
    height, width = places.shape
    shifts = ((0, 1), (1, 0), (1, 1), (1, 2), (2, 1))
    return np.any([padded[row : row + height, column : column + width] for row, column in shifts], axis=0)
