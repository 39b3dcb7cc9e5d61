"""An upload that hands over files and never fails silently, and the example pictures."""

from pathlib import Path

import gradio as gr
from gradio.utils import get_upload_folder

from explorer.errors import PictureError
from explorer.explorer import Explorer
from explorer.ui.examples import EXAMPLES


class PictureUpload(gr.Image):
    """An image input that hands over the path of the upload, undecoded; the core decodes."""

    is_template = True  # for the front end this is a plain image

    def preprocess(self, payload) -> str | None:
        if payload is None:
            return None
        if not payload.path or (payload.url or "").startswith("data:") or not came_here(payload.path):
            raise gr.Error("Upload the picture as a file.", print_exception=False)
        return payload.path


def came_here(path: str) -> bool:
    """Whether a file is one of the examples, or was uploaded; no other file of this machine is looked at.

    An upload lies in a folder named for its content, which nobody can name who does not have it.
    """
    try:
        given, folder = Path(path).resolve(strict=True), Path(get_upload_folder()).resolve()
    except (OSError, ValueError, RuntimeError):
        return False
    return given in EXAMPLES or (given.is_file() and given.is_relative_to(folder))


def usable(explorer: Explorer, upload: str) -> bool:
    """Whether an upload is a picture; where not, the visitor is told in one sentence."""
    try:
        explorer.digest(upload)
    except PictureError as error:
        gr.Warning(str(error), title="This picture cannot be used")
        return False
    return True
