"""A server can be watched over and ended: it answers while it is busy, and leaves no files behind."""

import json
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

import pytest

from app import LARGE_PAGES
from explorer.engine.cache import about_to_compute, remembered_only
from explorer.errors import ChoiceError, ExplorerError, NotRememberedError
from explorer.explorer import Explorer
from explorer.ui import temporary_files
from explorer.ui.temporary_files import ENDINGS, temporary_folder
from models.registry import ASSETS
from tests.test_security import STAR, answer, told

ROOT = ASSETS.parent
QUESTION = {"path": str(STAR)}, "vip_nano", "scenes"


def asked(server: str, endpoint: str, *values: object) -> str:
    """Ask and do not wait; gives the number of the question."""
    return json.loads(answer(server, f"/gradio_api/call/{endpoint}", {"data": values})[1])["event_id"]


@pytest.fixture
def full(server, explorer, monkeypatch):
    """All lanes of clients are full and two questions wait, until the event is set."""
    freed = threading.Event()

    def busy(*_args: object, **_named: object) -> None:
        about_to_compute()
        assert freed.wait(60)
        raise ChoiceError("Nothing came of it.")

    monkeypatch.setattr(explorer, "code_walk", busy)
    monkeypatch.setattr(explorer, "knock_out", busy)
    events = [asked(server, "code_walk", *QUESTION, "") for _ in range(3)]
    events += [asked(server, "knock_out", *QUESTION, None) for _ in range(3)]
    while json.loads(answer(server, "/health")[1])["waiting"] < 2:
        pass
    yield freed
    freed.set()
    for event in events:
        assert "Nothing came of it" in answer(server, f"/gradio_api/call/predict/{event}")[1]


REMEMBERED = {
    "predict": (),
    "branch_weights": (),
    "what_if": ("all", [1, 0, 1]),
    "attribute": ("saliency", None),
}


def test_what_is_remembered_waits_behind_nobody(server, request):
    def complete(name: str) -> str:
        return told(server, name, [*QUESTION, *REMEMBERED[name]]).partition("event: complete")[2]

    before = {name: complete(name) for name in REMEMBERED}
    request.getfixturevalue("full")
    for name, said in before.items():
        assert said
        assert complete(name) == said
    assert json.loads(answer(server, "/health")[1])["waiting"] == 2


def test_what_is_not_remembered_waits_for_its_lane(server, full):
    event = asked(server, "predict", {"path": str(STAR)}, "fasternet_nano@128", "scenes")
    assert json.loads(answer(server, "/health")[1])["waiting"] == 3
    full.set()
    assert "complete" in answer(server, f"/gradio_api/call/predict/{event}")[1]


def test_inside_of_remembered_only_nothing_is_loaded_nor_computed(star):
    explorer = Explorer("cpu")
    for ask in (
        lambda: explorer.predict("mixer_nano", star, "scenes"),
        lambda: explorer.load("os:abort"),
        lambda: next(explorer.attribute("mixer_nano", star, "scenes", method="saliency")),
    ):
        with pytest.raises(NotRememberedError), remembered_only():
            ask()
    found = explorer.predict("mixer_nano", star, "scenes")
    with remembered_only():
        assert explorer.predict("mixer_nano", star, "scenes") == found
    with pytest.raises(NotRememberedError), remembered_only():
        next(explorer.attribute("mixer_nano", star, "scenes", method="saliency"))


def test_health_answers_while_every_lane_is_full(server, explorer, monkeypatch):
    freed = threading.Event()

    def busy(*_args: object) -> tuple:
        about_to_compute()
        assert freed.wait(60)
        return ()

    monkeypatch.setattr(explorer, "predict", busy)
    question = {"path": str(STAR)}, "vip_nano", "scenes"
    waiting = [asked(server, "predict", *question) for _ in range(4)]
    try:
        while (found := json.loads(answer(server, "/health")[1]))["waiting"] < 2:
            pass
    finally:
        freed.set()
    assert set(found) == {"status", "seconds", "waiting"}
    assert found["status"] == "ok"
    for event in waiting:
        assert "complete" in answer(server, f"/gradio_api/call/predict/{event}")[1]


def test_health_tells_of_nothing_that_does_not_wait(server):
    told(server, "models", [])
    status, body, headers = answer(server, "/health")
    assert (status, json.loads(body)["waiting"]) == (200, 0)
    assert "content-security-policy" in {name.lower() for name in headers}


def ended_by(number: int, where: str, told) -> None:
    """A process that writes a temporary file and is asked to end."""
    tempfile.tempdir = where
    with temporary_folder() as folder:
        (folder / "deep").mkdir()
        Path(tempfile.mkdtemp(), "upload.png").write_bytes(b"x")
        told.send([str(path) for path in Path(where).rglob("*") if path.is_file()])
        os.kill(os.getpid(), number)
        time.sleep(60)


@pytest.mark.parametrize("ending", ENDINGS, ids=lambda one: one.name)
def test_no_temporary_file_survives_a_signal(ending, tmp_path):
    told, tells = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(
        target=ended_by, args=(ending, str(tmp_path), tells)
    )
    process.start()
    assert len(told.recv()) == 1
    process.join(60)
    assert process.exitcode == 128 + ending
    assert list(tmp_path.iterdir()) == []


def test_no_temporary_file_survives_a_normal_end_and_everything_is_as_before(monkeypatch, tmp_path):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    before = tempfile.tempdir, [signal.getsignal(one) for one in ENDINGS]
    with temporary_folder() as folder:
        assert os.environ["GRADIO_TEMP_DIR"] == str(folder)
        Path(tempfile.mkdtemp(), "upload.png").write_bytes(b"x")
        assert len(list(folder.rglob("*.png"))) == 1
    assert list(tmp_path.iterdir()) == []
    assert os.environ["GRADIO_TEMP_DIR"] == str(tmp_path)
    assert (tempfile.tempdir, [signal.getsignal(one) for one in ENDINGS]) == before


def test_without_a_place_for_temporary_files_the_start_is_one_sentence(monkeypatch):
    def refused(**_: object) -> str:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(temporary_files.tempfile, "mkdtemp", refused)
    with pytest.raises(ExplorerError, match="no place for temporary files: Read-only file system"):
        temporary_folder().__enter__()


def environment(process: int) -> dict[str, str]:
    """What a program was told at its start."""
    told = Path(f"/proc/{process}/environ").read_text().split("\0")
    return dict(one.split("=", maxsplit=1) for one in told if "=" in one)


def test_the_program_answers_and_leaves_no_file_behind_when_it_is_ended(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    place = {"GRADIO_SERVER_NAME": "127.0.0.1", "GRADIO_SERVER_PORT": port, "TMPDIR": str(tmp_path)}
    process = subprocess.Popen(
        [sys.executable, "app.py", "--device", "cpu"],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name not in LARGE_PAGES} | place,
        stdout=subprocess.PIPE,
    )
    try:
        assert b"Running" in process.stdout.readline()
        if sys.platform == "linux":
            assert LARGE_PAGES.items() <= environment(process.pid).items()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=60) as told:
            assert json.load(told)["status"] == "ok"
        assert any(path.is_file() for path in tmp_path.rglob("*"))
        process.terminate()
        assert process.wait(60) == 128 + signal.SIGTERM
        assert list(tmp_path.iterdir()) == []
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
