"""Numbers to colours, by two rules: viridis for sizes, RdBu_r symmetric about zero for signed values."""

from typing import NamedTuple

import matplotlib
import numpy as np

BRANCH_COLOURS = {  # apart in hue, in lightness and for colour-blind readers; the same in the whole app
    "height": "#2a6fb5",
    "width": "#f2b134",
    "channel": "#359b83",
}
OTHER_COLOURS = ("#2a6fb5", "#f2b134", "#359b83", "#b5486a")


class Scale(NamedTuple):
    """Which value gets the first colour, which the last, and of which colours."""

    low: float
    high: float
    signed: bool

    @property
    def cmap(self) -> str:
        return "RdBu_r" if self.signed else "viridis"


def scale_of(values: np.ndarray, *, signed: bool) -> Scale:
    """The range of the values; about zero when signed. Values that are no numbers do not stretch it."""
    finite = values[np.isfinite(values)]
    if finite.size == 0:
        return Scale(-1.0, 1.0, signed) if signed else Scale(0.0, 1.0, signed)
    if signed:
        reach = float(np.abs(finite).max())
        return Scale(-reach, reach, signed)
    return Scale(float(finite.min()), float(finite.max()), signed)


def painted(values: np.ndarray, scale: Scale) -> np.ndarray:
    """uint8 RGB `[..., 3]` for values `[...]`; what is no number becomes grey."""
    span = scale.high - scale.low or 1.0
    shares = np.clip((values - scale.low) / span, 0, 1)
    colours = matplotlib.colormaps[scale.cmap](np.nan_to_num(shares, nan=0.5), bytes=True)[..., :3]
    return np.where(np.isfinite(values)[..., None], colours, np.uint8(128))


def ramps() -> dict[str, str]:
    """Both rules as the page reads numbers off a map: 256 colours from low to high, six digits each."""
    steps = np.linspace(0, 1, 256)
    return {
        name: painted(steps, Scale(0, 1, signed)).tobytes().hex()
        for name, signed in (("signed", True), ("unsigned", False))
    }


def ink(pixel: np.ndarray) -> str:
    """Black or white, whichever is easier to read on a colour `[3]` (WCAG 2 relative luminance)."""
    linear = np.where(pixel / 255 <= 0.04045, pixel / 255 / 12.92, ((pixel / 255 + 0.055) / 1.055) ** 2.4)
    return "#000" if float(linear @ np.array([0.2126, 0.7152, 0.0722])) > 0.179 else "#fff"


def gradient(*, signed: bool) -> str:
    """The colours of a scale as a CSS background, low to high."""
    scale = Scale(0, 1, signed)
    stops = painted(np.linspace(0, 1, 11), scale)
    return f"linear-gradient(to right, {', '.join(f'rgb({r} {g} {b})' for r, g, b in stops.tolist())})"


def branch_colours(branches: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(
        BRANCH_COLOURS.get(branch, OTHER_COLOURS[index % len(OTHER_COLOURS)])
        for index, branch in enumerate(branches)
    )
