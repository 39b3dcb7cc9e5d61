"""Up to six methods side by side on one picture, cheapest first, and what they agree on."""

from collections.abc import Iterator
from typing import Any

import gradio as gr
import numpy as np

from explorer.attribution.options import Options
from explorer.attribution.registry import METHODS
from explorer.attribution.running import Attribution
from explorer.engine.late_imports import late
from explorer.errors import ChoiceError
from explorer.explorer import Explorer
from explorer.figures.colour import painted, scale_of
from explorer.figures.raster import data_uri, photograph_uri
from explorer.ui.components import View, render, sentence
from explorer.ui.controls import IDLE, QUIET, RUNNING, Control, Several, starting, stopping
from explorer.ui.downloads import Saved, npz
from explorer.ui.selection import SLOW, Selection, wired
from explorer.ui.tabs.registry import TabParts
from explorer.ui.throttle import throttled

MOST = 6
FIRST = ["saliency", "integrated_gradients", "smooth_grad", "grad_cam", "occlusion", "random"]
EMPTY = "Choose up to six methods and press Compare."


def refuse_wrong_number(names: list[str]) -> None:
    """Raises ChoiceError for none, or for more than fit side by side."""
    if not 1 <= len(names) <= MOST:
        raise ChoiceError(f"Choose one to {MOST} methods to compare; {len(names)} are chosen.")


def chosen(names: list[str]) -> list[str]:
    """The methods asked for, cheapest first."""
    refuse_wrong_number(names)
    return sorted(names, key=lambda name: METHODS[name].evaluations(Options()))


def maps(
    explorer: Explorer, selection: Selection, names: list[str]
) -> Iterator[dict[str, Attribution | str]]:
    """The maps so far, each as good as it is by now; a method that means nothing here gives its reason."""
    selection.loaded(explorer)
    found: dict[str, Attribution | str] = {}
    for name in chosen(names):
        verdict = explorer.preflight(selection.model, selection.weights, name)
        if verdict.level == "meaningless":
            found = {**found, name: verdict.reason}
            yield found
            continue
        for part in explorer.attribute(*selection.question, method=name, target=selection.target):
            found = {**found, name: part}
            yield found


def agreement(found: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Mean and spread, place by place, of where each map ranks a place: 0 last, 1 first `[h, w]`."""
    height, width = (max(one.shape[axis] for one in found) for axis in (0, 1))
    ranked = []
    for one in found:
        rows, columns = np.arange(height) * one.shape[0] // height, np.arange(width) * one.shape[1] // width
        large = one[rows][:, columns]
        ranked.append(late("scipy.stats").rankdata(large).reshape(large.shape) / large.size)
    return np.mean(ranked, axis=0), np.std(ranked, axis=0)


def page(selection: Selection, names: list[str], found: dict, picture: str) -> str:
    cells = [cell(name, found.get(name)) for name in chosen(names)]
    whole = [one.values for one in found.values() if isinstance(one, Attribution) and one.done == one.total]
    both = agreement(whole) if len(whole) > 1 else None
    return render(
        "side_by_side",
        title="Side by side",
        cells=cells,
        picture=picture,
        agreement=None
        if both is None
        else [
            (data_uri(painted(one, scale)), scale) for one in both for scale in [scale_of(one, signed=False)]
        ],
        count=len(whole),
        python=selection.python(
            f"for method in {chosen(names)}:",
            f'    asked = {{"method": method, "target": {selection.target}}}',
            "    *_, found = explorer.attribute(model, picture, weights, **asked)",
            "    print(method, found.values.shape, found.values.min(), found.values.max())",
        ),
    )


def cell(name: str, found: Attribution | str | None) -> dict:
    """One method in the grid: its map by its own range, its reason, or nothing yet."""
    made: dict[str, Any] = {
        "title": METHODS[name].title,
        "reason": found if isinstance(found, str) else "",
        "map": None,
    }
    if isinstance(found, Attribution) and found.done == found.total and not found.says_something:
        made["reason"] = found.warning
    elif isinstance(found, Attribution):
        scale = scale_of(found.values, signed=found.signed)
        made |= {"map": data_uri(painted(found.values, scale)), "scale": scale}
        made |= {"done": found.done, "total": found.total, "warning": found.warning}
    return made


def draw(explorer: Explorer, selection: Selection, names: list[str]) -> Iterator[tuple]:
    """The grid, as each map is by now."""
    found: dict[str, Attribution | str] = {}
    selection.loaded(explorer)
    picture = photograph_uri(selection.cropped(explorer))
    for found in throttled(maps(explorer, selection, names)):
        yield page(selection, names, found, picture), RUNNING
    yield page(selection, names, found, picture), IDLE


def save(explorer: Explorer, selection: Selection, kind: str, names: list[str]) -> Saved:
    """All maps as numbers."""
    *_, found = maps(explorer, selection, names)
    values = {name: one.values for name, one in found.items() if isinstance(one, Attribution)}
    axes = {name: f"row column: {METHODS[name].unit}" for name in values}
    return npz(f"{selection.model}_side_by_side", axes, **values)


def build(parts: TabParts) -> tuple[list, dict[str, Control]]:
    """Gives the events that can be stopped, and the controls of a link."""
    with gr.Row(elem_classes="controls"):
        names = Several(
            [(method.title, name) for name, method in METHODS.items()],
            value=FIRST,
            multiselect=True,
            max_choices=MOST,
            label="Methods",
            elem_id="side-methods",
            min_width=320,
        )
        go = gr.Button("Compare", variant="primary", scale=0, min_width=110, elem_id="side-run")
        stop = gr.Button("Stop", interactive=False, scale=0, min_width=70, elem_id="side-stop")
    view = View(sentence(EMPTY), elem_id="side")
    starting(go, stop)
    run = go.click(**wired(parts.explorer, parts.rail, draw, names=names), outputs=[view, stop], **SLOW)
    stopping(stop, [run])
    parts.redraw.change(lambda: (sentence(EMPTY), IDLE), None, [view, stop], **QUIET)
    parts.saves.wire(view, parts.explorer, parts.rail, save, names=names)
    return [run], {"methods": names}
