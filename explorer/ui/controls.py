"""Gradio's controls, forgiving: what they send is checked by our handlers, which know what is possible.

Gradio compares a value with the choices or limits of the moment, and answers a visitor who is quicker than
the server, or who clears a field, with an internal message.
"""

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import gradio as gr

from explorer.ui.gradio_internals import stop as stop_what_was_asked

# Gradio gives components their events at run time, where no type checker sees them.
Control: TypeAlias = Any
LONGEST_NUMBER = 9  # digits
# A listener of the page only, which tells no view of its progress: at each message Gradio's page copies the
# state of every component it tells (`update_loading_stati_state`, 6.31), and that is half of its work.
QUIET: dict[str, Any] = {"show_progress": "hidden", "show_progress_on": [], "api_visibility": "private"}
ENABLED = "() => ({__type__: 'update', interactive: true})"  # the same as `RUNNING`, by the page alone
DISABLED = "() => ({__type__: 'update', interactive: false})"
RUNNING, IDLE = gr.update(interactive=True), gr.update(interactive=False)  # of a Stop button


class Menu(gr.Dropdown):
    """A dropdown whose value may be older than its choices."""

    def preprocess(self, payload):
        return payload

    def get_block_name(self) -> str:
        return "dropdown"


class ClassMenu(Menu):
    """A menu of the model's classes, by their numbers; it is filled once the model is known."""


class Filled(Menu):
    """A menu that the model fills; a link may name what it does not offer at first."""


class Several(Menu):
    """A menu with `multiselect`; an empty one means that nothing is chosen."""

    def preprocess(self, payload: Any) -> list:
        return payload or []

    def knows(self, choice: str) -> bool:
        """Whether a link may name it."""
        return any(choice == value for _, value in self.choices)

    def set_to(self, names: Iterable[str]) -> Any:
        """The menu at those of the names that may be; it stays as it is where none may."""
        fitting = list(filter(self.knows, dict.fromkeys(names)))
        offered: list[Any] = list(self.choices)
        offered += [(name, name) for name in fitting if not Several.knows(self, name)]
        return gr.Dropdown(offered, value=fitting, multiselect=True) if fitting else gr.skip()


class Count(Menu):
    """A menu of usual numbers, where any other whole number may be typed; anything else means the start."""

    def preprocess(self, payload: Any) -> Any:
        number = whole_number(str(payload))
        return self.value if number is None else number

    def set_to(self, number: int) -> gr.Dropdown:
        """The menu at a number, which it may not have offered before."""
        offered: list[Any] = list(self.choices)
        known = any(number == value for _, value in offered)
        return gr.Dropdown(offered if known else [*offered, (str(number), number)], value=number)


class Amount(gr.Slider):
    """A slider that brings whatever is typed into its range; an empty field means the start."""

    def preprocess(self, payload: float | None) -> float:
        value = self.value if payload is None else payload
        return min(max(value, self.minimum), self.maximum)

    def get_block_name(self) -> str:
        return "slider"


class Whole(gr.Number):
    """A whole number; an empty field means zero."""

    def preprocess(self, payload: float | None) -> int:
        return round(payload or 0)

    def get_block_name(self) -> str:
        return "number"


def whole_number(text: str | None) -> int | None:
    """The whole number a text holds; None for anything else, however it looks."""
    digits = (text or "").removeprefix("-")
    known = digits.isascii() and digits.isdecimal() and len(digits) <= LONGEST_NUMBER
    return int(text or "") if known else None


def offer(choices: list, fitting, selection, **shown) -> gr.Dropdown:
    """What a menu offers; its value only where another was asked for, so that what was chosen since stays."""
    return gr.Dropdown(choices, **moved(fitting, selection), **shown)


def moved(fitting, selection) -> dict:
    """The value of a control, where it is another than was asked for."""
    return {} if fitting == selection else {"value": fitting}


def unchanged(part: Any) -> Any:
    """In place of a part, what changes nothing: a stream that gave nothing would empty all it fills."""
    return tuple(gr.skip() for _ in part) if isinstance(part, tuple | list) else gr.skip()


def progress_on(*views: gr.components.Component) -> dict[str, Any]:
    """What a listener adds to `QUIET` and its kin to tell of its progress on these views."""
    return {"show_progress": "minimal", "show_progress_on": list(views)}


def switch(choices: Mapping[str, str], elem_id: str) -> gr.Radio:
    """Which of several things to look at, `{name: words}`, the first at first."""
    return gr.Radio(
        [(words, name) for name, words in choices.items()],
        value=next(iter(choices)),
        label="What to look at",
        show_label=False,
        container=False,
        elem_id=elem_id,
        elem_classes="lenses",
    )


def opened(names: Iterable[str], chosen: str) -> list[gr.Column]:
    """The columns behind a switch, the chosen one open."""
    return [gr.Column(visible=name == chosen) for name in names]


def starting(start: gr.Button, stop: gr.Button) -> None:
    """Let Stop be pressed as soon as what it stops was asked for, also while the question waits for its turn.

    Called before anything else listens to `start`: the page goes on to the next listener when one has ended.
    """
    start.click(None, None, stop, js=ENABLED, **QUIET)


def stopping(stop: gr.Button, running: list) -> None:
    """What a Stop button does; a last part, which would let it be pressed anew, may reach the page later.

    What the page knows the number of ends as a failure, behind its last part. Of what it does not know yet
    it is told no end: so Stop is set once more, through the queue, where that stays behind all parts.
    """
    listeners = [one["id"] for one in running]

    async def halted(request: gr.Request) -> dict:
        await stop_what_was_asked(request.session_hash or "", listeners)
        return IDLE

    stopped = stop.click(halted, None, stop, cancels=running, queue=False, **QUIET)
    stopped.then(lambda: IDLE, None, stop, concurrency_id="stop", concurrency_limit=None, **QUIET)
    for one in running:
        one.failure(None, None, stop, js=DISABLED, **QUIET)
