"""The score card of the map that is shown, part by part, on demand."""

from collections.abc import Callable, Iterator

import gradio as gr

from explorer.attribution.faithfulness import STEPS, Curves, ScoreCard
from explorer.attribution.methods.case import Options
from explorer.attribution.registry import METHODS
from explorer.explorer import Explorer
from explorer.ui.components import View, render, sentence
from explorer.ui.controls import IDLE, RUNNING, stopping
from explorer.ui.downloads import Saves, npz
from explorer.ui.selection import QUIET, SLOW, Asked, Rail, bound
from explorer.ui.throttle import paced

EMPTY = "Press Score to test the map that is chosen above."
COLOURS = ("#4f46e5", "#64748b", "#d97706")  # the method, then the controls
DASHES = ("", "2 2", "5 2")


def cards(explorer: Explorer, asked: Asked, method: str, options: Options) -> Iterator[ScoreCard]:
    asked.loaded(explorer)
    yield from explorer.score_card(
        asked.model, asked.open(), asked.weights, method=method, target=asked.target, options=options
    )


def page(explorer: Explorer, asked: Asked, card: ScoreCard) -> str:
    return render(
        "score_card",
        title="Score card",
        card=card,
        name=METHODS[card.method].title,
        label=asked.loaded(explorer).labels[card.target],
        charts=[chart(card, kind) for kind in ("deletion", "insertion")],
        python=asked.python(
            f"*_, card = explorer.score_card(model, picture, weights, method={card.method!r})",
            "print(card.line, card.infidelity, card.sensitivity, card.randomised)",
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


def build(
    explorer: Explorer, rail: Rail, turn: gr.Textbox, saves: Saves, given: list, options_of: Callable
) -> list:
    """`given` are the controls of the method; gives the events that can be stopped."""

    def draw(explorer: Explorer, asked: Asked, method: str, *chosen) -> Iterator[tuple]:
        for card in paced(cards(explorer, asked, method, options_of(*chosen, method))):
            yield page(explorer, asked, card), IDLE if card.done == card.total else RUNNING

    def save(explorer: Explorer, asked: Asked, kind: str, method: str, *chosen):
        *_, card = cards(explorer, asked, method, options_of(*chosen, method))
        arrays = {
            f"{name}_{k}": getattr(c, k) for name, c in card.curves.items() for k in ("deletion", "insertion")
        }
        return npz(f"{asked.model}_{method}_score", randomised=card.randomised, **arrays)

    with gr.Row(elem_classes="controls"):
        go = gr.Button("Score", variant="primary", scale=0, min_width=90, elem_id="score-run")
        stop = gr.Button("Stop", interactive=False, scale=0, min_width=70, elem_id="score-stop")
    view = View(sentence(EMPTY), elem_id="score")
    run = go.click(bound(draw, explorer), [*rail.inputs, *given], [view, stop], **SLOW)
    stopping(stop, [run])
    turn.change(lambda: (sentence(EMPTY), IDLE), None, [view, stop], **QUIET)
    saves.wire(view, bound(save, explorer), rail.inputs, given)
    return [run]
