"""The page opened from a notebook on a model and a picture, while the notebook goes on."""

import atexit
import shutil
import tempfile
from collections.abc import Sequence
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

from PIL import Image

from explorer.any_model.adding import added_models, is_added, model_of
from explorer.any_model.find import Given
from explorer.engine.picture_store import Source
from explorer.explorer import Explorer
from explorer.ui.gradio_import import import_gradio
from models.registry import Preprocess

WRITTEN = ("RGB", "RGBA", "L", "LA", "P", "1")  # kinds of pixels a PNG holds


class Shown(str):
    """The address of a page that is served; a notebook shows it as a link."""

    app: Any  # gr.Blocks, which is slow to import

    def close(self) -> None:
        """Serve the page no longer."""
        self.app.close()

    def _repr_html_(self) -> str:
        return f'<a href="{self}" target="_blank" rel="noopener">{self}</a>'


@cache
def explorer_on(device: str) -> Explorer:
    """One for all pages of a notebook: what was computed for one is remembered for the others."""
    return Explorer(device)


@cache
def folder() -> Path:
    """Where copies of pictures lie; gone when Python ends."""
    made = tempfile.mkdtemp(prefix="mixscope-")
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return Path(made)


def show(
    model: Any,
    picture: Source | None = None,
    *,
    name: str = "",
    preprocess: Preprocess | None = None,
    labels: Sequence[str] | str | Path | None = None,
    layout: Given = None,
    weights: str = "",
    device: str = "auto",
) -> Shown:
    """Open the page on a model and a picture, and give its address on this computer; the notebook goes on.

    model: an `nn.Module`, which joins as by `Explorer.add`, or a name: one that is listed,
        timm:NAME, or module:function.
    picture: a PIL image, a path or the bytes of a file; None for an example.
    name: what the page calls a model of one's own; its class where nothing is said.
    weights: for a model given by name; "" for those it usually has.

    Raises ExplorerError for what cannot be.
    """
    import_gradio()  # now, as that takes seconds
    from explorer.ui.app import LAUNCH, build_app
    from explorer.ui.first import PICTURE, First
    from explorer.ui.gradio_internals import end
    from explorer.ui.links import mark_of

    explorer = explorer_on(device)
    if isinstance(model, str):
        known, weights = explorer.any_model.opened(model, weights)
    else:
        known, weights = joined(explorer, model, name, preprocess, labels, layout), ""
    seen = PICTURE if picture is None else kept(explorer, picture)
    mark = "" if picture is None else mark_of(explorer.digest(seen))
    app = build_app(explorer, first=First(known, weights, seen, mark))
    app.launch(**LAUNCH, prevent_thread_lock=True, inline=False, quiet=True)
    atexit.register(end, app)
    shown = Shown(app.local_url)
    shown.app = app
    return shown


def joined(explorer: Explorer, model: Any, name: str, *given: Any) -> str:
    """The name the model is known by: that it joined under before, where nothing is said, or a new one."""
    before = [one for one in added_models() if model_of(one) is model]
    if before and not any((name, *given)):
        return before[-1]
    wanted = name or type(model).__name__
    numbered = (f"{wanted} {number}" for number in count(2))
    free = wanted if name or not is_added(wanted) else next(one for one in numbered if not is_added(one))
    explorer.add(model, free, *given)
    return free


def kept(explorer: Explorer, picture: Source) -> Path:
    """A copy of the picture in a file of its own, named for its content."""
    path = folder() / f"{explorer.digest(picture)[:16]}.png"
    if isinstance(picture, Image.Image):
        picture = picture if picture.mode in WRITTEN else picture.convert("RGB")
        picture.save(path)
    elif isinstance(picture, bytes):
        path.write_bytes(picture)
    else:
        path = path.with_suffix(Path(picture).suffix)
        shutil.copyfile(picture, path)
    return path
