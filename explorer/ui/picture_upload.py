"""Uploads that hand over files and never fail silently, and the example pictures."""

from pathlib import Path

import gradio as gr
from gradio.utils import get_upload_folder

from explorer.errors import PictureError
from explorer.explorer import Explorer
from explorer.ui.examples import EXAMPLES
from models.registry import ASSETS

# When a picture is taken away, Gradio 6.31 tells the one that was there; a moment later the page is right.
TAKEN_AWAY = """async (...values) => {
  await new Promise(resolve => setTimeout(resolve, 30));
  return document.querySelector('#picture img') ? values : [null, ...values.slice(1)];
}"""


class PictureUpload(gr.Image):
    """An image input that hands over the path of the upload, undecoded; the core decodes."""

    is_template = True  # for the front end this is a plain image

    def preprocess(self, payload) -> str | None:
        if payload is None:
            return None
        inline = (payload.url or "").startswith("data:")
        if not payload.path or inline or (here := came_here(payload.path)) is None:
            raise gr.Error("Upload the picture as a file.", print_exception=False)
        return str(here)


class FilesUpload(gr.UploadButton):
    """A button that hands over the paths of uploads, undecoded; what they hold is for our handler to say."""

    refusal: str  # of what is no upload

    def preprocess(self, payload) -> list[str]:
        """Paths of uploaded files, and of no others."""
        paths = [one.path for one in getattr(payload, "root", [])]
        if not all(map(came_here, paths)):
            raise gr.Error(self.refusal, print_exception=False)
        return paths

    def get_block_name(self) -> str:
        return "uploadbutton"


class PicturesUpload(FilesUpload):
    """A button for pictures, or zips of them."""

    refusal = "Upload the pictures as files."


def came_here(path: str) -> Path | None:
    """The file, if it is one of the examples or was uploaded; no other file of this machine is looked at.

    An upload lies in a folder named for its content, which nobody can name who does not have it. Examples may
    be named as they lie in the project, `assets/examples/photographs/1-cat.jpg`.
    """
    try:
        given = (ASSETS.parent / path).resolve(strict=True)
        folder = Path(get_upload_folder()).resolve()
    except (OSError, ValueError, RuntimeError):
        return None
    return given if given in EXAMPLES or (given.is_file() and given.is_relative_to(folder)) else None


def usable(explorer: Explorer, upload: str) -> bool:
    """Whether an upload is a picture; where not, the visitor is told in one sentence."""
    try:
        explorer.digest(upload)
    except PictureError as error:
        gr.Warning(str(error), title="This picture cannot be used")
        return False
    return True
