"""The Overview tab: the whole story of one picture on one screen, each part a link to its tab."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from explorer.attribution.registry import METHODS
from explorer.attribution.running import Attribution
from explorer.capture import Run
from explorer.engine.cache import about_to_compute
from explorer.engine.engine import SINGLE
from explorer.engine.model_store import Loaded
from explorer.engine.others_errors import told_in_a_sentence
from explorer.errors import NoMapError
from explorer.explorer import Explorer
from explorer.features.feature_maps import feature_map, milestones, pca_colour
from explorer.figures.colour import painted, scale_of
from explorer.figures.raster import data_uri, photograph_uri
from explorer.predictions import Prediction, predictions
from explorer.report.page import report
from explorer.report.recipe import Question
from explorer.reweighting.branch_weights import branch_weights
from explorer.ui.at_once import at_once_where_remembered
from explorer.ui.better_weights import unlike
from explorer.ui.components import View, render, sentence
from explorer.ui.controls import progress_on
from explorer.ui.downloads import REPORT, Saved, npz
from explorer.ui.selection import QUICK, Selection, wired
from explorer.ui.tabs.overview.gate_bars import gates_of
from explorer.ui.tabs.registry import BuiltTab, TabParts
from explorer.ui.throttle import throttled
from explorer.ui.weights_badge import doubt
from models.costs import multiply_adds

AXES = {"logits": "class: logit", "labels": "class: name"}
SMALL_MODEL = 2_000_000  # parameters up to which a path integral is as good as instant


def draw(explorer: Explorer, selection: Selection) -> Iterator[str]:
    """First everything one pass tells, then the attribution as it refines; one answer where it is known."""
    loaded, run = selection.loaded(explorer), selection.run(explorer)
    if not loaded.labels:
        yield sentence(f"{SINGLE} Its maps are in the tab Maps, its branches in Reweighting.")
        return
    method = method_for(loaded)
    asked: dict[str, Any] = {"method": method, "target": selection.target}
    known = explorer.remembered.attribution_of(*selection.question, **asked)
    if not known:
        about_to_compute()
    pixels, blocks = selection.pixels(explorer), branch_weights(run)
    story = {
        "image": data_uri(pixels),
        "size": pixels.shape[:2],
        "picture": photograph_uri(selection.cropped(explorer)),
        "predictions": told(run, loaded, selection.target),
        "facts": facts(explorer, loaded, selection.pass_seconds(explorer)),
        "stages": [stage(run, layer) for layer in milestones(run)],
        "blocks": blocks,
        "branches": blocks[0].branches if blocks else (),
        "mixing": loaded.card.mixing,
        "gates": None if blocks or loaded.card.mixing else gates_of(run),
        "python": python(selection, method),
        "doubt": doubt(explorer, selection) if unlike(explorer, selection) else None,
    }
    if not known:
        yield render("overview", **story, found=None)
    for part in throttled(explorer.attribute(*selection.question, **asked)):
        yield render("overview", **story, found=drawn(part))


def method_for(loaded: Loaded) -> str:
    """What is quick enough to be computed unasked."""
    return "integrated_gradients" if loaded.parameters <= SMALL_MODEL else "grad_cam"


def python(selection: Selection, method: str) -> str:
    return selection.python(
        "for one in explorer.predict(model, picture, weights):",
        "    print(one.label, one.probability)",
        "for block in branch_weights(explorer.inspect(model, picture, weights)):",
        "    print(block.block, dict(zip(block.branches, block.mean)))",
        f'asked = {{"method": "{method}", "target": {selection.target}}}',
        "*_, found = explorer.attribute(model, picture, weights, **asked)",
        "print(found.label, found.values.shape, found.values.sum())",
        imports="from explorer.reweighting.branch_weights import branch_weights",
    )


def save(explorer: Explorer, selection: Selection, kind: str) -> Saved:
    """The report about the picture, or the numbers of everything on this screen."""
    if kind == REPORT:
        made = partial(reported, explorer, selection)
        return lambda _, chinese: made(chinese=chinese), f"{selection.model}_report.html"
    loaded, run = selection.loaded(explorer), selection.run(explorer)
    *_, found = explorer.attribute(*selection.question, method=method_for(loaded), target=selection.target)
    shares = {f"shares/{one.block}": one.values for one in branch_weights(run)}
    stages = {f"stage/{layer}": feature_map(run, layer).values for layer in milestones(run)}
    kept = {"logits": run.logits[0], "labels": loaded.labels, f"attribution/{found.method}": found.values}
    axes = {**AXES, f"attribution/{found.method}": f"row column: {METHODS[found.method].unit}"}
    axes |= {**dict.fromkeys(shares, "branch channel: share"), "": "row column channel: activation"}
    return npz(f"{selection.model}_overview", axes, **kept, **shares, **stages)


def reported(explorer: Explorer, selection: Selection, *, chinese: bool) -> bytes:
    """One HTML file about what this screen shows, with its recipe."""
    method = method_for(selection.loaded(explorer))
    asked = Question(model=selection.model, weights=selection.weights, method=method, target=selection.target)
    html, _ = report(explorer, selection.picture or "", asked, chinese=chinese)
    if selection.upload:  # its name is known to the visitor's own page alone
        html = html.replace(selection.upload, selection.choice_told)
    return html.encode()


def told(run: Run, loaded: Loaded, target: int | None) -> tuple[Prediction, ...]:
    """The likeliest classes, and the one to explain where it is not among them."""
    ranked = predictions(run.logits, loaded.labels, most=len(loaded.labels))
    return ranked[:5] + tuple(one for one in ranked[5:] if one.index == target)


def facts(explorer: Explorer, loaded: Loaded, seconds: float) -> list[tuple[str, str]]:
    height, width = loaded.preprocess.shape
    return [
        ("Backbone", loaded.card.name),
        ("Parameters", f"{loaded.parameters / 1e6:.2f} M"),
        ("Multiply-adds", operations(loaded)),
        ("Input", f"{height} × {width}"),
        ("One pass", f"{1000 * seconds:.0f} ms"),
        ("Device", str(explorer.device)),
        ("Classes", str(len(loaded.labels))),
    ]


def operations(loaded: Loaded) -> str:
    """Counted in billions, where a model of others can be run without numbers."""
    try:
        with told_in_a_sentence(loaded):
            return f"{multiply_adds(loaded.card.name, loaded.preprocess.shape) / 1e9:.2f} G"
    except NoMapError:
        return "not counted"


def stage(run: Run, layer: str) -> dict:
    found = feature_map(run, layer)
    rows, columns, channels = found.values.shape
    return {
        "layer": layer,
        "pixels": data_uri((255 * pca_colour(found)).round().astype(np.uint8)),
        "size": f"{rows} × {columns} × {channels}",
    }


def drawn(part: Attribution) -> dict:
    scale = scale_of(part.values, signed=part.signed)
    return {
        "title": METHODS[part.method].title,
        "label": part.label,
        "pixels": data_uri(painted(part.values, scale)),
        "done": part.done,
        "total": part.total,
        "low": scale.low,
        "high": scale.high,
        "signed": part.signed,
        "unit": METHODS[part.method].unit,
    }


# Its attribution is long work, which takes no place of what is drawn at once.
LANE = {**QUICK, "concurrency_id": "overview", "concurrency_limit": 2}


def build(parts: TabParts) -> BuiltTab:
    view = View(elem_id="overview")
    asks = wired(parts.explorer, parts.rail, draw)
    asks["fn"] = at_once_where_remembered(asks["fn"])
    event = parts.redraw.change(**asks, outputs=view, **LANE | progress_on(view))
    parts.saves.wire(view, parts.explorer, parts.rail, save)
    return BuiltTab(running=[event], links=(view,), offering=(view,))
