"""Take a view along: its picture as PNG or SVG, its numbers as npz."""

import io
import re
import shutil
import tempfile
import time
import weakref
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import gradio as gr
from matplotlib.figure import Figure

from explorer.errors import ChoiceError
from explorer.explorer import Explorer
from explorer.ui.components import View
from explorer.ui.controls import QUIET, Control
from explorer.ui.saved_facts import facts, of_arrays, packed, with_facts
from explorer.ui.selection import QUICK, Rail, Selection, wired

KINDS = ("png", "svg", "npz")
# Once the button knows the new file.
CLICK = "() => { setTimeout(() => document.querySelector('#download').click()) }"


def npz(name: str, axes: Mapping[str, str], /, **arrays: Any) -> tuple[bytes, str]:
    """Content and name of a file with the numbers as they are.

    axes: by the name of an array, or "" for all others, its axes and its unit: `"row column: logit"`.
    """
    return packed({"arrays": of_arrays(axes, arrays)}, arrays), f"{name}.npz"


def saved_figure(figure: Figure, kind: str, name: str) -> tuple[bytes, str]:
    file = io.BytesIO()
    figure.savefig(file, format=kind, dpi=200)
    return file.getvalue(), f"{name}.{kind}"


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
        """`handler(explorer, selection, kind, name=value, ...)` gives a file's content and name."""

        def written(explorer: Explorer, selection: Selection, kind: str, **values) -> tuple[str, str]:
            if kind not in KINDS:
                raise ChoiceError(f"A view is saved as one of {', '.join(KINDS)}.")
            content, name = handler(explorer, selection, kind=kind, **values)
            content = with_facts(content, facts(explorer, selection, values))
            self.forget_old()
            path = Path(tempfile.mkdtemp(dir=self.folder)) / re.sub(r"[^\w.-]", "_", name)
            path.write_bytes(content)
            return str(path), str(path)

        asks = wired(explorer, rail, written, **controls, kind=None)
        *inputs, _ = asks["inputs"]

        def saved(event: gr.EventData, *values: Any) -> tuple[str, str]:
            return asks["fn"](*values, str(getattr(event, "kind", "")))

        view.save(saved, inputs, [self.file, self.written], **QUICK | {"trigger_mode": "once"})

    def forget_old(self) -> None:
        """Gradio has made its own copy long ago of what was written a minute ago."""
        for folder in self.folder.iterdir():
            if time.time() - folder.stat().st_mtime > 60:
                shutil.rmtree(folder, ignore_errors=True)
