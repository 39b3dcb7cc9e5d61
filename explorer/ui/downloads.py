"""Take a view along: its picture as PNG or SVG, its numbers as npz."""

import re
import shutil
import tempfile
import time
import weakref
from collections.abc import Callable, Mapping, Sized
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import gradio as gr
import numpy as np
from matplotlib.figure import Figure

from explorer.errors import ChoiceError
from explorer.explorer import Explorer
from explorer.figures.raster import png
from explorer.ui.components import View
from explorer.ui.controls import QUIET, Control
from explorer.ui.saved_facts import drawn, facts, of_arrays, packed, texts
from explorer.ui.selection import QUICK, Rail, Selection, wired

REPORT = "html"
PARQUET = "parquet"
KINDS = ("png", "svg", "npz", PARQUET, REPORT)
# Once the button knows the new file.
CLICK = "() => { setTimeout(() => document.querySelector('#download').click()) }"


Shown = TypeVar("Shown", bound=Sized)
# What makes a file that says these facts of itself, in Chinese where the page is, and the name of the file.
Saved = tuple[Callable[[Mapping[str, Any], bool], bytes], str]


def npz(name: str, axes: Mapping[str, str], /, **arrays: Any) -> Saved:
    """A file with the numbers as they are.

    axes: by the name of an array, or "" for all others, its axes and its unit: `"row column: logit"`.
    """
    known = {"arrays": of_arrays(axes, arrays)}
    return lambda about, _: packed({**about, **known}, arrays), f"{name}.npz"


def saved_figure(figure: Figure, kind: str, name: str) -> Saved:
    return partial(drawn, figure, kind), f"{name}.{kind}"


def saved_pixels(pixels: np.ndarray, name: str) -> Saved:
    """uint8 `[h, w, 3]`, pixel by pixel."""
    return lambda about, _: png(pixels, texts(about)), f"{name}.png"


def there(found: Shown) -> Shown:
    """What a view shows. Raises ChoiceError where that is nothing, as of a model that came after it."""
    if not found:
        raise ChoiceError("This view shows nothing of this model, so there is nothing to save.")
    return found


class Saves:
    """One hidden download for the whole page; every view's Save buttons go through it."""

    def __init__(self) -> None:
        self.file = gr.DownloadButton(visible="hidden", elem_id="download")
        self.written = gr.Textbox(visible="hidden")  # the file that was written last
        self.written.change(None, js=CLICK, **QUIET)
        self.folder = Path(tempfile.mkdtemp(prefix="mixscope-"))
        weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)

    def wire(
        self, view: View, explorer: Explorer, rail: Rail, handler: Callable, **controls: Control
    ) -> None:
        """`handler(explorer, selection, kind, name=value, ...)` gives what is saved."""

        def written(
            explorer: Explorer, selection: Selection, kind: str, chinese: bool, **values
        ) -> tuple[str, str]:
            if kind not in KINDS:
                raise ChoiceError(f"A view is saved as one of {', '.join(KINDS)}.")
            make, name = handler(explorer, selection, kind=kind, **values)
            content = make(facts(explorer, selection, values), chinese)
            self.forget_old()
            path = Path(tempfile.mkdtemp(dir=self.folder)) / re.sub(r"[^\w.-]", "_", name)
            path.write_bytes(content)
            return str(path), str(path)

        asks = wired(explorer, rail, written, **controls, kind=None, chinese=None)
        *inputs, _, _ = asks["inputs"]

        def saved(event: gr.EventData, *values: Any) -> tuple[str, str]:
            told = str(getattr(event, "kind", "")), getattr(event, "chinese", False) is True
            return asks["fn"](*values, *told)

        view.save(saved, inputs, [self.file, self.written], **QUICK | {"trigger_mode": "once"})

    def forget_old(self) -> None:
        """Gradio has made its own copy long ago of what was written a minute ago."""
        for folder in self.folder.iterdir():
            if time.time() - folder.stat().st_mtime > 60:
                shutil.rmtree(folder, ignore_errors=True)
