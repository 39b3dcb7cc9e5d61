"""The picture to compare with: in a link an example by its name, an upload by a mark of its content."""

from pathlib import Path
from typing import Any

import gradio as gr

from explorer.explorer import Explorer
from explorer.reweighting.branch_weights import BlockWeights, blends
from explorer.ui.events import Unseen
from explorer.ui.examples import EXAMPLES, example
from explorer.ui.links import mark_of
from explorer.ui.picture_upload import came_here
from explorer.ui.selection import Selection
from explorer.ui.tabs.reweighting.changes import Changes
from explorer.ui.tabs.reweighting.shares import written


class OtherBox(Unseen):
    """Holds the path of a picture that was bundled or uploaded; anything else counts as none.

    On the wire an upload is `mark|path`, of which an address has the mark.
    """

    def preprocess(self, payload: str | None) -> Any:
        path = (payload or "").rpartition("|")[2]
        known = example(path) or came_here(path)
        return str(known) if known else None

    def from_link(self, text: str) -> Any:
        """What a link sets it to: an upload keeps its mark."""
        return text if self.preprocess(text) else None

    def postprocess(self, value: str | None) -> str | None:
        return Path(value).stem if value and Path(value) in EXAMPLES else value


def marked(explorer: Explorer, upload: str) -> str:
    """What the box holds of an upload."""
    return f"{mark_of(explorer.digest(upload))}|{upload}"


def theirs(explorer: Explorer, selection: Selection, other: str | None) -> dict[str, BlockWeights]:
    """How the model blends the other picture, by the names of the blocks."""
    run = explorer.inspect(selection.model, other, selection.weights)
    return {found.block: found for found in blends(run)}


def relinked(explorer: Explorer, selection: Selection, changes: Changes, other: str | None) -> Any:
    """The link again, where weights in force were those of the picture compared with until now."""
    if not changes.takes or changes.model != selection.model:
        return gr.skip()
    return written(changes.now, theirs(explorer, selection, other))
