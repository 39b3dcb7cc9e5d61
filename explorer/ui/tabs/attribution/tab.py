"""The Attribution tab: one method at a time, refining as it is computed, stopped at will."""

from functools import partial
from typing import Any

import gradio as gr

from explorer.attribution.registry import METHODS
from explorer.ui.components import View, sentence
from explorer.ui.controls import Control, Menu, opened, progress_on, starting, stopping, switch
from explorer.ui.selection import PICK, QUICK, SLOW, lane, wired
from explorer.ui.tabs.attribution import (
    attribution_map,
    protocols,
    score_card,
    side_by_side,
    truth_lab,
    verdicts,
)
from explorer.ui.tabs.attribution.marked_methods import marking
from explorer.ui.tabs.attribution.option_controls import build_controls, link_names, more_asked
from explorer.ui.tabs.registry import BuiltTab, TabParts

FIRST = "integrated_gradients"
BESIDE = {"map": "The map", "score": "Score card", "side": "Side by side", "truth": "Truth lab"}


def controls() -> tuple[dict[str, Control], gr.Button, gr.Button]:
    """The method and its options by their names, and the two buttons."""
    with gr.Row(elem_classes="controls"):
        choices = [(method.title, name) for name, method in METHODS.items()]
        method = Menu(choices, value=FIRST, label="Method", elem_id="method", min_width=200)
        options = build_controls(FIRST)
        go = gr.Button("Run", variant="primary", elem_id="run", scale=0, min_width=90)
        stop = gr.Button("Stop", interactive=False, elem_id="stop", scale=0, min_width=70)
    return {"method": method, **options}, go, stop


def build(parts: TabParts) -> BuiltTab:
    """Lay the tab out: the method, and beside its map the score card, other methods and the truth lab."""
    chosen, go, stop = controls()
    beside = switch(BESIDE, "beside")
    with gr.Column() as map_column:
        view = View(sentence("Choose a method."), elem_id="attribution")
        fits = View(verdicts.UNTRIED, elem_id="verdicts")
    running = connect_map(parts, chosen, go, stop, view)
    with gr.Column(visible=False) as score_column:
        running += score_card.build(parts, chosen)
    with gr.Column(visible=False) as side_column:
        side, names = side_by_side.build(parts)
    with gr.Column(visible=False) as truth_column:
        measured, protocol = protocols.build(parts)
        truth, measure = truth_lab.build(parts, chosen["method"])
    columns = [map_column, score_column, side_column, truth_column]
    beside.change(partial(opened, BESIDE), beside, columns, **PICK)
    every = wired(parts.explorer, parts.rail, verdicts.draw)
    fits.more(**every, outputs=[fits, chosen["method"]], **lane("verdicts") | progress_on(fits))
    parts.saves.wire(fits, parts.explorer, parts.rail, verdicts.save)
    marks = wired(parts.explorer, parts.rail, marking)
    parts.redraw.change(**marks, outputs=chosen["method"], **lane("verdicts"))
    parts.redraw.change(lambda: verdicts.UNTRIED, None, fits, **QUICK)
    remembered = {**link_names(chosen), "beside": beside, **names, **measure, **protocol}
    return BuiltTab(remembered=remembered, running=[*running, *side, *measured, *truth])


def connect_map(
    parts: TabParts, chosen: dict[str, Control], go: gr.Button, stop: gr.Button, view: View
) -> list:
    """What draws the map; gives the events that can be stopped."""
    method, *options = chosen.values()
    outputs = [view, stop]
    cheap: dict[str, Any] = {
        **wired(parts.explorer, parts.rail, attribution_map.draw_if_cheap, **chosen),
        "outputs": outputs,
        **SLOW,
    }
    adapt = {
        **wired(parts.explorer, parts.rail, attribution_map.fitting, **chosen),
        "outputs": options,
        **QUICK,
    }
    whole = {**cheap, **wired(parts.explorer, parts.rail, attribution_map.draw, **chosen)}
    starting(go, stop)
    run = go.click(**whole, trigger_mode="always_last")  # also while what was stopped is being ended
    more = view.more(more_asked, None, options, **PICK).then(**whole)
    drawn = parts.redraw.change(**adapt).success(**cheap)
    switched = method.input(cancels=[run, more, drawn], **adapt).success(**cheap)
    tuned = gr.on(
        [getattr(one, "release", one.input) for one in options],
        cancels=[run, more, drawn, switched],
        trigger_mode="always_last",
        **cheap,
    )
    running = [run, more, drawn, switched, tuned]
    stopping(stop, running)
    parts.saves.wire(view, parts.explorer, parts.rail, attribution_map.save, **chosen)
    return running
