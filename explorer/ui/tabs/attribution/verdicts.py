"""What every method is worth on this model, as it was found by trying."""

from typing import Any

import gradio as gr

from explorer.attribution.applicability import Verdict
from explorer.attribution.registry import METHODS
from explorer.explorer import Explorer
from explorer.ui.components import render
from explorer.ui.downloads import Saved, npz
from explorer.ui.selection import Selection
from explorer.ui.tabs.attribution.marked_methods import marked_methods

UNTRIED = render("untried")


def tried(explorer: Explorer, selection: Selection) -> list[Verdict]:
    return [explorer.preflight(selection.model, selection.weights, name) for name in METHODS]


def draw(explorer: Explorer, selection: Selection) -> tuple[str, Any]:
    """The table, and the menu of methods that says the same."""
    found = tried(explorer, selection)
    page = render(
        "verdicts",
        title="Which methods fit this model",
        rows=[(METHODS[one.method].title, one.level, one.reason) for one in found],
        python=selection.python(
            "for method in METHODS:",
            "    found = explorer.preflight(model, weights, method)",
            "    print(method, found.level, found.reason)",
            imports="from explorer.attribution.registry import METHODS",
        ),
    )
    return page, gr.Dropdown(choices=marked_methods(found))


def save(explorer: Explorer, selection: Selection, kind: str) -> Saved:
    """Levels and reasons as text."""
    found = tried(explorer, selection)
    columns = {name: [getattr(one, name) for one in found] for name in ("method", "level", "reason")}
    return npz(f"{selection.model}_methods", {"": "method: text"}, **columns)
