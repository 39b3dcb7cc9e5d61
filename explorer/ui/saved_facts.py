"""What a saved file says of itself: of which model, weights, class and picture it is, and what was chosen.

An npz has one array more, `about`, a JSON text: these facts, and under `arrays` of each array its axes and
the unit of its values. A PNG has the same facts as text chunks, an SVG as the description in its metadata.
"""

import io
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from explorer.explorer import Explorer
from explorer.report.figure_words import figure_in_chinese
from explorer.ui.selection import Selection, picture_told

ABOUT = "about"
AXIS = re.compile(r"\([^)]*\)|\S+")  # several that count as one stand in brackets


def facts(explorer: Explorer, selection: Selection, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Of what a file is saved; `settings` are the values of the view's controls by their names."""
    about = {"model": selection.model, "weights": selection.choice_told, "class": None, "picture": None}
    if selection.picture is not None:
        about |= {"picture": picture_told(selection.picture), "digest": explorer.digest(selection.picture)}
        about["class"] = explained(explorer, selection)
    return {**about, "settings": {name: plain(value) for name, value in settings.items()}}


def explained(explorer: Explorer, selection: Selection) -> str | None:
    """The class that is explained; None for a single block, which has none."""
    labels = selection.loaded(explorer).labels
    if not labels:
        return None
    if selection.target is not None and selection.target < len(labels):
        return labels[selection.target]
    return explorer.predict(*selection.question)[0].label


def plain(value: Any) -> Any:
    """A value of a control as JSON has it."""
    if isinstance(value, Mapping):
        return {str(name): plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(told := getattr(value, "told", None), str):  # less than all of it
        return told
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, str) and Path(value).is_absolute():  # of this machine nothing is told
        return picture_told(value)
    return value if value is None or isinstance(value, str | int | float) else str(value)


def of_arrays(axes: Mapping[str, str], arrays: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Axes and unit of each array, from `"row column: logit"` by its name, or by "" for all others."""
    told = {name: axes.get(name, axes.get("", "")).partition(":") for name in arrays}
    return {
        name: {"axes": AXIS.findall(named), "unit": unit.strip()} for name, (named, _, unit) in told.items()
    }


def packed(about: Mapping[str, Any], arrays: Mapping[str, Any]) -> bytes:
    """The bytes of an npz."""
    file = io.BytesIO()
    kept: dict[str, Any] = {**arrays, ABOUT: json.dumps(about)}
    np.savez_compressed(file, **kept)
    return file.getvalue()


def drawn(figure: Figure, kind: str, about: Mapping[str, Any], chinese: bool) -> bytes:
    """The bytes of a drawing. Of SVG's own metadata (Dublin Core) the description holds the facts."""
    figure = figure_in_chinese(figure) if chinese else figure
    file = io.BytesIO()
    metadata = {"Description": json.dumps(about)} if kind == "svg" else texts(about)
    figure.savefig(file, format=kind, dpi=200, metadata=metadata)
    return file.getvalue()


def texts(about: Mapping[str, Any]) -> dict[str, str]:
    """The facts as text chunks of a PNG."""
    return {name: one if isinstance(one, str) else json.dumps(one) for name, one in about.items()}
