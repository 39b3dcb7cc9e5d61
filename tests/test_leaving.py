"""Whoever leaves has stopped the work they asked for, on the page and through the endpoints."""

import http.client
import itertools
import json
import threading
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlsplit

import gradio as gr
import pytest

from explorer.engine.cache import about_to_compute
from explorer.ui import presence
from explorer.ui.gradio_internals import end
from tests.test_security import STAR, answer, told
from tests.test_serving import asked

QUESTION = {"path": str(STAR)}, "vip_nano", "scenes"


class Endless:
    """Takes the place of a question of the library: parts without end, until nobody takes them."""

    def __init__(self, part: object) -> None:
        self.part = part
        self.begun, self.ended, self.given_up = (threading.Event() for _ in range(3))

    def __call__(self, *_args: object, **_named: object):
        about_to_compute()
        try:
            for number in itertools.count():
                yield self.part
                if number > 3:
                    self.begun.set()
                if self.given_up.wait(0.01):
                    return
        finally:
            self.ended.set()


@pytest.fixture
def endless(explorer, monkeypatch, star):
    *_, part = explorer.attribute("vip_nano", star, "scenes", method="saliency")
    work = Endless(part)
    yield work
    work.given_up.set()
    assert work.ended.wait(60)


LONG = {"attribute": ("saliency", None), "knock_out": (None,), "score_card": ("saliency", None)}


@pytest.mark.parametrize("endpoint", LONG)
def test_a_client_that_hangs_up_has_stopped_its_work(server, explorer, endless, monkeypatch, endpoint):
    monkeypatch.setattr(explorer, endpoint, endless)
    event = asked(server, endpoint, *QUESTION, *LONG[endpoint])
    with closing(http.client.HTTPConnection(urlsplit(server).netloc, timeout=60)) as client:
        client.request("GET", f"/gradio_api/call/{endpoint}/{event}")
        assert endless.begun.wait(60)
    assert endless.ended.wait(60)
    assert '"star"' in told(server, "predict", list(QUESTION))


def test_a_client_that_stays_is_answered(server):
    assert "complete" in told(server, "attribute", [*QUESTION, "integrated_gradients", None])


def test_a_closed_page_has_stopped_its_work(visit, server, explorer, endless, monkeypatch):
    monkeypatch.setattr(explorer, "attribute", endless)
    page = visit("/?tab=attribution&method=saliency")
    assert endless.begun.wait(60)
    page.goto(server + "/health")
    assert endless.ended.wait(60)


def test_a_page_that_is_closed_before_it_listens_has_stopped_its_work(server, explorer, endless, monkeypatch):
    monkeypatch.setattr(explorer, "attribute", endless)
    monkeypatch.setattr(presence, "PATIENCE", 0.1)
    listeners = json.loads(answer(server, "/config")[1])["dependencies"]
    number = next(one["id"] for one in listeners if one["api_name"] == "attribute")
    question = {"fn_index": number, "session_hash": "closed", "data": [*QUESTION, "saliency", None]}
    with closing(http.client.HTTPConnection(urlsplit(server).netloc, timeout=60)) as staying:
        staying.request("GET", "/gradio_api/heartbeat/closed")
        assert staying.getresponse().readline().startswith(b"data: ALIVE")
        answer(server, "/gradio_api/queue/join", question)
        assert endless.begun.wait(60)
        assert not endless.ended.wait(2.5)  # shown, the page may listen late: two looks, at least
    assert endless.ended.wait(60)


def test_who_never_listens_is_not_computed_for_without_end(server, explorer, endless, monkeypatch):
    monkeypatch.setattr(explorer, "attribute", endless)
    monkeypatch.setattr(presence, "PATIENCE", 0.2)
    event = asked(server, "attribute", *QUESTION, "saliency", None)
    assert endless.ended.wait(60)
    assert presence.UNKNOWN in answer(server, f"/gradio_api/call/attribute/{event}")[1]


def test_who_listens_longer_than_a_question_waits_is_computed_for(server, explorer, endless, monkeypatch):
    monkeypatch.setattr(explorer, "attribute", endless)
    monkeypatch.setattr(presence, "PATIENCE", 0.1)
    event = asked(server, "attribute", *QUESTION, "saliency", None)
    with closing(http.client.HTTPConnection(urlsplit(server).netloc, timeout=60)) as client:
        client.request("GET", f"/gradio_api/call/attribute/{event}")
        assert endless.begun.wait(60)
        assert not endless.ended.wait(2.5)  # two looks, at least
    assert endless.ended.wait(60)


def test_who_leaves_the_queue_is_not_waited_for(server, explorer, endless, monkeypatch):
    """Two work without end; those behind them who hung up are not computed when they would be due."""
    monkeypatch.setattr(explorer, "attribute", endless)
    events = [asked(server, "attribute", *QUESTION, "saliency", None) for _ in range(4)]
    for event in events:
        with closing(http.client.HTTPConnection(urlsplit(server).netloc, timeout=60)) as client:
            client.request("GET", f"/gradio_api/call/attribute/{event}")
            if event == events[0]:
                assert endless.begun.wait(60)
    assert endless.ended.wait(60)
    for _ in range(600):
        if '"waiting":0' in answer(server, "/health")[1]:
            break
    assert '"waiting":0' in answer(server, "/health")[1]


def test_a_program_that_ends_waits_for_what_it_computes():
    work = Endless("part")

    def parts() -> Iterator[str]:
        yield from work()

    with gr.Blocks(analytics_enabled=False) as app:
        gr.api(parts, api_name="parts")
    app.launch(prevent_thread_lock=True, quiet=True, server_name="127.0.0.1", ssr_mode=False)
    asked(app.local_url.rstrip("/"), "parts")
    assert work.begun.wait(60)
    assert end(app)
    assert work.ended.is_set()
    app.close()
