"""What follows a choice in the rail, in one answer: the menus that go with it, the badge, the new link."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import gradio as gr

from explorer.engine.cache import remembered_only
from explorer.errors import ExplorerError
from explorer.explorer import Explorer
from explorer.ui.better_weights import unlike
from explorer.ui.components import render
from explorer.ui.links import link_to
from explorer.ui.model_picker import OUTPUTS, parts_of
from explorer.ui.picture_notes import cut_off, no_picture
from explorer.ui.picture_upload import usable
from explorer.ui.selection import FILE, UPLOAD, Selection, missing, selected
from explorer.ui.weights_badge import AWAY, DOUBTS, badge, best_here
from explorer.ui.weights_download import waiting
from explorer.ui.weights_menu import fitted, menus, name_of
from explorer.ui.weights_upload import WORDS

REFRESHED, MENUS = 5, 4  # parts that `refreshed` and `menus` give
AFTER_PICTURE = OUTPUTS + MENUS + REFRESHED  # and `with_best`


def refreshed(explorer: Explorer, selection: Selection) -> tuple:
    """The new link, which the open tab follows, the badge, what is shown, what is missing, what is cut off.

    What cannot be looked at is refused here, with one sentence, before any view changes.
    """
    if selection.picture is None:
        return gr.skip(), gr.skip(), "", no_picture(), ""
    if selection.choice == FILE and not selection.file:
        gr.Info("Give the path of a checkpoint on this computer and press Load.")
        return gr.skip(), gr.skip(), gr.skip(), "", gr.skip()
    if selection.choice == UPLOAD and not explorer.engine.models.holds(selection.model, selection.upload):
        return gr.skip(), render("badge", kind="neutral", text=WORDS), gr.skip(), "", gr.skip()
    shown = {"model": selection.model, "weights": name_of(selection.model, selection.choice)}
    if missing(selection):
        away = render("badge", kind="neutral", text=AWAY)
        return (
            gr.skip(),
            away,
            render("status", **shown, top=None, doubt=""),
            waiting(explorer, selection),
            "",
        )
    loaded = selection.loaded(explorer)
    top = explorer.predict(*selection.question, most=1)[0] if loaded.labels else None
    doubt = unlike(explorer, selection) and DOUBTS[selection.weights]
    return (
        link_to(selection, explorer.digest(selection.picture)),
        badge(explorer, selection),
        render("status", **shown, top=top, doubt=doubt),
        "",
        cut_off(explorer, selection),
    )


def accepted(explorer: Explorer, upload: str | None, current: str | None, before: str) -> tuple:
    """What the upload shows, the picture looked at, and the last one; a bad file brings that one back."""
    if upload is None:
        return gr.skip(), None, current or before
    if not usable(explorer, upload):
        return (current or before,) * 3
    return gr.skip(), upload, upload


def together(first: tuple, made: Callable[[], tuple], count: int) -> Iterator[tuple]:
    """What is there and `count` parts that are made, as one answer; where those fail, what is there."""
    try:
        rest = made()
    except Exception:
        yield (*first, *[gr.skip()] * count)
        raise
    yield (*first, *rest)


def with_menus(explorer: Explorer, selection: Selection) -> Iterator[tuple]:
    """After another model or other weights: the menus that go with it, and what `refreshed` gives."""
    now = fitted(explorer, selection)
    yield from together(menus(explorer, now, selection), lambda: refreshed(explorer, now), REFRESHED)


def with_best(explorer: Explorer, asked: Selection, picture: str | None, chosen: bool) -> tuple:
    """After a picture that is just shown: the controls that say what suits it, menus, what `refreshed` gives.

    asked: what the page says until then.
    """
    best = best_here(explorer, replace(asked, picture=picture), chosen)
    said = [gr.skip()] * OUTPUTS if best.model == asked.model else parts_of(best.model)
    now = fitted(explorer, best)
    return (*said, *menus(explorer, now, asked), *refreshed(explorer, now))


def uploaded(
    explorer: Explorer, upload: str | None, before: str, chosen: bool, *rail: Any
) -> Iterator[tuple]:
    """A picture was uploaded or taken away: what `accepted` gives, and all that follows."""
    asked = selected(*rail)
    kept = accepted(explorer, upload, asked.picture, before)
    yield from together(kept, lambda: with_best(explorer, asked, kept[1], chosen), AFTER_PICTURE)


def shown_now(explorer: Explorer, selection: Selection, *, chosen: bool) -> tuple:
    """An example is shown: all that follows."""
    return with_best(explorer, selection, selection.picture, chosen)


def pressed(explorer: Explorer, path: str, chosen: bool, *rail: Any) -> tuple:
    """An example was pressed: its picture twice, and all that follows if that is remembered.

    `shown_now` is asked afterwards in any case: of quick presses, the last has the last answer.
    """
    asked = selected(*rail)
    try:
        with remembered_only():
            return (path, path, *with_best(explorer, asked, path, chosen))
    except ExplorerError:  # `shown_now` computes it, or says why that cannot be
        return (path, path, *[gr.skip()] * AFTER_PICTURE)
