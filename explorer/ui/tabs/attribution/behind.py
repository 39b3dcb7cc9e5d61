"""The pictures behind one cell of a protocol's table: measured again, the worst and the best are shown."""

from collections import deque
from collections.abc import Iterator

import gradio as gr
import numpy as np

from explorer.attribution.benchmark.behind import Scored, behind
from explorer.attribution.benchmark.protocols import PROTOCOLS, Examined
from explorer.attribution.benchmark.shipped import WITH_OTHER_WEIGHTS, asked_of
from explorer.attribution.registry import METHODS
from explorer.engine.engine import locked
from explorer.engine.loaded import Loaded
from explorer.errors import ChoiceError
from explorer.explorer import Explorer
from explorer.figures.colour import painted, scale_of
from explorer.figures.outline import outlined
from explorer.figures.raster import data_uri
from explorer.pictures import from_image
from explorer.ui.components import View, render
from explorer.ui.controls import QUIET, Control, progress_on
from explorer.ui.downloads import Saved, npz, there
from explorer.ui.selection import SLOW, Selection, wired
from explorer.ui.tabs.registry import TabParts
from explorer.ui.throttle import throttled
from models import card

NOT_HERE = (
    "What this was measured with does not ship, photographs or other weights; nothing can be shown again."
)


def asked(explorer: Explorer, protocol: str, cell: str) -> tuple[Loaded, Iterator[tuple[Scored, ...]]]:
    """The model of a cell `method/model`, and its trials. Raises ChoiceError for photographs."""
    method, _, model = cell.partition("/")
    if protocol.endswith("-photographs") or protocol in WITH_OTHER_WEIGHTS:
        raise ChoiceError(NOT_HERE)
    loaded = explorer.load(model, "scenes").apart
    return loaded, locked(loaded, behind(Examined(loaded, asked_of(protocol)), protocol, method))


def draw(explorer: Explorer, _selection: Selection, *, protocol: str, cell: str) -> Iterator[str]:
    """The worst and the best so far."""
    loaded, trials = asked(explorer, protocol, cell)
    for found in throttled(trials):
        yield page(loaded, protocol, cell.partition("/")[0], found)


def page(loaded: Loaded, protocol: str, method: str, found: tuple[Scored, ...]) -> str:
    ends = [("worst", found[0]), ("best", found[-1])] if len(found) > 1 else [("only", one) for one in found]
    return render(
        "behind",
        title="Behind a number",
        method=METHODS[method].title,
        family=card(loaded.card.name).family,
        protocol=PROTOCOLS[protocol].title,
        count=len(found),
        ends=[(word, one.score, seen(loaded, method, one)) for word, one in ends],
        python=PYTHON.format(model=loaded.card.name, protocol=protocol, method=method, count=len(found)),
    )


PYTHON = """from explorer.attribution.benchmark.behind import behind
from explorer.attribution.benchmark.protocols import Examined

examined = Examined(explorer.load({model!r}, 'scenes'), {count})
*_, found = behind(examined, {protocol!r}, {method!r})
print([one.score for one in found])"""


def seen(loaded: Loaded, method: str, one: Scored) -> list[dict]:
    """Every picture of a trial with its map, a line around what tells the class where that is known."""
    truth = one.trial.truth or (None,) * len(one.maps)
    shown = []
    for asked, values, places in zip(one.trial.questions, one.maps, truth, strict=True):
        pixels = from_image(asked.image, loaded.preprocess)
        scale = scale_of(values, signed=METHODS[method].signed)
        picture = pixels if places is None else outlined(pixels, places)
        shown.append({"picture": data_uri(picture), "map": data_uri(painted(values, scale)), "scale": scale})
    return shown


def save(explorer: Explorer, _selection: Selection, kind: str, *, protocol: str, cell: str) -> Saved:
    """The scores of all pictures, the worst first, and the maps of the worst and the best."""
    _, trials = asked(explorer, protocol, cell)
    found = there(next(iter(deque(trials, maxlen=1)), ()))
    ends = {"worst": found[0], "best": found[-1]}
    maps = {f"{end}_{number}": one for end, shown in ends.items() for number, one in enumerate(shown.maps)}
    axes = {"scores": "picture: score", **dict.fromkeys(maps, "row column: value")}
    return npz(
        f"{cell.replace('/', '_')}_{protocol}", axes, scores=np.array([one.score for one in found]), **maps
    )


def build(parts: TabParts, table: View, protocol: Control) -> list:
    """Gives the events that can be stopped."""
    cell = gr.Textbox(visible="hidden")
    view = View(elem_id="behind")
    asks = {"protocol": protocol, "cell": cell}
    picked = table.hands_on("pick", "cell", cell)
    drawn = picked.then(
        **wired(parts.explorer, parts.rail, draw, **asks), outputs=view, **SLOW | progress_on(view)
    )
    protocol.input(lambda: "", None, view, cancels=[drawn], **QUIET)
    parts.saves.wire(view, parts.explorer, parts.rail, save, **asks)
    return [drawn]
