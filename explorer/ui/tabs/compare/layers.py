"""Which layers of two backbones see the picture alike: linear CKA between all of them."""

from collections.abc import Iterator

import gradio as gr

from explorer.explorer import Explorer
from explorer.figures.colour import Scale, painted
from explorer.figures.comparison import likeness_map
from explorer.ui.components import View, render, sentence
from explorer.ui.controls import Menu
from explorer.ui.downloads import npz, saved_figure
from explorer.ui.model_names import backbones
from explorer.ui.selection import Selection, picture_told
from explorer.ui.tabs.compare.backbones import COMPUTING, Bench, Part, is_quick, pairs, python, weights
from models.layer_names import short_part

AXES = {"rows": "row: name", "columns": "column: name", "places": "row column: places", "": "row column: CKA"}

FIRST, SECOND = "vip_nano", "mixer_nano"


def found(explorer: Explorer, selection: Selection, first: str, second: str):
    return explorer.likeness(
        selection.picture, (first, weights(selection, first)), (second, weights(selection, second))
    )


def draw(explorer: Explorer, selection: Selection, first: str, second: str) -> Iterator[Part]:
    slow = [model for model in dict.fromkeys([first, second]) if not is_quick(explorer, selection, model)]
    if slow:
        yield Part(sentence(f"The picture passes through {' and '.join(slow)} …"), at_once=True)
    yield Part(page(explorer, selection, first, second))


def page(explorer: Explorer, selection: Selection, first: str, second: str) -> str:
    made = found(explorer, selection, first, second)
    return render(
        "compare_layers",
        title="Likeness of layers",
        made=made,
        rows=[short_part(name) for name in made.rows],
        columns=[short_part(name) for name in made.columns],
        colours=painted(made.values, Scale(0.0, 1.0, signed=False)),
        fewest=int(made.places.min()),
        python=python(
            f"first, second = {pairs(selection, [first, second])}",
            f'found = explorer.likeness("{picture_told(selection.picture)}", first, second)',
            "print(found.rows, found.columns, found.values, found.chance, found.best)",
        ),
    )


def save(explorer: Explorer, selection: Selection, kind: str, first: str, second: str):
    made = found(explorer, selection, first, second)
    name = f"{first}_{second}_cka"
    if kind == "npz":
        return npz(
            name,
            AXES,
            rows=made.rows,
            columns=made.columns,
            cka=made.values,
            chance=made.chance,
            places=made.places,
        )
    rows, columns = ([short_part(one) for one in names] for names in (made.rows, made.columns))
    figure = likeness_map(made.values, rows, columns, models=made.models, unit="linear CKA")
    return saved_figure(figure, kind, name)


def build(bench: Bench) -> dict:
    """Gives the controls a link remembers."""
    with gr.Row(elem_classes="controls"):
        first = Menu(backbones(), value=FIRST, label="Layers downwards", elem_id="cka-first", min_width=160)
        second = Menu(
            backbones(), value=SECOND, label="Layers to the right", elem_id="cka-second", min_width=160
        )
    view = View(COMPUTING, elem_id="versus-layers")
    bench.streams("layers", draw, view, [first.change, second.change], first=first, second=second)
    bench.saved(view, save, first=first, second=second)
    return {"first": first, "second": second}
