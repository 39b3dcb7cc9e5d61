"""The score card of the map that is shown, part by part, on demand."""

from collections.abc import Iterator

import gradio as gr
import numpy as np

from explorer.attribution.faithfulness import STEPS, Curves
from explorer.attribution.options import Options, spoken
from explorer.attribution.registry import METHODS
from explorer.attribution.score_card import ScoreCard
from explorer.explorer import Explorer
from explorer.ui.components import View, render, sentence
from explorer.ui.controls import IDLE, QUIET, RUNNING, Control, starting, stopping
from explorer.ui.downloads import Saved, npz
from explorer.ui.selection import SLOW, Selection, wired
from explorer.ui.tabs.attribution.option_controls import options_of
from explorer.ui.tabs.registry import TabParts
from explorer.ui.throttle import throttled

AXES = {"randomised": "level: rank correlation", "": "step: probability"}

EMPTY = "Press Score to test the map that is chosen above."
COLOURS = ("#4f46e5", "#64748b", "#d97706")  # the method, then the controls
DASHES = ("", "2 2", "5 2")


def cards(explorer: Explorer, selection: Selection, method: str, options: Options) -> Iterator[ScoreCard]:
    selection.loaded(explorer)
    yield from explorer.score_card(
        *selection.question,
        method=method,
        target=selection.target,
        options=options,
    )


def page(explorer: Explorer, selection: Selection, card: ScoreCard, options: Options) -> str:
    labels = selection.loaded(explorer).labels
    rival = () if options.against is None else ("against",)
    told = spoken(options, (*METHODS[card.method].uses, *rival))
    return render(
        "score_card",
        title="Score card",
        card=card,
        name=METHODS[card.method].title,
        label=labels[card.target],
        rival=None if options.against is None else labels[options.against],
        charts=[chart(card, kind) for kind in ("deletion", "insertion")],
        python=selection.python(
            f"options = Options({told})",
            f"*_, card = explorer.score_card(model, picture, weights, method={card.method!r},",
            f"                               target={card.target}, options=options)",
            "print(card.line, card.infidelity, card.sensitivity, card.randomised)",
            imports="from explorer import Options",
        ),
    )


def chart(card: ScoreCard, kind: str) -> dict:
    """The lines of one chart, as points of an SVG 100 wide and 60 high."""
    return {
        "kind": kind,
        "lines": [
            {
                "title": METHODS[name].title,
                "points": points(curves, kind),
                "colour": COLOURS[index % 3],
                "dash": DASHES[index % 3],
                "area": curves.areas[kind == "insertion"],
            }
            for index, (name, curves) in enumerate(card.curves.items())
        ],
    }


def points(curves: Curves, kind: str) -> str:
    values = getattr(curves, kind)
    return " ".join(
        f"{100 * step / STEPS:.1f},{60 - 60 * float(value):.2f}" for step, value in enumerate(values)
    )


def draw(explorer: Explorer, selection: Selection, *, method: str, **given) -> Iterator[tuple]:
    """The card, part by part."""
    options = options_of(method, given)
    for card in throttled(cards(explorer, selection, method, options)):
        yield page(explorer, selection, card, options), IDLE if card.done == card.total else RUNNING


def save(explorer: Explorer, selection: Selection, *, kind: str, method: str, **given) -> Saved:
    """The curves of the method and the controls, as numbers."""
    *_, card = cards(explorer, selection, method, options_of(method, given))
    arrays = {
        f"{name}_{k}": getattr(c, k) for name, c in card.curves.items() for k in ("deletion", "insertion")
    }
    return npz(
        f"{selection.model}_{method}_score", AXES, randomised=np.array(card.randomised, dtype=float), **arrays
    )


def build(parts: TabParts, chosen: dict[str, Control]) -> list:
    """`chosen` are the method and its options; gives the events that can be stopped."""
    with gr.Row(elem_classes="controls"):
        go = gr.Button("Score", variant="primary", scale=0, min_width=90, elem_id="score-run")
        stop = gr.Button("Stop", interactive=False, scale=0, min_width=70, elem_id="score-stop")
    view = View(sentence(EMPTY), elem_id="score")
    starting(go, stop)
    run = go.click(**wired(parts.explorer, parts.rail, draw, **chosen), outputs=[view, stop], **SLOW)
    stopping(stop, [run])
    parts.redraw.change(lambda: (sentence(EMPTY), IDLE), None, [view, stop], **QUIET)
    parts.saves.wire(view, parts.explorer, parts.rail, save, **chosen)
    return [run]
