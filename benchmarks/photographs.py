"""What the nanos make of photographs: writes docs/photographs.md and its figures.

    python -m benchmarks.photographs --data cifar10.zip

data: CIFAR-10 as `models.train` reads it, of which the test pictures are looked at.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure

from explorer import Explorer
from explorer.familiarity.pictures import Labelled, photographed
from explorer.figures.class_shares import by_class as figure_by_class
from explorer.reweighting.class_shares import ClassShares, by_class, change, told_right
from explorer.reweighting.interventions import Intervention, Uniform, Without
from explorer.reweighting.reference_shares import over
from models import card, create, list_models
from models.checkpoint_facts import table
from models.layer_names import short
from models.photographs import CIFAR10, cifar10
from models.registry import ASSETS

DOCS = ASSETS.parent / "docs"
FIGURES = DOCS / "photographs"
SHOWN = ("cat", "ship", "truck")
DOCUMENT = """# What the nanos make of photographs

Made by `python -m benchmarks.photographs --data cifar10.zip`, with what lies in assets/weights. How well each
set of weights tells CIFAR-10's test pictures and real photographs, and how well it notices what it does not
know, is in [assets/weights/README.md](../assets/weights/README.md).

## The bundled photographs

The three likeliest classes in percent; in brackets where the weights are said not to know the picture. Only
the cat and the moose (a deer) show one of the ten; of the rest the right answer is *none*.

{photographs}
{reweighting}"""
REWEIGHTING = """
## How `{name}` blends photographs

Do the shares differ by what a picture shows? Mean shares over the channels, of {pictures:,} test pictures of
CIFAR-10, as many of each class. *Between classes* is the part of the variance of a block's mean shares that
lies between the ten classes; *p* is how often so much or more does when labels are shuffled ({shuffles:,}
shuffles, so {least:.3f} is the least it can be).

{tests}

Shares of {branches}, in percent, with standard errors:

{shown}

![Mean shares by class, block by block](photographs/{name}.png)

### What the blend is worth

Accuracy on {fewer:,} of these pictures, {learned:.1%} as learned, and how it changes, in percentage points
with the standard error of the change on the same pictures: with equal shares in a block, and with one branch
of a block removed, its share going to the others in proportion. Equal shares in all blocks at once: {equal}.

{knocked}
"""


def photographs(explorer: Explorer) -> str:
    """The table photograph x model x top-3."""
    asked = [(name, "cifar10") for name in list_models() if "cifar10" in card(name).weights]
    asked.append(("efficientnet_lite0", "imagenet"))
    paths = sorted(
        (ASSETS / "examples" / "photographs").glob("*.jpg"), key=lambda path: int(path.stem.split("-")[0])
    )
    rows = [
        (path.stem.partition("-")[2], *(three(explorer, name, weights, path) for name, weights in asked))
        for path in paths
    ]
    return table(("photograph", *(f"{name} ({weights})" for name, weights in asked)), rows)


def three(explorer: Explorer, name: str, weights: str, path: Path) -> str:
    """The three likeliest classes, in brackets where the picture is nothing the weights know."""
    found = explorer.predict(name, path, weights, most=3)
    told = ", ".join(f"{one.label} {100 * one.probability:.0f}" for one in found)
    known = explorer.familiarity(name, path, weights)
    return f"({told})" if known and not known.is_familiar else told


def spread(pictures: Labelled, count: int) -> Labelled:
    """As many pictures, evenly spread over all, which lie class by class."""
    chosen = np.arange(0, len(pictures.labels), max(1, len(pictures.labels) // count))
    return Labelled(pictures.each[chosen], pictures.made, pictures.labels[chosen])  # type: ignore[call-overload]


def reweighting(name: str, test: Labelled, count: int, fewer: int) -> tuple[str, Figure]:
    """The section of a model with split attention, and its figure."""
    model, preprocess = create(name, "cifar10"), card(name).weights["cifar10"].preprocess
    some = spread(test, count)
    found = by_class(over(model, preprocess, some), some.labels)
    blocks = [short(one.block) for one in found]
    less = spread(test, fewer)

    def right(*changes: Intervention) -> np.ndarray:
        return told_right(model, preprocess, less, less.labels, changes)

    learned = right()
    equal = [Uniform(one.block, (1.0,) * len(one.branches)) for one in found]
    text = REWEIGHTING.format(
        name=name,
        pictures=len(some.labels),
        shuffles=999,
        least=0.001,
        tests=table(("block", "between classes", "p"), tests(found)),
        branches=", ".join(found[0].branches),
        shown=table(("block", *SHOWN), shown(found)),
        fewer=len(less.labels),
        learned=learned.mean(),
        equal=points(learned, right(*equal)),
        knocked=table(
            ("block", "equal shares", *(f"without {branch}" for branch in found[0].branches)),
            [(short(one.block), *knocked(one, learned, right)) for one in found],
        ),
    )
    values = np.stack([one.means for one in found]), np.stack([one.errors for one in found])
    title = f"{name}, trained on CIFAR-10: mean shares by class, bars two standard errors"
    return text, figure_by_class(list(CIFAR10), found[0].branches, blocks, *values, title=title)


def tests(found: tuple[ClassShares, ...]) -> list[tuple]:
    return [(short(one.block), f"{one.explained:.1%}", f"{one.probability:.3f}") for one in found]


def shown(found: tuple[ClassShares, ...]) -> list[tuple]:
    """The shares of the classes that are shown, block by block."""
    rows = []
    for one in found:
        chosen = [CIFAR10.index(label) for label in SHOWN]
        parts = [zip(one.means[kind], one.errors[kind], strict=True) for kind in chosen]
        cells = [", ".join(f"{100 * mean:.1f} ± {100 * error:.1f}" for mean, error in part) for part in parts]
        rows.append((short(one.block), *cells))
    return rows


def knocked(one: ClassShares, learned: np.ndarray, right) -> Iterator[str]:
    """The change of the accuracy with equal shares in a block, and without each of its branches."""
    yield points(learned, right(Uniform(one.block, (1.0,) * len(one.branches))))
    for branch in one.branches:
        yield points(learned, right(Without(one.block, branch)))


def points(before: np.ndarray, after: np.ndarray) -> str:
    mean, error = change(before, after)
    return f"{100 * mean:+.1f} ± {100 * error:.1f}"


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--data", type=Path, required=True, help="CIFAR-10: a zip or a folder")
    ask.add_argument("--pictures", type=int, default=10_000, help="test pictures the shares are of")
    ask.add_argument("--fewer", type=int, default=2_000, help="test pictures each change is tried on")
    args = ask.parse_args()
    torch.set_num_threads(1)
    test = photographed(cifar10(args.data, "test"))
    FIGURES.mkdir(parents=True, exist_ok=True)
    sections = []
    for name in ("vip_nano", "s2mlpv2_nano"):
        if "cifar10" in card(name).weights:
            text, figure = reweighting(name, test, args.pictures, args.fewer)
            figure.savefig(FIGURES / f"{name}.png", dpi=100)
            sections.append(text)
            sys.stdout.write(f"{name}\n")
    text = DOCUMENT.format(photographs=photographs(Explorer("cpu")), reweighting="".join(sections))
    (DOCS / "photographs.md").write_text(text, "utf-8")


if __name__ == "__main__":
    main()
