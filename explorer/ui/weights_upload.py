"""Weights of the visitor's own: uploaded, read into memory, and freed when the visitor leaves.

The name they are loaded by stays on the server, in the state of the session: nobody else can ask for them.
"""

from pathlib import Path
from threading import Lock
from typing import Any

import gradio as gr

from explorer.errors import ChoiceError
from explorer.explorer import Explorer
from explorer.ui.alerts import shown
from explorer.ui.picture_upload import FilesUpload
from explorer.ui.selection import QUICK, UPLOAD, Rail

KINDS = [".safetensors", ".txt"]
WORDS = "Choose a .safetensors file, and with it a .txt of its class names where they are not the usual ones."


class WeightsUpload(FilesUpload):
    """A button for the files of weights."""

    refusal = "Upload the weights as a file."


class Uploads:
    """Which session brought which weights: one at a time, freed with the next or when the visitor leaves."""

    def __init__(self, explorer: Explorer) -> None:
        self.explorer = explorer
        self._lock = Lock()
        self._names: dict[str, str] = {}

    def bring(self, session: str, model: str, paths: list[str]) -> str:
        """Read the files into memory and away from the disk; gives the name they are loaded by."""
        try:
            name = self.explorer.upload(model, *sorted_files(paths))
        finally:
            for path in paths:
                Path(path).unlink(missing_ok=True)
        self.free(session)
        with self._lock:
            self._names[session] = name
        return name

    def free(self, session: str) -> None:
        with self._lock:
            name = self._names.pop(session, None)
        if name is not None:
            self.explorer.engine.models.forget(name)


def sorted_files(paths: list[str]) -> tuple[Path, Path | None]:
    """The weights, and the names of their classes where they came along."""
    files = {Path(path).suffix: Path(path) for path in paths}
    if len(files) != len(paths) or not files or not files.keys() <= set(KINDS) or KINDS[0] not in files:
        raise ChoiceError(WORDS)
    return files[KINDS[0]], files.get(KINDS[1])


def connect(app: gr.Blocks, explorer: Explorer, rail: Rail, files: WeightsUpload, running: list) -> Any:
    """Whatever runs is stopped when weights are brought; gives the event after which they are there."""
    uploads = Uploads(explorer)

    def bring(paths: list[str], model: str, request: gr.Request) -> tuple[str, str]:
        return uploads.bring(str(request.session_hash), model, paths), UPLOAD

    def leave(request: gr.Request) -> None:
        uploads.free(str(request.session_hash))

    app.unload(leave)
    lane = {**QUICK, "trigger_mode": "once"}
    return files.upload(
        shown(bring), [files, rail.model], [rail.upload, rail.choice], cancels=running, **lane
    )
