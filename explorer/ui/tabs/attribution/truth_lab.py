"""The truth lab: which methods find a known cause in which families, and one row of it computed again."""

from collections.abc import Iterator

import gradio as gr
import numpy as np

from explorer.attribution.benchmark import truth_lab as truth
from explorer.attribution.benchmark.truth_lab import Score
from explorer.attribution.registry import METHODS
from explorer.engine.engine import locked
from explorer.errors import ChoiceError
from explorer.explorer import Explorer
from explorer.ui.components import View, render, sentence
from explorer.ui.controls import IDLE, QUIET, RUNNING, Control, starting, stopping
from explorer.ui.downloads import Saved, npz
from explorer.ui.selection import SLOW, Selection, wired
from explorer.ui.tabs.registry import TabParts
from explorer.ui.throttle import throttled
from models import card

MEASURES = {"pointing": "Pointing hit", "mass": "Mass on the cause", "rank_accuracy": "Rank accuracy"}


AXES = {"methods": "method: name", "models": "model: name", "": "method model: share"}
PYTHON = """from explorer.attribution.benchmark.truth_lab import row

print(row('integrated_gradients'))"""


def page(measure: str, live: dict | None = None) -> str:
    """The shipped table by one measure, and the row that is computed again."""
    names = truth.nanos()
    rows = [
        (METHODS[method].title, [cell(known.get(name), measure) for name in names])
        for method, known in ((method, truth.row(method)) for method in METHODS)
    ]
    return render(
        "truth_lab",
        title="Truth lab",
        families=[card(name).family for name in names],
        rows=rows,
        measure=MEASURES[measure],
        scenes=truth.shipped()["scenes"],
        live=live,
        python=PYTHON,
    )


def save(_explorer: Explorer, _selection: Selection, kind: str) -> Saved:
    """The shipped table `[methods, models]` by each measure; what means nothing is no number."""
    names = truth.nanos()
    rows = [[truth.row(method).get(name) for name in names] for method in METHODS]
    tables = {
        measure: np.array([[cell(one, measure)["value"] for one in row] for row in rows], float)
        for measure in MEASURES
    }
    return npz("truth_lab", AXES, methods=list(METHODS), models=names, **tables)


def at_first() -> str:
    """The table, or in a sentence why there is none; the page is there all the same."""
    try:
        return page("rank_accuracy")
    except ChoiceError as error:
        return sentence(str(error))


def cell(score: Score | str | None, measure: str) -> dict:
    if isinstance(score, Score):
        return {"value": getattr(score, measure), "reason": ""}
    return {"value": None, "reason": score or ""}


def again(explorer: Explorer, selection: Selection, measure: str, method: str) -> Iterator[tuple]:
    """A row computed live, for the model that is chosen."""
    loaded = selection.loaded(explorer)
    if loaded.weights != "scenes" or not loaded.labels:
        raise ChoiceError("The causes are known for scenes: choose a model trained on scenes.")
    explorer.attribution.applicable(loaded, method)
    name, apart = loaded.card.name.partition("@")[0], loaded.apart
    for score in throttled(locked(apart, truth.scores(apart.model, name, method))):
        live = {"method": METHODS[method].title, "model": name, "score": score}
        yield page(measure, live), IDLE if score.scenes == len(truth.SEEDS) else RUNNING


def build(parts: TabParts, method: Control) -> tuple[list, dict[str, Control]]:
    """Gives the events that can be stopped, and the controls of a link."""
    with gr.Row(elem_classes="controls"):
        measure = gr.Radio(
            [(words, name) for name, words in MEASURES.items()],
            value="rank_accuracy",
            label="Measure",
            min_width=320,
        )
        go = gr.Button("Compute this method again", scale=0, min_width=220, elem_id="truth-run")
        stop = gr.Button("Stop", interactive=False, scale=0, min_width=70, elem_id="truth-stop")
    view = View(at_first(), elem_id="truth")
    parts.saves.wire(view, parts.explorer, parts.rail, save)
    measure.change(page, measure, view, **QUIET)
    asks = wired(parts.explorer, parts.rail, again, measure=measure, method=method)
    starting(go, stop)
    run = go.click(**asks, outputs=[view, stop], **SLOW)
    stopping(stop, [run])
    return [run], {"measure": measure}
