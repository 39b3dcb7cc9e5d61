"""Take a view along: its picture as PNG or SVG, its numbers as npz."""

import io
import re
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import gradio as gr
import numpy as np
from matplotlib.figure import Figure

from explorer.ui.components import View, picked
from explorer.ui.selection import QUICK, QUIET

CLICK = "() => document.querySelector('#download').click()"


def npz(name: str, **arrays: np.ndarray) -> tuple[bytes, str]:
    """Content and name of a file with the numbers as they are."""
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue(), f"{name}.npz"


def saved_figure(figure: Figure, kind: str, name: str) -> tuple[bytes, str]:
    file = io.BytesIO()
    figure.savefig(file, format=kind, dpi=200)
    return file.getvalue(), f"{name}.{kind}"


class Saves:
    """One hidden download for the whole page; every view's Save buttons go through it."""

    def __init__(self) -> None:
        self.kind = gr.Textbox(visible=False)
        self.file = gr.DownloadButton(visible="hidden", elem_id="download")
        self.folder = tempfile.TemporaryDirectory(prefix="mixscope-")

    def wire(self, view: View, handler: Callable, asked: list, others: list) -> None:
        """`handler(*asked, kind, *others)` gives the content and name of the file to save."""

        def written(*values) -> str:
            content, name = handler(*values)
            self.forget_old()
            path = Path(tempfile.mkdtemp(dir=self.folder.name)) / re.sub(r"[^\w.-]", "_", name)
            path.write_bytes(content)
            return str(path)

        view.save(picked, None, self.kind, **QUIET).then(
            written, [*asked, self.kind, *others], self.file, **QUICK
        ).success(None, js=CLICK, **QUIET)

    def forget_old(self) -> None:
        """Gradio has made its own copy long ago of what was written a minute ago."""
        for folder in Path(self.folder.name).iterdir():
            if time.time() - folder.stat().st_mtime > 60:
                shutil.rmtree(folder, ignore_errors=True)
