"""Take a view along: its picture as PNG or SVG, its numbers as npz."""

import io
import re
import shutil
import tempfile
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from matplotlib.figure import Figure

from explorer.explorer import Explorer
from explorer.ui.components import View
from explorer.ui.controls import QUIET, Control
from explorer.ui.selection import QUICK, Rail, Selection, wired

CLICK = "() => document.querySelector('#download').click()"


def npz(name: str, **arrays: Any) -> tuple[bytes, str]:
    """Content and name of a file with the numbers as they are."""
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue(), f"{name}.npz"


def saved_figure(figure: Figure, kind: str, name: str) -> tuple[bytes, str]:
    file = io.BytesIO()
    figure.savefig(file, format=kind, dpi=200)
    return file.getvalue(), f"{name}.{kind}"


def kind_of(event: gr.EventData) -> str:
    """Which kind of file was asked for."""
    return str(event.kind)


class Saves:
    """One hidden download for the whole page; every view's Save buttons go through it."""

    def __init__(self) -> None:
        self.kind = gr.Textbox(visible=False)
        self.file = gr.DownloadButton(visible="hidden", elem_id="download")
        self.folder = Path(tempfile.mkdtemp(prefix="mixscope-"))
        weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)

    def wire(
        self, view: View, explorer: Explorer, rail: Rail, handler: Callable, **controls: Control
    ) -> None:
        """`handler(explorer, selection, kind, name=value, ...)` gives a file's content and name."""

        def written(explorer: Explorer, selection: Selection, **values) -> str:
            content, name = handler(explorer, selection, **values)
            self.forget_old()
            path = Path(tempfile.mkdtemp(dir=self.folder)) / re.sub(r"[^\w.-]", "_", name)
            path.write_bytes(content)
            return str(path)

        asks = wired(explorer, rail, written, kind=self.kind, **controls)
        chosen = view.save(kind_of, None, self.kind, **QUIET)
        chosen.then(**asks, outputs=self.file, **QUICK).success(None, js=CLICK, **QUIET)

    def forget_old(self) -> None:
        """Gradio has made its own copy long ago of what was written a minute ago."""
        for folder in self.folder.iterdir():
            if time.time() - folder.stat().st_mtime > 60:
                shutil.rmtree(folder, ignore_errors=True)
