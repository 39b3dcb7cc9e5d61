"""What the lens What if shows: what the model says before and after, and what the change did elsewhere."""

from typing import Any

import numpy as np

from explorer.capture import Run
from explorer.engine.model_store import Loaded
from explorer.explorer import Explorer
from explorer.predictions import predictions
from explorer.reweighting.branch_weights import blends
from explorer.ui.components import render
from explorer.ui.selection import Selection, picture_told
from explorer.ui.tabs.reweighting.changes import Changes, described, python


def page(explorer: Explorer, selection: Selection, changes: Changes, after: Run, other: str | None) -> str:
    loaded, before = selection.loaded(explorer), selection.run(explorer)
    named = sorted({type(one).__name__ for one in changes.now})
    extra = (
        "from explorer.reweighting.branch_weights import block_of, branch_weights\n"
        if "Taken" in named
        else ""
    )
    return render(
        "what_if",
        title="What if",
        rows=rows(loaded, before, after, selection.target),
        target=None if not loaded.labels else shift(explorer, selection, loaded, before, after),
        changes=[described(one) for one in changes.now],
        responses=responses(before, after, {one.block for one in changes.now}),
        branches=blends(before)[0].branches,
        steps=len(changes.steps),
        python=selection.python(
            *python(changes.now, picture_told(other, "other.png")),
            "run = explorer.inspect(model, picture, weights, interventions=changes)",
            "print(run.logits.softmax(dim=1))",
            imports=f"{extra}from explorer.reweighting.interventions import {', '.join(named)}"
            if named
            else "",
        ),
    )


def rows(loaded: Loaded, before: Run, after: Run, target: int | None) -> list[dict]:
    """Probabilities before and after, of the classes likeliest in either."""
    if not loaded.labels:
        return []
    first, then = (
        {one.index: one for one in predictions(run.logits, loaded.labels, len(loaded.labels))}
        for run in (before, after)
    )
    wanted = [*list(first)[:4], *list(then)[:3], *([] if target is None else [target])]
    return [
        {"label": first[i].label, "before": first[i].probability, "after": then[i].probability}
        for i in dict.fromkeys(wanted)
    ]


def shift(explorer: Explorer, selection: Selection, loaded: Loaded, before: Run, after: Run) -> dict:
    """What becomes of the logit of the class to explain."""
    index = explorer.target(*selection.question, selection.target)
    first, then = float(before.logits[0, index]), float(after.logits[0, index])
    return {"label": loaded.labels[index], "before": first, "after": then, "change": then - first}


def responses(before: Run, after: Run, touched: set[str]) -> list[dict]:
    """Blocks nobody touched that blend otherwise now, the most changed first."""
    found: list[dict[str, Any]] = []
    for one, other in zip(blends(before), blends(after), strict=True):
        size = float(np.abs(other.values - one.values).mean())
        if one.block not in touched and size > 1e-4:
            found.append({"block": one.block, "before": one.mean, "after": other.mean, "size": size})
    return sorted(found, key=lambda row: -row["size"])[:6]
