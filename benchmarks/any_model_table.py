"""The table of what is found in models of timm: its rows as text, and what all of them say together."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from statistics import median

MOST = {"capture": 1.25, "finder": 3.0}  # that is promised, in forwards
HEAD = (
    *("model", "layers", "gates", "undecided", "agree", "known", "invented", "edits"),
    *("capture", "read", "finder"),
)


def written(cells: Iterable[object]) -> str:
    return f"| {' | '.join(map(str, cells))} |\n"


def read(table: Path) -> list[list[str]]:
    """The rows of a table, but its head."""
    return [cells for cells in cells_in(table.read_text("utf-8")) if cells[0] != HEAD[0]]


def cells_in(text: str) -> Iterator[list[str]]:
    for one in text.splitlines():
        if one.startswith("| "):
            yield [cell.strip() for cell in one.strip("| ").split(" | ")]


def summary(rows: list[dict[str, str]]) -> str:
    """What all rows say together."""
    total = {name: sum(int(row[name]) for row in rows) for name in ("layers", "undecided", "invented")}
    pairs = {name: [row[name].split(" / ") for row in rows] for name in ("known", "agree", "edits")}
    first, last = ({name: sum(int(one[side]) for one in pairs[name]) for name in pairs} for side in (0, 1))
    times = {name: [float(row[name]) for row in rows] for name in ("capture", "read", "finder")}
    within = {name: sum(one <= most for one in times[name]) for name, most in MOST.items()}
    return (
        f"\n{len(rows)} models: {first['known']} of {last['known']} gates of timm found, "
        f"{total['invented']} elsewhere; {total['layers'] - total['undecided']} of {total['layers']} layouts "
        f"decided; {first['agree']} of {last['agree']} intermediate maps of timm equal a layer; "
        f"{first['edits']} of {last['edits']} edits moved the logits and gave them back.\n\n"
        f"Capture is {median(times['capture']):.2f} of the forward in the median, within {MOST['capture']} "
        f"for {within['capture']}; with everything read {median(times['read']):.2f}; the finder's pass "
        f"{median(times['finder']):.2f}, within {MOST['finder']:.0f} for {within['finder']}.\n"
    )
