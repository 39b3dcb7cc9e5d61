"""The picture to compare with: in a link an example by its name; an upload stays where it was uploaded."""

from pathlib import Path
from typing import Any

from explorer.ui.events import Unseen
from explorer.ui.examples import EXAMPLES, example
from explorer.ui.picture_upload import came_here


class OtherBox(Unseen):
    """Holds the path of a picture that was bundled or uploaded; anything else counts as none."""

    def preprocess(self, payload: str | None) -> Any:
        known = example(payload or "") or came_here(payload or "")
        return str(known) if known else None

    def postprocess(self, value: str | None) -> str | None:
        return Path(value).stem if value and Path(value) in EXAMPLES else value
