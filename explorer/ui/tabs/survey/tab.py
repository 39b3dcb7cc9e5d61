"""The Survey tab: what one model does over many pictures, live as they come, or as it came along."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr

from explorer.errors import ChoiceError
from explorer.explorer import Explorer
from explorer.survey.found import Rows
from explorer.survey.live import Live, live
from explorer.survey.question import Question
from explorer.survey.seen import Seen
from explorer.survey.sent import opened
from explorer.ui.alerts import shortened
from explorer.ui.components import View, render
from explorer.ui.controls import IDLE, QUIET, RUNNING, Menu, stopping, switch
from explorer.ui.picture_upload import FilesUpload, PicturesUpload
from explorer.ui.selection import PICK, Selection, lane, wired
from explorer.ui.tabs.registry import BuiltTab, TabParts
from explorer.ui.tabs.survey import picked, saved
from explorer.ui.tabs.survey.source import HELD, NAMED, Held, choices, items_of, kept, most
from explorer.ui.tabs.survey.views import LENSES, draw
from explorer.ui.throttle import throttled

SOURCE = "uploaded pictures"
# A survey at a time for each of two visitors, beside what is quick.
GOING: dict[str, Any] = {**QUIET, "concurrency_id": "survey", "concurrency_limit": 2}


class SurveyUpload(FilesUpload):
    """A button for a survey that was made elsewhere."""

    refusal = "Upload the survey as a file."


def fitted(_explorer: Explorer, selection: Selection, *, which: str | None, held: Held) -> gr.Dropdown:
    """The menu of surveys, at one there is."""
    offered = choices(selection, held)
    names = [name for _, name in offered]
    return gr.Dropdown(
        offered, value=which if which in names else next(iter(names), None), visible=bool(names)
    )


def surveyed(explorer: Explorer, selection: Selection, files: list[str]) -> Iterator[tuple]:
    """Go over an upload; after each pass the progress, the Stop button, and the survey as far as it is."""
    loaded = selection.loaded(explorer)
    items = items_of(tuple(files), most(explorer))
    held = Held.new(f"{len(items)} pictures of your own", tuple(files))
    menu = gr.Dropdown(choices(selection, held), value=HELD, visible=True)
    question = Question(source=SOURCE, model=selection.model, weights=loaded.weights)
    for so_far in throttled(live(explorer, question, items, small=True)):
        kept(explorer, held, as_seen(selection, so_far))
        whole = so_far.done == so_far.total
        progress = "" if whole else render("survey_progress", done=so_far.done, total=so_far.total)
        yield progress, IDLE if whole else RUNNING, held, menu, f"{held.key} {so_far.done}"


def as_seen(selection: Selection, so_far: Live) -> Seen:
    """As it is looked at; the name of uploaded weights stays here."""
    rows = so_far.rows
    about = {**rows.about, "weights": selection.choice_told}
    return Seen(Rows(about, rows.columns), so_far.done, so_far.total, so_far.small)


def stopped(explorer: Explorer, selection: Selection, *, which: str | None, held: Held) -> tuple:
    """What was reached when it was stopped is a survey of so many pictures."""
    seen = explorer.engine.cache.get(("survey", held.key))
    if which != HELD or not isinstance(seen, Seen) or seen.is_whole:
        return gr.skip(), gr.skip(), gr.skip()
    kept(explorer, held, replace(seen, total=seen.done))
    now = replace(held, title=f"the first {seen.done} of {seen.total} pictures of your own")
    return "", now, gr.Dropdown(choices(selection, now), value=HELD)


def brought(explorer: Explorer, selection: Selection, files: list[str]) -> tuple:
    """A survey that was made elsewhere."""
    if len(files) != 1:
        raise ChoiceError("Open one survey at a time.")
    place = Path(files[0])
    rows = opened(place)
    held = Held.new(f"opened: {shortened(place.name, NAMED)}")
    kept(explorer, held, Seen(rows, rows.about["pictures"], rows.about["pictures"]))
    return held, gr.Dropdown(choices(selection, held), value=HELD, visible=True), held.key


def build(parts: TabParts) -> BuiltTab:
    """Lay the tab out: where the pictures come from, four views, and what was picked."""
    explorer, rail = parts.explorer, parts.rail
    with gr.Row(elem_classes="controls", elem_id="survey-source"):
        which = Menu([], label="Survey", elem_id="survey-which", min_width=240)
        files = PicturesUpload(
            "Choose pictures or a zip",
            file_count="multiple",
            file_types=["image", ".zip"],
            elem_id="survey-pictures",
            size="sm",
            min_width=190,
            scale=0,
            variant="primary",
        )
        other = SurveyUpload(
            "Open a survey",
            file_count="multiple",
            file_types=[".parquet"],
            elem_id="survey-open",
            size="sm",
            min_width=130,
            scale=0,
        )
        stop = gr.Button("Stop", interactive=False, scale=0, min_width=70, size="sm", elem_id="survey-stop")
    progress, told = View(elem_id="survey-progress"), View(elem_id="survey-told")
    lens = switch(LENSES, "survey-lens")
    view = View(elem_id="survey")
    held, path = parts.held, gr.State("")
    reached = gr.Textbox("", visible="hidden")  # how far the survey is that goes on
    drawn = {
        **wired(explorer, rail, draw, which=which, held=held, lens=lens),
        "outputs": view,
        **lane("survey-view"),
    }

    fits = {**wired(explorer, rail, fitted, which=which, held=held), "outputs": which, **lane("survey-menu")}
    parts.redraw.change(**fits).success(**drawn)
    gr.on([which.input, lens.change, reached.change], **drawn)

    outputs = [progress, stop, held, which, reached]
    going = files.upload(**wired(explorer, rail, surveyed, files=files), outputs=outputs, **GOING)
    other.upload(
        **wired(explorer, rail, brought, files=other),
        outputs=[held, which, reached],
        cancels=[going],
        **GOING,
    )
    stopping(stop, [going])
    ends = {**wired(explorer, rail, stopped, which=which, held=held), "outputs": [progress, held, which]}
    stop.click(None, js="() => {}", **PICK).then(**ends, **PICK).then(**drawn)
    choosing = picked.connect(parts, view, told, which, held, path)
    parts.saves.wire(view, explorer, rail, saved.save, which=which, held=held, lens=lens)
    return BuiltTab(
        remembered={"survey": lens}, begun=[held], links=(told,), choosing=[(one, path) for one in choosing]
    )
