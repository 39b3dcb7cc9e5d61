"""What is typical, and over whose pictures: as shipped, over the examples, the visitor's own, or a survey's.

The visitor's own are paths in the state of the session: what is computed over them is remembered by their
content, and nobody else is shown it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from explorer.engine.model_input import ModelInput
from explorer.errors import ChoiceError, PictureError
from explorer.explorer import Explorer
from explorer.reweighting.branch_weights import branch_weights
from explorer.reweighting.reference_shares import SharesSoFar, Typical
from explorer.survey.usual import SURVEY
from explorer.survey.usual import usual as usual_in
from explorer.ui.alerts import shortened
from explorer.ui.components import View
from explorer.ui.controls import ENABLED, QUIET, RUNNING, Menu, progress_on, stopping
from explorer.ui.examples import known_to
from explorer.ui.picture_upload import PicturesUpload
from explorer.ui.selection import PICK, SLOW, Selection, lane
from explorer.ui.tabs.reweighting.lab import Lab
from explorer.ui.tabs.survey.source import HELD, Held, current
from explorer.ui.throttle import throttled

MOST = 64  # pictures of a visitor
Own = tuple[str, ...]  # their paths
SHIPPED, OWN = "shipped", "own"  # and a survey's
ALONG = "what comes along"


@dataclass(frozen=True)
class Whose:
    """The buttons under the strip."""

    row: gr.Row
    files: PicturesUpload
    stop: gr.Button
    of: Menu


def build() -> Whose:
    with gr.Row(elem_classes="controls", elem_id="whose") as row:
        of = Menu(
            [(ALONG, SHIPPED)],
            value=SHIPPED,
            label="Typical of",
            visible=False,
            elem_id="typical-of",
            min_width=190,
        )
        files = PicturesUpload(
            "Compare with pictures of your own",
            file_count="multiple",
            file_types=["image"],
            elem_id="own-pictures",
            size="sm",
            min_width=190,
        )
        stop = gr.Button("Stop", interactive=False, scale=0, min_width=70, size="sm", elem_id="typical-stop")
    return Whose(row, files, stop, of)


def offered(explorer: Explorer, selection: Selection, *, of: str, own: Own, held: Held) -> gr.Dropdown:
    """The menu of what is typical of what, at one there is; unseen where there is no choice."""
    made = [(ALONG, SHIPPED), *([(f"{len(own)} pictures of your own", OWN)] if own else [])]
    made += [("the survey of the tab Survey", SURVEY)] if surveyed(explorer, selection, held) else []
    fitting = of if of in [name for _, name in made] else SHIPPED
    return gr.Dropdown(made, value=fitting, visible=len(made) > 1)


def surveyed(explorer: Explorer, selection: Selection, held: Held) -> tuple[Typical, ...]:
    """What is usual in the survey the visitor has, else in the one that comes along; of these blocks only."""
    try:
        seen = current(explorer, selection, HELD if held.key else None, held)
    except ChoiceError:  # it was forgotten
        return ()
    found = usual_in(seen.rows) if seen else ()
    blocks = branch_weights(selection.run(explorer))
    same = [(one.block, tuple(one.branches)) for one in blocks] == [
        (one.block, one.branches) for one in found
    ]
    return found if same else ()


def subjects_of(explorer: Explorer, selection: Selection, pictures) -> list[ModelInput]:
    return [explorer.input(selection.model, one, selection.weights) for one in pictures]


def accepted(explorer: Explorer, selection: Selection, files: list[str], held: Held) -> tuple:
    """Those that are pictures, in place of those before; of others the visitor is told in one sentence."""
    selection.loaded(explorer)
    if len(files) > MOST:
        raise ChoiceError(f"These are {len(files)} pictures; at most {MOST} can be compared with at once.")
    good, bad = [], []
    for path in files:
        try:
            explorer.input(selection.model, path, selection.weights)
            good.append(path)
        except PictureError as error:
            bad.append(f"{shortened(Path(path).name, 80)}: {error}")
    why = f"{len(bad)} of {len(files)} files cannot be used. The first, {bad[0]}" if bad else ""
    if len(good) < 2:
        raise ChoiceError(why or "What is typical takes two pictures or more.")
    if why:  # the page shows it as HTML, and it holds a name somebody chose
        gr.Warning(escape(why, quote=False), title="Not all pictures can be used")
    own = tuple(good)
    return own, offered(explorer, selection, of=OWN, own=own, held=held), RUNNING


def usual(
    explorer: Explorer,
    selection: Selection,
    own: Own = (),
    so_far: SharesSoFar | None = None,
    survey: Held | None = None,
) -> tuple[tuple[Typical, ...] | None, bool]:
    """What is typical: of a survey, as far as computed now, of own pictures, as shipped, of examples; and
    whether of own ones."""
    if survey is not None and (theirs := surveyed(explorer, selection, survey)):
        return theirs, False
    if so_far:
        return so_far.shares, bool(own)
    if own and (mine := remembered(explorer, selection, own)):
        return mine, True
    found = explorer.typical(selection.model, selection.weights)
    return (remembered(explorer, selection, known_to(selection)) if found is None else found), False


def remembered(explorer: Explorer, selection: Selection, pictures) -> tuple[Typical, ...] | None:
    return explorer.reweighting.known_typical(subjects_of(explorer, selection, pictures))


def computed(explorer: Explorer, selection: Selection, own: Own) -> Iterator[SharesSoFar]:
    """What is typical over own pictures, or else over the examples, after each of them."""
    selection.loaded(explorer)
    subjects = subjects_of(explorer, selection, own or known_to(selection))
    yield from throttled(explorer.reweighting.typical_so_far(subjects))


def connect(lab: Lab, strip: View, whose: Whose, draw: Callable, depth: dict[str, Any]) -> None:
    """`draw` computes over the examples, or over own pictures where there are some; `depth` draws."""
    asks = {**lab.wired(draw, block=lab.block, own=lab.own), "outputs": [strip, whose.stop]}
    strip.more(None, None, whose.stop, js=ENABLED, **QUIET)
    kept = [lab.own, whose.of, whose.stop]
    accept = {**lab.wired(accepted, files=whose.files, held=lab.held), "outputs": kept}
    chosen = whose.files.upload(**accept, **{**PICK, "queue": True} | progress_on(strip))
    computing = [chosen.success(**asks, **SLOW), strip.more(**asks, **SLOW)]
    lab.running += computing
    stopping(whose.stop, computing)
    for one in computing:
        lab.follow(one)
    lab.follow(whose.of.input(None, js="() => {}", cancels=computing, **PICK).then(**depth))
    fits = lab.wired(offered, of=whose.of, own=lab.own, held=lab.held)
    gr.on([lab.redraw.change, lab.held.change], **fits, outputs=whose.of, **lane("typical-of"))
