"""The menu of methods, where those that mean nothing on this model say so and why."""

from collections.abc import Iterable
from typing import Any

import gradio as gr

from explorer.attribution.applicability import CHECKS, Verdict
from explorer.attribution.registry import METHODS
from explorer.explorer import Explorer
from explorer.ui.selection import Selection

AT_ONCE = 0.1  # seconds a pass may take; all of the methods in question are tried in some forty of them


def marked_methods(found: Iterable[Verdict]) -> list[tuple[str, str]]:
    """The choices of the menu; a method that is refused goes on with the reason."""
    reasons = {one.method: one.reason for one in found if one.level == "meaningless"}
    return [
        (f"{method.title} · ✕ {reasons[name]}" if name in reasons else method.title, name)
        for name, method in METHODS.items()
    ]


def marking(explorer: Explorer, selection: Selection) -> Any:
    """The menu for this model; of a slow one nothing is tried unasked."""
    quick = bool(selection.loaded(explorer).labels) and selection.pass_seconds(explorer) <= AT_ONCE
    asked = CHECKS if quick else ()
    return gr.Dropdown(
        choices=marked_methods(explorer.preflight(selection.model, selection.weights, name) for name in asked)
    )
