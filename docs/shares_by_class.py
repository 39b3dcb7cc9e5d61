"""Makes docs/shares-by-class.md and its figures: `python -m docs.shares_by_class`.

From all rows of the surveys that come along, in a minute; no model is asked. The words above the tables stay.
"""

import io
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from explorer.figures.class_shares import through_depth
from explorer.survey.found import ByClass, Rows, accuracy, by_class
from explorer.survey.shipped import SETS, path_of
from models import card
from models.layer_names import short

HERE = Path(__file__).parent
OUT, PAGE = HERE / "surveys", HERE / "shares-by-class.md"
GATED = ("vip_nano", "s2mlpv2_nano", "as_mlp_nano", "mobilevit_nano")
CERTAIN, DPI = 0.05, 75
COLOURS = {"scenes": "#d97706", "cifar10": "#4f46e5"}


def written(figure: Figure, name: str) -> None:
    """A figure as a small WebP."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=DPI)
    Image.open(file).convert("RGB").save(OUT / f"{name}.webp", "WEBP", quality=80, method=6)


def briefly(block: str) -> str:
    """The name of a block for a narrow place."""
    return short(block).replace(" transformer", "").replace("attention", "att.")


def separability(found: dict[tuple[str, str], tuple[ByClass, ...]]) -> Figure:
    """A panel a model, a pair of bars a block: the part of the variance between classes on both sets."""
    figure = Figure(figsize=(13, 4.4), layout="constrained")
    panels = figure.subplots(1, len(GATED), sharey=True)
    for panel, model in zip(panels, GATED, strict=True):
        blocks = [briefly(one.compared.block) for one in found[model, "scenes"]]
        for number, weights in enumerate(SETS):
            explained = [100 * one.compared.explained for one in found[model, weights]]
            where = np.arange(len(blocks)) + 0.4 * number - 0.2
            panel.bar(where, explained, 0.4, color=COLOURS[weights], label=SETS[weights])
        panel.set(title=f"{model} ({card(model).family})", xticks=range(len(blocks)), ylim=(0, 100))
        panel.set_xticklabels(blocks, rotation=90, fontsize=8)
        panel.grid(axis="y", alpha=0.3)
    panels[0].set_ylabel("% between classes")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


def depth(classes: list[str], compared: tuple[ByClass, ...]) -> Figure:
    """Mean and interval of every class across the depth."""
    stacked = [
        np.stack(values)
        for values in zip(*((one.compared.means, one.low, one.high) for one in compared), strict=True)
    ]
    blocks = [short(one.compared.block) for one in compared]
    return through_depth(classes, compared[0].branches, blocks, *stacked)


def line(one: ByClass, classes: list[str]) -> str:
    """A row of the table: a block, how much lies between classes, and what differs most."""
    means = one.compared.means
    branch = int(np.ptp(means, axis=0).argmax())
    low, high = int(means[:, branch].argmin()), int(means[:, branch].argmax())
    values = f"{100 * means[low, branch]:.1f} %", f"{100 * means[high, branch]:.1f} %"
    differs = f"{one.branches[branch]}: {values[0]} for {classes[low]} to {values[1]} for {classes[high]}"
    if values[0] == values[1]:
        differs = f"less than 0.1 points: {values[0]} for every class"
    return (
        f"| {short(one.compared.block)} | {100 * one.compared.explained:.1f} % | {one.probability:.3f} | "
        f"{differs} |"
    )


def section(model: str, weights: str, rows: Rows, classes: list[str], compared: tuple[ByClass, ...]) -> str:
    right = accuracy(rows)
    assert right is not None
    certain = sum(one.probability <= CERTAIN for one in compared)
    head = (
        f"### {model} on {SETS[weights]}\n\n{100 * right.right / right.of:.2f} % are told right. "
        f"In {certain} of {len(compared)} blocks classes differ by more than chance.\n\n"
        f"![Means by class across the depth of {model}](surveys/{model}.{weights}.webp)\n"
    )
    table = [
        "| block | between classes | corrected probability | what differs most |",
        "|---|---|---|---|",
        *(line(one, classes) for one in compared),
    ]
    return "\n".join((head, *table, ""))


def main() -> None:
    OUT.mkdir(exist_ok=True)
    found, sections = {}, []
    for model in GATED:
        for weights in SETS:
            rows = Rows.read(path_of(model, weights), most=10_000)
            classes, found[model, weights] = by_class(rows)
            written(depth(classes, found[model, weights]), f"{model}.{weights}")
            sections.append(section(model, weights, rows, classes, found[model, weights]))
    written(separability(found), "separability")
    words = PAGE.read_text("utf-8").partition("## Model by model")[0] if PAGE.is_file() else ""
    PAGE.write_text(words + "## Model by model\n\n" + "\n".join(sections), "utf-8")


if __name__ == "__main__":
    main()
