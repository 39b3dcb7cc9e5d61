"""The map of one method over the picture, from its first parts on."""

from collections.abc import Iterator
from typing import Any

from explorer.attribution.baselines import BASELINES
from explorer.attribution.benchmark.belief import order_kept
from explorer.attribution.benchmark.intervals import Interval
from explorer.attribution.benchmark.shipped import shipped
from explorer.attribution.methods.case import GAP_WORTH_TELLING
from explorer.attribution.options import Options, spoken
from explorer.attribution.registry import METHODS, method_named
from explorer.attribution.running import Attribution
from explorer.engine.engine import SINGLE
from explorer.errors import ChoiceError
from explorer.explorer import Explorer
from explorer.features.feature_maps import layers
from explorer.figures.colour import painted, scale_of
from explorer.figures.heatmap import heatmap
from explorer.figures.raster import data_uri, photograph_uri
from explorer.ui.components import render, sentence
from explorer.ui.controls import IDLE, RUNNING
from explorer.ui.downloads import Saved, npz, saved_figure
from explorer.ui.selection import Selection
from explorer.ui.tabs.attribution.option_controls import fitted, more_of, options_of
from explorer.ui.throttle import throttled

MUCH = 0.5  # of the rank order of a map: if that much may be left without the weights, the map is doubted
AT_ONCE = 4.0  # seconds; what is cheaper runs without being asked


def draw(explorer: Explorer, selection: Selection, *, method: str, **given) -> Iterator[tuple]:
    """Partial maps until the whole one is there."""
    options = options_of(method, given)
    selection.loaded(explorer)
    picture = photograph_uri(selection.cropped(explorer))
    parts = explorer.attribute(*selection.question, method=method, target=selection.target, options=options)
    for part in throttled(parts):
        yield page(explorer, selection, part, options, picture), IDLE if part.done == part.total else RUNNING


def draw_if_cheap(explorer: Explorer, selection: Selection, *, method: str, **given) -> Iterator[tuple]:
    """Run at once what is remembered or takes no time; else say how long it would take."""
    if not selection.loaded(explorer).labels:
        yield sentence(SINGLE), IDLE
        return
    verdict = explorer.preflight(selection.model, selection.weights, method)
    if verdict.level == "meaningless":
        yield sentence(verdict.reason), IDLE
        return
    options = options_of(method, given)
    seconds = method_named(method).evaluations(options) * selection.pass_seconds(explorer)
    asked: dict[str, Any] = {"method": method, "target": selection.target, "options": options}
    if explorer.remembered.attribution_of(*selection.question, **asked) or seconds <= AT_ONCE:
        yield from draw(explorer, selection, method=method, **given)
        return
    told = f"Press Run: {METHODS[method].title} takes about {seconds:.0f} s for {selection.model}."
    yield sentence(told), IDLE


def page(explorer: Explorer, selection: Selection, found: Attribution, options: Options, picture: str) -> str:
    """One part on the screen, over the picture as the model sees it, which is the same in all of them."""
    if found.done == found.total and not found.says_something:
        return sentence(found.warning or "")
    scale = scale_of(found.values, signed=found.signed)
    method = METHODS[found.method]
    rival = () if options.against is None else ("against",)
    return render(
        "attribution",
        title=method.title,
        found=found,
        baseline=BASELINES[options.baseline] if "baseline" in method.uses else None,
        layer=options.layer if "layer" in method.uses else None,
        of_class=method.of_class,
        unit=method.unit,
        sums=method.sums,
        told_gap=GAP_WORTH_TELLING,
        kept=kept_by(found.method, selection),
        much=MUCH,
        more=more_of(found, options) if found.done == found.total else None,
        rival=None if options.against is None else selection.loaded(explorer).labels[options.against],
        left=max(1, round(found.seconds / found.done * (found.total - found.done))),
        pixels=data_uri(painted(found.values, scale)),
        picture=picture,
        low=scale.low,
        high=scale.high,
        python=selection.python(
            f"options = Options({spoken(options, (*method.uses, *rival))})",
            f"for part in explorer.attribute(model, picture, weights, method={found.method!r},",
            f"                               target={found.target}, options=options):",
            "    print(part.done, part.total, part.values.sum(), part.completeness_gap)",
            imports="from explorer import Options",
        ),
    )


def kept_by(method: str, selection: Selection) -> Interval | None:
    """What ships of how much a method's maps keep without the weights; nothing where nothing ships."""
    try:
        return order_kept(shipped(), method, selection.model, selection.weights)
    except ChoiceError:
        return None


def fitting(explorer: Explorer, selection: Selection, *, method: str, **given) -> list:
    """The controls the method reads, with what this model has."""
    return fitted(explorer, selection, layers(selection.run(explorer)), method, given)


def save(explorer: Explorer, selection: Selection, *, kind: str, method: str, **given) -> Saved:
    """The whole map as a drawing, or its numbers."""
    options = options_of(method, given)
    *_, found = explorer.attribute(
        *selection.question, method=method, target=selection.target, options=options
    )
    name = f"{selection.model}_{method}_{found.label}"
    if kind == "npz":
        return npz(name, {"values": f"row column: {METHODS[method].unit}"}, values=found.values)
    title = f"{METHODS[method].title} for {found.label}"
    return saved_figure(
        heatmap(found.values, title=title, unit=METHODS[method].unit, signed=found.signed), kind, name
    )
