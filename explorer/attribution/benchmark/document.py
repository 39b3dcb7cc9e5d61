"""The tables of docs/truth.md, made from what ships: `python -m explorer.attribution.benchmark.document`."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from explorer.attribution.benchmark.belief import beliefs
from explorer.attribution.benchmark.protocols import PROTOCOLS
from explorer.attribution.benchmark.shipped import Shipped, shipped
from explorer.attribution.benchmark.spread import Spread, believed_in, spread
from explorer.attribution.benchmark.trainings import trainings
from explorer.attribution.benchmark.truth_lab import nanos
from explorer.attribution.registry import METHODS
from models import card
from models.registry import ASSETS
from models.whole_files import written_whole

PATH = ASSETS.parent / "docs" / "truth.md"
START, END = "<!-- measured: made by explorer.attribution.benchmark.document -->\n", "<!-- /measured -->\n"


def tables(rows: Iterable[Shipped], trained: Mapping[str, Sequence[Shipped]]) -> str:
    """What to believe, how far trainings are apart, and a table a protocol and kind of pictures."""
    known = list(rows)
    kinds = [(name, source) for name in PROTOCOLS for source in ("scenes", "photographs")]
    made = [table(name, source, known) for name, source in kinds]
    return "\n".join([believed(known), apart(trained), *filter(None, made)])


def table(protocol: str, source: str, rows: list[Shipped]) -> str:
    """Methods by families; a value that clears the controls is bold, a dash has no value."""
    found = {(row.method, row.model): row for row in rows if (row.protocol, row.source) == (protocol, source)}
    if not found:
        return ""
    names = sorted({model for _, model in found})
    lines = [
        f"**{PROTOCOLS[protocol].title}**, {source}. {PROTOCOLS[protocol].measures}\n",
        "| method | " + " | ".join(card(name).family for name in names) + " |",
        "|---" * (len(names) + 1) + "|",
    ]
    for method in (one for one in METHODS if any(one == known for known, _ in found)):
        cells = [told(found.get((method, name))) for name in names]
        lines.append(f"| {METHODS[method].title} | " + " | ".join(cells) + " |")
    best = [bar(found, name) for name in names]
    lines.append("| *best control, up to* | " + " | ".join(best) + " |")
    return "\n".join(lines) + "\n"


def told(row: Shipped | None) -> str:
    if row is None or row.found is None:
        return "–"
    value = f"{row.found.value:.2f} [{row.found.low:.2f}, {row.found.high:.2f}]"
    return f"**{value}**" if row.clears else value


def bar(found: dict[tuple[str, str], Shipped], name: str) -> str:
    """The ends of the bars of a model's methods, which differ with the resolution of their maps."""
    bars = [row.bar for (_, model), row in found.items() if model == name and row.bar is not None]
    return f"{min(bars):.2f} to {max(bars):.2f}" if bars else "–"


def believed(rows: list[Shipped]) -> str:
    """For every model on scenes the methods that clear the controls more often than not."""
    lines = ["| model | clears the controls in more protocols than not |", "|---|---|"]
    for name in nanos():
        found = [one for one in beliefs(rows, name) if one.is_believed]
        of = [
            f"{METHODS[one.method].title} ({len(one.clears)} of {len(one.clears + one.fails)})"
            for one in found
        ]
        lines.append(f"| {name} | {', '.join(of) or 'none'} |")
    return "\n".join(lines) + "\n"


def apart(trained: Mapping[str, Sequence[Shipped]]) -> str:
    """Three standard deviations a family and protocol, and the methods that several trainings believe in."""
    names = [one for one in PROTOCOLS if any(row.protocol == one for row in trained["0"])]
    lines = [
        f"**{len(trained)} trainings**, scenes. Standard deviations: between methods / between trainings of"
        " one method / of a mean over so few pictures; bold where trainings differ no less than methods."
        " The last column is of these protocols alone.\n",
        "| family | "
        + " | ".join(PROTOCOLS[one].title for one in names)
        + " | believed in all trainings, in some |",
        "|---" * (len(names) + 2) + "|",
    ]
    for name in nanos():
        cells = [spoken(spread(trained, one, name)) for one in names]
        counts = believed_in(trained, name)
        always = [METHODS[one].title for one, count in counts.items() if count == len(trained)]
        some = [METHODS[one].title for one, count in counts.items() if count < len(trained)]
        both = "; ".join(", ".join(one) or "none" for one in (always, some))
        lines.append(f"| {card(name).family} | " + " | ".join([*cells, both]) + " |")
    return "\n".join(lines) + "\n"


def spoken(one: Spread | None) -> str:
    if one is None:
        return "–"
    said = f"{one.methods:.2f} / {one.trainings:.2f} / {one.pictures:.2f}"
    return said if one.is_told else f"**{said}**"


def with_tables(text: str, made: str) -> str:
    before, _, rest = text.partition(START)
    return f"{before}{START}{made}{END}{rest.partition(END)[2]}"


def write(path: Path = PATH) -> None:
    with written_whole(path) as partly:
        partly.write_text(with_tables(path.read_text("utf-8"), tables(shipped(), trainings())), "utf-8")


if __name__ == "__main__":
    write()
