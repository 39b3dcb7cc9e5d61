"""The "Attribution" tab: one method at a time, refining as it is computed, stopped at will."""

from collections.abc import Iterator

import gradio as gr

from explorer.attribution import BASELINES, METHODS, Attribution, Options, method_named
from explorer.features import layers
from explorer.figures.colour import painted, scale_of
from explorer.figures.heatmap import heatmap
from explorer.figures.raster import data_uri
from explorer.session import Explorer
from explorer.ui.asked import QUICK, QUIET, SLOW, Asked, Rail, Tab, bound
from explorer.ui.controls import Amount, Menu
from explorer.ui.picture import as_seen
from explorer.ui.save import Saves, npz, saved_figure
from explorer.ui.view import View, render, sentence
from explorer.ui.words import short

AT_ONCE = 2.0  # seconds; what is cheaper runs without being asked
RUNNING, IDLE = gr.update(interactive=True), gr.update(interactive=False)
STOPPED = "() => document.querySelector('#attribution .advance')?.setAttribute('data-stopped', '')"


def options_of(layer: str, steps: float, samples: float, cells: float, baseline: str, method: str) -> Options:
    """Only what the method listens to, so that a remembered map is found again."""
    given = {
        "layer": layer or None,
        "steps": int(steps),
        "samples": int(samples),
        "cells": int(cells),
        "baseline": baseline,
    }
    return Options(**{name: value for name, value in given.items() if name in method_named(method).uses})


def draw(explorer: Explorer, asked: Asked, method: str, *chosen) -> Iterator[tuple]:
    """Partial maps until the whole one is there."""
    options = options_of(*chosen, method)
    picture = data_uri(as_seen(asked.open(), asked.loaded(explorer).preprocess))
    for part in explorer.attribute(
        asked.model, asked.open(), asked.weights, method=method, target=asked.target, options=options
    ):
        yield page(asked, part, options, picture), IDLE if part.done == part.total else RUNNING


def draw_if_cheap(explorer: Explorer, asked: Asked, method: str, *chosen) -> Iterator[tuple]:
    """Run at once what is remembered or takes no time; else say how long it would take."""
    options = options_of(*chosen, method)
    seconds = method_named(method).evaluations(options) * asked.run(explorer).seconds
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


def page(asked: Asked, found: Attribution, options: Options, picture: str) -> str:
    """One part on the screen, over the picture as the model sees it, which is the same in all of them."""
    scale = scale_of(found.values, signed=found.signed)
    method = METHODS[found.method]
    asks = ", ".join(f"{name}={getattr(options, name)!r}" for name in method.uses)
    return render(
        "attribution",
        title=method.title,
        found=found,
        baseline=BASELINES[options.baseline] if "baseline" in method.uses else None,
        layer=options.layer if "layer" in method.uses else None,
        left=max(1, round(found.seconds / found.done * (found.total - found.done))),
        pixels=data_uri(painted(found.values, scale)),
        picture=picture,
        low=scale.low,
        high=scale.high,
        python=asked.python(
            f"for part in explorer.attribute(model, picture, weights, method={found.method!r},",
            f"                               target={found.target}, options=Options({asks})):",
            "    print(part.done, part.total, part.values.sum(), part.completeness_gap)",
            imports="from explorer.methods import Options",
        ),
    )


def fitting(explorer: Explorer, asked: Asked, method: str, layer: str) -> list:
    """Show the controls the method listens to, and the layers this model has."""
    uses = method_named(method).uses
    names = layers(asked.run(explorer))
    menu = Menu(
        [(short(name), name) for name in names],
        value=layer if layer in names else names[-1],
        visible="layer" in uses,
    )
    return [menu, *(gr.update(visible=name in uses) for name in ("steps", "samples", "cells", "baseline"))]


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


def build(explorer: Explorer, rail: Rail, turn: gr.Textbox, saves: Saves) -> Tab:
    with gr.Row(elem_classes="controls"):
        choices = [(method.title, name) for name, method in METHODS.items()]
        method = Menu(choices, value="integrated_gradients", label="Method", elem_id="method", min_width=200)
        layer = Menu([], label="Layer", visible=False, elem_id="cam-layer", min_width=180)
        steps = Amount(2, 200, value=Options.steps, step=1, label="Steps", min_width=180, buttons=[])
        samples = Amount(1, 200, value=Options.samples, step=1, label="Samples", visible=False, buttons=[])
        cells = Amount(4, 32, value=Options.cells, step=4, label="Windows a side", visible=False, buttons=[])
        baseline = gr.Radio(
            [("black", "black"), ("mean colour", "mean")], value="black", label="Baseline", min_width=230
        )
        go = gr.Button("Run", variant="primary", elem_id="run", scale=0, min_width=90)
        stop = gr.Button("Stop", interactive=False, elem_id="stop", scale=0, min_width=70)
    view = View(sentence("Choose a method."), elem_id="attribution")
    chosen = [layer, steps, samples, cells, baseline]
    work = {"inputs": [*rail.inputs, method, *chosen], "outputs": [view, stop], **SLOW}
    run = go.click(bound(draw, explorer), **work)
    adapt = {
        "fn": bound(fitting, explorer),
        "inputs": [*rail.inputs, method, layer],
        "outputs": chosen,
        **QUICK,
    }
    cheap = {"fn": bound(draw_if_cheap, explorer), **work}
    asked = turn.change(**adapt).success(**cheap)
    switched = method.input(cancels=[run, asked], **adapt).success(**cheap)
    tuned = gr.on(
        [layer.input, steps.release, samples.release, cells.release, baseline.input],
        cancels=[run, asked, switched],
        trigger_mode="always_last",
        **cheap,
    )
    running = [run, asked, switched, tuned]
    stop.click(lambda: IDLE, None, stop, cancels=running, queue=False, **QUIET)
    stop.click(None, js=STOPPED, **QUIET)
    saves.wire(view, bound(save, explorer), rail.inputs, [method, *chosen])
    named = {"method": method, "cam": layer, "steps": steps, "samples": samples, "windows": cells}
    return Tab(address=named | {"baseline": baseline}, running=running)
