"""Take a view along: its picture as PNG or SVG, its numbers as npz."""

import io
import re
import tempfile
from collections.abc import Callable
from pathlib import Path

import gradio as gr
import numpy as np
from matplotlib.figure import Figure

from explorer.ui.view import View, picked

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

    def wire(self, view: View, handler: Callable, asked: list, others: list) -> None:
        """`handler(*asked, kind, *others)` gives the content and name of the file to save."""

        def written(*values) -> str:
            content, name = handler(*values)
            path = Path(tempfile.mkdtemp(prefix="mixscope-")) / re.sub(r"[^\w.-]", "_", name)
            path.write_bytes(content)
            return str(path)

        hidden = {"show_progress": "hidden", "api_visibility": "private"}
        view.save(picked, None, self.kind, **hidden).then(
            written, [*asked, self.kind, *others], self.file, concurrency_id="quick", **hidden
        ).success(None, js=CLICK, **hidden)
