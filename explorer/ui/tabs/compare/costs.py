"""What the blocks of several backbones cost: parameters, multiply-adds, time and memory along depth."""

from collections.abc import Iterator

import numpy as np

from explorer.explorer import Explorer
from explorer.features.block_costs import Costs
from explorer.features.comparison import chosen
from explorer.figures.comparison import along_depth, cost_bars
from explorer.ui.components import View, render
from explorer.ui.downloads import npz, saved_figure
from explorer.ui.selection import Selection
from explorer.ui.tabs.compare.backbones import COMPUTING, SMALL, Bench, Part, pairs, python, weights
from models.counted import parameters
from models.layer_names import short_part

QUANTITIES = {  # name of the field: title, unit, what one of its numbers is multiplied by
    "parameters": ("Parameters", "", 1),
    "multiply_adds": ("Multiply-adds", "", 1),
    "seconds": ("Time", "ms", 1e3),
    "bytes": ("Memory", "MB", 1e-6),
}
SAVED = {"blocks": "name", "parameters": "count", "multiply_adds": "count", "seconds": "s", "bytes": "byte"}


def draw(explorer: Explorer, selection: Selection, models: list[str], anew: bool = False) -> Iterator[Part]:
    """Backbone after backbone; those that are not measured yet wait."""
    found: dict[str, Costs] = {}
    for model in chosen(models):
        if parameters(model) > SMALL:
            waits = anew or not explorer.remembered.costs(model, weights(selection, model))
            yield Part(page(selection, models, found, model), at_once=waits)
        for made in explorer.costs(model, weights(selection, model), anew=anew):
            found = found if made is None else {**found, model: made}
            yield Part(page(selection, models, found, model))


def draw_again(explorer: Explorer, selection: Selection, models: list[str]) -> Iterator[Part]:
    yield from draw(explorer, selection, models, anew=True)


def page(selection: Selection, models: list[str], found: dict[str, Costs], model: str) -> str:
    return render(
        "compare_costs",
        title="Costs along depth",
        waiting=[name for name in models if name not in found],
        now=None if model in found else model,
        quantities=[quantity(name, found) for name in QUANTITIES],
        python=python(
            f"for model, weights in {pairs(selection, models)}:",
            "    *_, costs = explorer.costs(model, weights)",
            "    print(model, costs.blocks, costs.parameters, costs.multiply_adds)",
            "    print(1e3 * costs.seconds, 1e-6 * costs.bytes)  # ms, MB",
        ),
    )


def quantity(name: str, found: dict[str, Costs]) -> dict:
    """One quantity of all backbones, to one scale."""
    title, unit, factor = QUANTITIES[name]
    totals = {model: float(getattr(costs, name).sum()) for model, costs in found.items()}
    longest = max(totals.values(), default=1.0)
    return {
        "title": title,
        "bars": [
            {
                "model": model,
                "total": amount(totals[model] * factor, unit),
                "width": totals[model] / longest,
                "segments": segments(costs, getattr(costs, name), unit, factor),
            }
            for model, costs in found.items()
        ],
    }


def segments(costs: Costs, values: np.ndarray, unit: str, factor: float) -> list[dict]:
    """The blocks of a bar, first block first."""
    colours = along_depth(len(values)).tolist()
    return [
        {
            "block": short_part(block),
            "share": float(value / values.sum()),
            "amount": amount(float(value) * factor, unit),
            "colour": "rgb({} {} {})".format(*colour),
        }
        for block, value, colour in zip(costs.blocks, values, colours, strict=True)
    ]


def amount(value: float, unit: str) -> str:
    """Three digits with the unit, or with k, M or G where there is none."""
    if unit:
        return f"{digits(value)} {unit}"
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{digits(value / size)} {letter}"
    return f"{value:.0f}"


def digits(value: float) -> str:
    """Three digits, but all before the point: 0.0512, 3.14, 271, 1618."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def save(explorer: Explorer, selection: Selection, kind: str, models: list[str]):
    found = {model: list(explorer.costs(model, weights(selection, model)))[-1] for model in chosen(models)}
    if kind == "npz":
        arrays = {f"{model}_{name}": getattr(costs, name) for model, costs in found.items() for name in SAVED}
        axes = {f"{model}_{name}": f"block: {unit}" for model in found for name, unit in SAVED.items()}
        return npz("costs", axes, **arrays)
    panels = {
        f"{title} {unit}".strip(): {m: factor * getattr(c, name) for m, c in found.items()}
        for name, (title, unit, factor) in QUANTITIES.items()
    }
    return saved_figure(cost_bars(panels), kind, "costs")


def build(bench: Bench) -> dict:
    """Gives the controls a link remembers: none of its own."""
    view = View(COMPUTING, elem_id="versus-costs")
    bench.streams("costs", draw, view, [bench.models.change], models=bench.models)
    bench.running.append(view.more(**bench.streamed("costs", draw_again, view, models=bench.models)))
    bench.saved(view, save, models=bench.models)
    return {}
