"""Up to six methods side by side on one picture, cheapest first, and what they agree on."""

from collections.abc import Iterator

import gradio as gr
import numpy as np
from scipy.stats import rankdata

from explorer.attribution.registry import METHODS, Attribution, Options
from explorer.errors import ChoiceError
from explorer.explorer import Explorer
from explorer.figures.colour import painted, scale_of
from explorer.figures.raster import data_uri
from explorer.ui.components import View, render, sentence
from explorer.ui.controls import IDLE, RUNNING, stopping
from explorer.ui.downloads import Saves, npz
from explorer.ui.picture_upload import as_seen
from explorer.ui.selection import QUIET, SLOW, Asked, Rail, bound
from explorer.ui.throttle import paced

MOST = 6
FIRST = ["saliency", "integrated_gradients", "smooth_grad", "grad_cam", "occlusion", "random"]
EMPTY = "Choose up to six methods and press Compare."


def chosen(names: list[str]) -> list[str]:
    """The methods asked for, cheapest first."""
    if not 1 <= len(names) <= MOST:
        raise ChoiceError(f"Choose one to {MOST} methods to compare; {len(names)} are chosen.")
    return sorted(names, key=lambda name: METHODS[name].evaluations(Options()))


def maps(explorer: Explorer, asked: Asked, names: list[str]) -> Iterator[dict[str, Attribution | str]]:
    """The maps so far, each as good as it is by now; a method that means nothing here gives its reason."""
    asked.loaded(explorer)
    found: dict[str, Attribution | str] = {}
    for name in chosen(names):
        verdict = explorer.preflight(asked.model, asked.weights, name)
        if verdict.level == "meaningless":
            found = {**found, name: verdict.reason}
            yield found
            continue
        for part in explorer.attribute(
            asked.model, asked.open(), asked.weights, method=name, target=asked.target
        ):
            found = {**found, name: part}
            yield found


def agreement(found: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Mean and spread, place by place, of where each map ranks a place: 0 last, 1 first `[h, w]`."""
    height, width = (max(one.shape[axis] for one in found) for axis in (0, 1))
    ranked = []
    for one in found:
        rows, columns = np.arange(height) * one.shape[0] // height, np.arange(width) * one.shape[1] // width
        large = one[rows][:, columns]
        ranked.append(rankdata(large).reshape(large.shape) / large.size)
    return np.mean(ranked, axis=0), np.std(ranked, axis=0)


def page(asked: Asked, names: list[str], found: dict, picture: str) -> str:
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
        else [data_uri(painted(one, scale_of(one, signed=False))) for one in both],
        count=len(whole),
        python=asked.python(
            f"for method in {chosen(names)}:",
            "    *_, found = explorer.attribute(model, picture, weights, method=method)",
            "    print(method, found.values.shape, found.values.sum())",
        ),
    )


def cell(name: str, found: Attribution | str | None) -> dict:
    """One method in the grid: its map by its own range, its reason, or nothing yet."""
    made = {"title": METHODS[name].title, "reason": found if isinstance(found, str) else "", "map": None}
    if isinstance(found, Attribution) and found.done == found.total and not found.says_something:
        made["reason"] = found.warning
    elif isinstance(found, Attribution):
        scale = scale_of(found.values, signed=found.signed)
        made |= {"map": data_uri(painted(found.values, scale)), "scale": scale}
        made |= {"done": found.done, "total": found.total, "warning": found.warning}
    return made


def build(explorer: Explorer, rail: Rail, turn: gr.Textbox, saves: Saves) -> list:
    """Gives the events that can be stopped."""

    def draw(explorer: Explorer, asked: Asked, names: list[str]) -> Iterator[tuple]:
        found: dict = {}
        picture = data_uri(as_seen(asked.open(), asked.loaded(explorer).preprocess))
        for found in paced(maps(explorer, asked, names)):
            yield page(asked, names, found, picture), RUNNING
        yield page(asked, names, found, picture), IDLE

    def save(explorer: Explorer, asked: Asked, kind: str, names: list[str]):
        *_, found = maps(explorer, asked, names)
        values = {name: one.values for name, one in found.items() if isinstance(one, Attribution)}
        return npz(f"{asked.model}_side_by_side", **values)

    with gr.Row(elem_classes="controls"):
        names = gr.Dropdown(
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
    run = go.click(bound(draw, explorer), [*rail.inputs, names], [view, stop], **SLOW)
    stopping(stop, [run])
    turn.change(lambda: (sentence(EMPTY), IDLE), None, [view, stop], **QUIET)
    saves.wire(view, bound(save, explorer), rail.inputs, [names])
    return [run]
