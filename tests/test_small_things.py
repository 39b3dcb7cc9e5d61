"""Small things a visitor trips over: minus zero, one of something, what is cut off, what a menu refuses."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from unittest.mock import patch

import pytest
from PIL import Image

from explorer.attribution.applicability import Verdict
from explorer.attribution.registry import METHODS
from explorer.errors import ChoiceError
from explorer.ui.after_choice import accepted, refreshed, uploaded
from explorer.ui.components import plain, render, signed
from explorer.ui.ending import Ending
from explorer.ui.model_picker import parts_of
from explorer.ui.picture_notes import cut_off, seen
from explorer.ui.selection import Selection
from explorer.ui.tabs.attribution.marked_methods import marked_methods
from models.registry import ASSETS


@pytest.mark.parametrize(
    ("value", "form", "text"),
    [(-0.04, "+.1f", "+0.0"), (-0.06, "+.1f", "-0.1"), (-0.0, ".3g", "0"), (2.0, "+.2f", "+2.00")],
)
def test_what_is_rounded_to_nothing_has_no_minus(value, form, text):
    assert plain(value, form) == text


def test_a_change_of_minus_zero_is_none():
    assert signed(-0.0) == "+0.00"


# Outside of a running page Gradio looks into a menu before it has its choices.
OUTSIDE = pytest.mark.filterwarnings("ignore:The value passed into gr.Dropdown")


@pytest.fixture
def photograph_file() -> str:
    return str(ASSETS / "examples" / "photographs" / "1-cat.jpg")


def asked(picture) -> Selection:
    return Selection(picture, "vip_nano", "scenes", "", None)


@pytest.mark.parametrize("size", [(640, 64), (64, 640)])
def test_the_part_of_a_long_picture_that_is_seen_is_a_square_in_its_middle(explorer, tmp_path, size):
    Image.new("RGB", size, "teal").save(tmp_path / "long.png")
    selection = asked(str(tmp_path / "long.png"))
    preprocess = explorer.load("vip_nano", "scenes").preprocess
    left, top, width, height = seen(explorer, selection)
    assert width * height == pytest.approx(0.1 * preprocess.crop**2, rel=0.05)
    assert (2 * left + width, 2 * top + height) == pytest.approx((1, 1), abs=0.02)
    assert width * size[0] == pytest.approx(height * size[1])
    assert "the middle" in cut_off(explorer, selection)


def test_pictures_of_one_colour_are_told_apart_by_their_shape(explorer):
    wide, tall = Image.new("RGB", (40, 4), "teal"), Image.new("RGB", (4, 40), "teal")
    assert explorer.digest(wide) != explorer.digest(tall)


def test_nothing_is_said_of_a_square_picture(explorer, tmp_path):
    Image.new("RGB", (80, 80), "teal").save(tmp_path / "square.png")
    assert "middle" not in cut_off(explorer, asked(str(tmp_path / "square.png")))


def test_without_a_picture_the_last_one_is_known_and_nothing_of_it_is_shown(explorer):
    _, picture, before = accepted(explorer, None, "last.png", "older.png")
    assert (picture, before) == (None, "last.png")
    _, _, status, waiting, _ = refreshed(explorer, asked(None))
    assert status == ""
    assert "no picture" in waiting


@OUTSIDE
def test_an_upload_is_answered_once_with_all_that_follows(explorer, photograph_file):
    rail = (None, "vip_nano", "scenes", "", -1, "")
    (answer,) = uploaded(explorer, photograph_file, "before.png", False, *rail)
    parts = len(parts_of("vip_nano"))
    assert answer[1:3] == (photograph_file, photograph_file)
    assert answer[3 + parts].constructor_args["value"] == "cifar10"
    link, badge, *_ = answer[3 + parts + 4 :]
    assert "weights=cifar10" in link
    assert "Trained" in badge


@OUTSIDE
def test_an_upload_that_nothing_can_be_told_of_is_shown_all_the_same(explorer, photograph_file):
    kept = (photograph_file, "vip_nano", "", "", -1, "")
    with patch("explorer.ui.after_choice.refreshed", side_effect=ChoiceError("No memory.")):
        answers = uploaded(explorer, photograph_file, "before.png", True, *kept)
        assert next(answers)[1:3] == (photograph_file, photograph_file)
        with pytest.raises(ChoiceError, match="No memory"):
            next(answers)


def test_the_menu_of_methods_marks_what_is_refused_and_nothing_else():
    found = [Verdict("lrp", "meaningless", "No rule."), Verdict("deep_lift", "warning", "It misses.")]
    words = {name: title for title, name in marked_methods(found)}
    assert words["lrp"] == f"{METHODS['lrp'].title} · ✕ No rule."
    assert [name for name in words if words[name] != METHODS[name].title] == ["lrp"]


def test_one_is_told_as_one():
    assert "1 blocks" not in render("what_if", **WHAT_IF, changes=[("block 0.0", "shares")])
    assert "2 blocks changed" in render(
        "what_if", **WHAT_IF, changes=[("block 0.0", "a"), ("block 0.1", "b")]
    )


def status(said: dict, path: str = "/gradio_api/cancel", fails: type[Exception] | None = None) -> int:
    """The status of the answer to what the page wants ended, before a server that answers 202 or fails."""
    body, sent = json.dumps(said).encode(), []

    async def gradio(_scope, receive, send) -> None:
        assert (await receive())["body"] == body
        if fails:
            raise fails
        await send({"type": "http.response.start", "status": 202, "headers": []})

    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message) -> None:
        sent.append(message)

    queue = SimpleNamespace(pending_event_ids_session={"a": {"b"}}, pending_messages_per_session={"a": None})
    page = SimpleNamespace(get_blocks=lambda: SimpleNamespace(_queue=queue))
    request = {"type": "http", "path": path, "method": "POST", "app": page}
    with ThreadPoolExecutor(1) as other:  # in this thread a browser's events may be going on
        other.submit(asyncio.run, Ending(gradio)(request, receive, send)).result()
    return sent[0]["status"]


NUMBERED = {"session_hash": "a", "fn_index": 1, "event_id": "b"}


@pytest.mark.parametrize("path", ["/gradio_api/cancel", "/gradio_api/reset"])
def test_what_has_no_number_yet_is_ended_without_a_failure_in_the_console(path):
    assert status({**NUMBERED, "event_id": None}, path) == 200
    assert status(NUMBERED, path) == 202


def test_ending_what_is_answered_already_ends_nothing_that_was_asked_since():
    assert status({**NUMBERED, "event_id": "answered"}) == 200  # not passed on: Gradio ends by the listener


def test_what_is_ended_twice_at_once_is_ended():
    assert status(NUMBERED, fails=KeyError) == 200
    with pytest.raises(ZeroDivisionError):  # a bug stays one
        status(NUMBERED, fails=ZeroDivisionError)


def test_what_cannot_be_read_is_refused_by_gradio():
    assert status([NUMBERED]) == status({}) == 202


WHAT_IF = {
    "title": "What if",
    "rows": [],
    "target": None,
    "responses": [],
    "branches": ("height", "width"),
    "steps": 1,
    "python": "",
}
