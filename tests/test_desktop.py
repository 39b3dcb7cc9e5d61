"""A window of its own: one at a time, which shows the pictures of later starts, and leaves nothing behind."""

import queue
import sys
from types import SimpleNamespace

import pytest

from explorer.errors import ExplorerError, PictureError
from explorer.ui import desktop


@pytest.fixture
def place(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return desktop.meeting_place()


def test_a_later_start_hands_its_picture_to_the_first(place, tmp_path, monkeypatch):
    came: queue.Queue = queue.Queue()
    assert not desktop.handed_over("star.png")
    monkeypatch.chdir(tmp_path)
    with desktop.listening(came.put):
        assert place.stat().st_mode & 0o077 == 0
        assert desktop.handed_over("star.png")
        assert came.get(timeout=10) == str(tmp_path / "star.png")
        assert desktop.handed_over(None)
        assert came.get(timeout=10) is None
    assert not place.exists()
    assert not desktop.handed_over("star.png")


def test_whoever_does_not_know_the_key_is_not_heard(place):
    came: queue.Queue = queue.Queue()
    with desktop.listening(came.put):
        told = place.read_text()
        place.write_text(told.replace(told.split('"key": "')[1][:8], "00000000"))
        assert not desktop.handed_over("evil.png")
        place.write_text(told)
        assert desktop.handed_over("good.png")
        assert came.get(timeout=10).endswith("good.png")
        assert came.empty()


@pytest.mark.parametrize("left", ["", "{", '{"port": 1, "key": "00"}', "[]"])
def test_what_a_start_left_that_ended_badly_is_no_hindrance(place, left):
    place.write_text(left)
    assert not desktop.handed_over(None)
    with desktop.listening(print):
        assert desktop.handed_over(None)


class Page(str):
    """An address that knows whether it is still served."""

    closed = False

    def close(self):
        Page.closed = True


def test_the_window_opens_on_the_picture_shows_a_later_one_and_ends_cleanly(place, monkeypatch):
    asked, window, later = [], SimpleNamespace(), queue.Queue()

    def show(model, picture, **named):
        if picture and picture.endswith("text.png"):
            raise PictureError("This is no picture.")
        asked.append((model, picture))
        return Page(f"http://127.0.0.1/{picture.rpartition(chr(47))[2]}")

    def start(**named):
        assert named["gui"] == "qt"
        for picture in ("text.png", "star.png"):
            assert desktop.handed_over(picture)
        assert later.get(timeout=10).endswith("/star.png")

    def create_window(title, address, **named):
        asked.append((title, address))
        return window

    window.load_url = later.put
    window.restore = lambda: None
    fake = SimpleNamespace(settings={}, create_window=create_window, start=start)
    monkeypatch.setitem(sys.modules, "webview", fake)
    monkeypatch.setattr(desktop, "show", show)
    monkeypatch.setattr(Page, "closed", False)
    desktop.open_window("", "", "first.png", "cpu")
    assert asked[:2] == [(desktop.FIRST, "first.png"), ("Mixscope", "http://127.0.0.1/first.png")]
    assert fake.settings["ALLOW_DOWNLOADS"]
    assert Page.closed
    assert not place.exists()


def test_without_the_packages_a_sentence_says_what_is_needed(place, monkeypatch):
    monkeypatch.setitem(sys.modules, "webview", None)
    with pytest.raises(ExplorerError, match=r"requirements-desktop\.txt"):
        desktop.open_window("", "", None, "cpu")
