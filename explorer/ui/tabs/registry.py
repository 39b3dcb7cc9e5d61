"""The tabs of the page, in their order: a new tab is a folder beside this file and a row here."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import gradio as gr

from explorer.explorer import Explorer
from explorer.ui.components import View
from explorer.ui.controls import Control
from explorer.ui.downloads import Saves
from explorer.ui.events import RedrawBox
from explorer.ui.selection import Rail


@dataclass(frozen=True)
class TabParts:
    """What a tab is built from."""

    explorer: Explorer
    rail: Rail
    redraw: RedrawBox  # changes whenever the tab has to be drawn
    saves: Saves
    first: str  # the model the page opens on
    held: gr.State  # the survey the visitor has, a `Held` of the Survey tab


@dataclass(frozen=True, kw_only=True)
class BuiltTab:
    """What the rest of the page needs to know of a tab once it stands."""

    remembered: dict[str, Control] = field(default_factory=dict)  # controls of a link, by their names there
    begun: list[Any] = field(default_factory=list)  # states that begin anew where a link is followed
    running: list[Any] = field(default_factory=list)  # events that can be stopped
    links: tuple[View, ...] = ()  # views whose event `link` leads to another tab
    offering: tuple[View, ...] = ()  # views whose event `more` chooses other weights
    choosing: list[tuple[Any, gr.State]] = field(default_factory=list)  # events, and the path each chooses
    part: Control | None = None  # the menu such a link sets: of layers, or of blocks


@dataclass(frozen=True)
class TabRow:
    """One tab: its name in a link, its title, and what lays it out."""

    name: str
    title: str
    build: Callable[[TabParts], BuiltTab]
