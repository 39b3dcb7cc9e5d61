"""The words of a figure in Chinese, where this computer has a font for them."""

from functools import cache

from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import FixedLocator

from explorer.report.language import in_chinese, speaks_chinese

# What has Chinese on Linux, Windows and macOS, best first.
FONTS = (
    *("Noto Sans CJK SC", "Noto Sans SC", "Noto Sans CJK JP", "Source Han Sans SC", "WenQuanYi Micro Hei"),
    *("WenQuanYi Zen Hei", "Droid Sans Fallback", "Microsoft YaHei", "SimHei", "PingFang SC", "Heiti TC"),
    *("STHeiti", "Arial Unicode MS"),
)
USUAL = "DejaVu Sans"  # comes along with matplotlib, for letters and numbers


@cache
def font() -> str | None:
    """A font of this computer that has Chinese."""
    known = set(font_manager.get_font_names())
    return next((name for name in FONTS if name in known), None)


def figure_in_chinese(figure: Figure) -> Figure:
    """A figure that was just drawn, its words in Chinese; as it is where there is no font for them."""
    chinese = font()
    if chinese is None:
        return figure
    for axes in figure.axes:
        name_ticks(axes)
    for text in figure.findobj(Text):
        text.set_text(told(text.get_text()))
        text.set_fontfamily([USUAL, chinese])
    return figure


def told(words: str) -> str:
    """What stands in a figure, which is often several names in one line: each in Chinese."""
    return "\n".join(", ".join(map(in_chinese, line.split(", "))) for line in words.split("\n"))


def name_ticks(axes: Axes) -> None:
    """Names beside an axis are written anew at each drawing, from what the axis was given."""
    for axis in (axes.xaxis, axes.yaxis):
        names = [label.get_text() for label in axis.get_ticklabels()]
        if isinstance(axis.get_major_locator(), FixedLocator) and any(names):
            axis.set_ticklabels([told(name) for name in names])


def localised_figure(figure: Figure) -> Figure:
    """A figure in the language of this computer."""
    return figure_in_chinese(figure) if speaks_chinese() else figure
