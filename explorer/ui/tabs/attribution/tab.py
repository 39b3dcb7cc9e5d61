"""The "Attribution" tab: one method at a time, refining as it is computed, stopped at will."""

from collections.abc import Iterator
from functools import partial

import gradio as gr

from explorer.attribution.baselines import BASELINES
from explorer.attribution.registry import METHODS, Attribution, Options, method_named
from explorer.engine.engine import SINGLE
from explorer.explorer import Explorer
from explorer.features.feature_maps import layers
from explorer.figures.colour import painted, scale_of
from explorer.figures.heatmap import heatmap
from explorer.figures.raster import data_uri
from explorer.ui.components import View, render, sentence
from explorer.ui.controls import IDLE, RUNNING, Amount, Menu, offer, opened, stopping, switch
from explorer.ui.downloads import Saves, npz, saved_figure
from explorer.ui.picture_upload import as_seen
from explorer.ui.selection import PICK, QUICK, SLOW, Asked, Rail, Tab, bound
from explorer.ui.tabs.attribution import score_card as score
from explorer.ui.tabs.attribution import side_by_side as side
from explorer.ui.tabs.attribution import truth_lab as truth
from explorer.ui.throttle import paced
from models.layer_names import short

AT_ONCE = 4.0  # seconds; what is cheaper runs without being asked


# The controls a method may listen to, in the order the handlers receive them.
KNOBS = ("layer", "steps", "samples", "cells", "segments", "shape", "draws", "orders", "channels", "baseline")
NOBODY = -1  # no rival class


def options_of(*given) -> Options:
    """Only what the method listens to, so that a remembered map is found again; the method comes last."""
    *values, against, method = given
    found = method_named(method)
    chosen = dict(zip(KNOBS, values, strict=True))
    words = {"layer": chosen["layer"] or None, "shape": chosen["shape"], "baseline": chosen["baseline"]}
    whole = {name: int(value) for name, value in chosen.items() if name not in words} | words
    rival = int(against) if found.of_class and against not in (None, NOBODY) else None
    return Options(against=rival, **{name: value for name, value in whole.items() if name in found.uses})


def draw(explorer: Explorer, asked: Asked, method: str, *chosen) -> Iterator[tuple]:
    """Partial maps until the whole one is there."""
    options = options_of(*chosen, method)
    picture = data_uri(as_seen(asked.open(), asked.loaded(explorer).preprocess))
    parts = explorer.attribute(
        asked.model, asked.open(), asked.weights, method=method, target=asked.target, options=options
    )
    for part in paced(parts):
        yield page(explorer, asked, part, options, picture), IDLE if part.done == part.total else RUNNING


def draw_if_cheap(explorer: Explorer, asked: Asked, method: str, *chosen) -> Iterator[tuple]:
    """Run at once what is remembered or takes no time; else say how long it would take."""
    if not asked.loaded(explorer).labels:
        yield sentence(SINGLE), IDLE
        return
    verdict = explorer.preflight(asked.model, asked.weights, method)
    if verdict.level == "meaningless":
        yield sentence(verdict.reason), IDLE
        return
    options = options_of(*chosen, method)
    seconds = method_named(method).evaluations(options) * asked.pass_seconds(explorer)
    picture = asked.open()
    known = explorer.remembers(
        asked.model, picture, asked.weights, method=method, target=asked.target, options=options
    )
    if known or seconds <= AT_ONCE:
        yield from draw(explorer, asked, method, *chosen)
    else:
        yield (
            sentence(f"Press Run: {METHODS[method].title} takes about {seconds:.0f} s for {asked.model}."),
            IDLE,
        )


def page(explorer: Explorer, asked: Asked, found: Attribution, options: Options, picture: str) -> str:
    """One part on the screen, over the picture as the model sees it, which is the same in all of them."""
    if found.done == found.total and not found.says_something:
        return sentence(found.warning or "")
    scale = scale_of(found.values, signed=found.signed)
    method = METHODS[found.method]
    rival = () if options.against is None else ("against",)
    asks = ", ".join(f"{name}={getattr(options, name)!r}" for name in (*method.uses, *rival))
    return render(
        "attribution",
        title=method.title,
        found=found,
        baseline=BASELINES[options.baseline] if "baseline" in method.uses else None,
        layer=options.layer if "layer" in method.uses else None,
        of_class=method.of_class,
        rival=None if options.against is None else asked.loaded(explorer).labels[options.against],
        left=max(1, round(found.seconds / found.done * (found.total - found.done))),
        pixels=data_uri(painted(found.values, scale)),
        picture=picture,
        low=scale.low,
        high=scale.high,
        python=asked.python(
            f"for part in explorer.attribute(model, picture, weights, method={found.method!r},",
            f"                               target={found.target}, options=Options({asks})):",
            "    print(part.done, part.total, part.values.sum(), part.completeness_gap)",
            imports="from explorer.attribution.methods.case import Options",
        ),
    )


def fitting(explorer: Explorer, asked: Asked, method: str, layer: str, against: int) -> list:
    """Show the controls the method listens to, the layers this model has, and the classes it knows."""
    found = method_named(method)
    names = layers(asked.run(explorer))
    labels = asked.loaded(explorer).labels
    fitting = layer if layer in names else names[-1]
    menu = offer([(short(name), name) for name in names], fitting, layer, visible="layer" in found.uses)
    rivals = [("no other class", NOBODY), *((label, index) for index, label in enumerate(labels))]
    known = against if against in range(len(labels)) else NOBODY
    rival = offer(rivals, known, against, visible=found.of_class)
    return [menu, *(gr.update(visible=name in found.uses) for name in KNOBS[1:]), rival]


def draw_verdicts(explorer: Explorer, asked: Asked) -> str:
    """What every method is worth on this model."""
    found = [explorer.preflight(asked.model, asked.weights, name) for name in METHODS]
    rows = [(METHODS[one.method].title, one.level, one.reason) for one in found]
    return render("verdicts", rows=rows)


def save(explorer: Explorer, asked: Asked, kind: str, method: str, *chosen):
    options = options_of(*chosen, method)
    picture = asked.open()
    *_, found = explorer.attribute(
        asked.model, picture, asked.weights, method=method, target=asked.target, options=options
    )
    name = f"{asked.model}_{method}_{found.label}"
    if kind == "npz":
        return npz(name, values=found.values)
    title = f"{METHODS[method].title} for {found.label}"
    return saved_figure(heatmap(found.values, title=title, unit="logit", signed=found.signed), kind, name)


SHAPES = [("a grid", "grid"), ("by colour (SLIC)", "slic")]
BASES = [("black", "black"), ("mean colour", "mean"), ("blurred", "blur"), ("noise", "noise")]
BESIDE = {"map": "The map", "score": "Score card", "side": "Side by side", "truth": "Truth lab"}


def hidden_amount(label: str, least: int, most: int, value: int, step: int = 1) -> Amount:
    return Amount(least, most, value=value, step=step, label=label, visible=False, min_width=160, buttons=[])


def controls() -> tuple:
    """The method, the layer, what it listens to, a rival class, and the two buttons."""
    with gr.Row(elem_classes="controls"):
        choices = [(method.title, name) for name, method in METHODS.items()]
        method = Menu(choices, value="integrated_gradients", label="Method", elem_id="method", min_width=200)
        layer = Menu([], label="Layer", visible=False, elem_id="cam-layer", min_width=180)
        knobs = [
            Amount(2, 200, value=Options.steps, step=1, label="Steps", min_width=160, buttons=[]),
            hidden_amount("Samples", 1, 200, Options.samples),
            hidden_amount("Windows a side", 4, 32, Options.cells, step=4),
            hidden_amount("Segments", 4, 144, Options.segments),
            Menu(SHAPES, value="grid", label="Segments are", visible=False, min_width=150),
            hidden_amount("Draws", 50, 1_000, Options.draws, step=10),
            hidden_amount("Orders", 1, 40, Options.orders),
            hidden_amount("Channels tried", 8, 256, Options.channels, step=8),
            Menu(BASES, value="black", label="Baseline", min_width=140),
        ]
        against = Menu(
            [("no other class", NOBODY)], value=NOBODY, label="Rather than", elem_id="against", min_width=150
        )
        go = gr.Button("Run", variant="primary", elem_id="run", scale=0, min_width=90)
        stop = gr.Button("Stop", interactive=False, elem_id="stop", scale=0, min_width=70)
    return method, layer, knobs, against, go, stop


def build(explorer: Explorer, rail: Rail, turn: gr.Textbox, saves: Saves) -> Tab:
    method, layer, knobs, against, go, stop = controls()
    chosen = [layer, *knobs, against]
    beside = switch(BESIDE, "beside")
    with gr.Column() as map_column:
        view = View(sentence("Choose a method."), elem_id="attribution")
        fit = View(render("verdicts", rows=None), elem_id="verdicts")
    running = wire_map(explorer, rail, turn, method, chosen, go, stop, view)
    saves.wire(view, bound(save, explorer), rail.inputs, [method, *chosen])
    with gr.Column(visible=False) as score_column:
        running += score.build(explorer, rail, turn, saves, [method, *chosen], options_of)
    with gr.Column(visible=False) as side_column:
        running += side.build(explorer, rail, turn, saves)
    with gr.Column(visible=False) as truth_column:
        running += truth.build(explorer, rail, method)
    columns = [map_column, score_column, side_column, truth_column]
    beside.change(partial(opened, BESIDE), beside, columns, **PICK)
    fit.more(bound(draw_verdicts, explorer), rail.inputs, fit, **{**QUICK, "show_progress": "minimal"})
    turn.change(lambda: render("verdicts", rows=None), None, fit, **QUICK)
    words = {"layer": "cam", "cells": "windows", "channels": "tried"}  # in the address
    named = {words.get(name, name): control for name, control in zip(KNOBS, chosen[:-1], strict=True)}
    named |= {"method": method, "against": against, "beside": beside}
    return Tab(address=named, running=running)


def wire_map(
    explorer: Explorer,
    rail: Rail,
    turn: gr.Textbox,
    method: Menu,
    chosen: list,
    go: gr.Button,
    stop: gr.Button,
    view: View,
) -> list:
    """What draws the map; gives the events that can be stopped."""
    layer, *knobs, against = chosen
    work = {"inputs": [*rail.inputs, method, *chosen], "outputs": [view, stop], **SLOW}
    run = go.click(bound(draw, explorer), **work)
    adapt = {
        "fn": bound(fitting, explorer),
        "inputs": [*rail.inputs, method, layer, against],
        "outputs": chosen,
        **QUICK,
    }
    cheap = {"fn": bound(draw_if_cheap, explorer), **work}
    asked = turn.change(**adapt).success(**cheap)
    switched = method.input(cancels=[run, asked], **adapt).success(**cheap)
    tuned = gr.on(
        [layer.input, against.input, *(getattr(one, "release", one.input) for one in knobs)],
        cancels=[run, asked, switched],
        trigger_mode="always_last",
        **cheap,
    )
    running = [run, asked, switched, tuned]
    stopping(stop, running)
    return running
