"""An upload that hands over files and never fails silently, and the example pictures."""

import gradio as gr

from explorer.errors import PictureError
from explorer.explorer import Explorer
from models.registry import ASSETS

EXAMPLES = tuple(sorted((ASSETS / "examples").glob("*.png")))


class PictureUpload(gr.Image):
    """An image input that hands over the path of the upload, undecoded; the core decodes."""

    is_template = True  # for the front end this is a plain image

    def preprocess(self, payload) -> str | None:
        if payload is None:
            return None
        if not payload.path or (payload.url or "").startswith("data:"):
            raise gr.Error("Upload the picture as a file.", print_exception=False)
        return payload.path


def usable(explorer: Explorer, upload: str) -> bool:
    """Whether an upload is a picture; where not, the visitor is told in one sentence."""
    try:
        explorer.digest(upload)
    except PictureError as error:
        gr.Warning(str(error), title="This picture cannot be used")
        return False
    return True
