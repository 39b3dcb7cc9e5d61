"""Whoever leaves has stopped the work they asked for, on the page and through the endpoints."""

import asyncio
import http.client
import itertools
import json
import queue
import threading
from collections.abc import Iterator
from contextlib import closing
from types import SimpleNamespace
from urllib.parse import urlsplit

import gradio as gr
import gradio.routes
import pytest
from playwright.sync_api import expect

from explorer.engine.cache import about_to_compute
from explorer.ui import presence, selection
from explorer.ui.controls import IDLE, RUNNING, stopping
from explorer.ui.gradio_internals import end
from explorer.ui.selection import wired
from tests.on_page import settled
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


def test_stop_ends_what_was_asked_though_the_page_does_not_know_its_number_yet():
    """One works and two wait; whoever presses Stop ends all of their own and nothing of anybody else."""
    begun, ended, given_up = queue.Queue(), queue.Queue(), threading.Event()

    def work(request: gr.Request):
        begun.put(request.session_hash)
        try:
            while not given_up.wait(0.01):
                yield "part"
        finally:
            ended.put(request.session_hash)

    with gr.Blocks() as app:
        go, stop, view = gr.Button(), gr.Button(), gr.HTML()
        run = go.click(work, None, view, concurrency_limit=1)
        stopping(stop, [run])
    halt = next(one for one in app.fns.values() if one.targets == [(stop._id, "click")] and one.fn)
    try:
        app.launch(prevent_thread_lock=True, quiet=True)
        url = app.local_url.rstrip("/")

        def ask(session: str, path: str, listener: int) -> None:
            answer(url, f"/gradio_api/{path}", {"fn_index": listener, "session_hash": session, "data": []})

        for session in ("here", "here", "other"):
            ask(session, "queue/join", run["id"])
        assert begun.get(timeout=60) == "here"
        ask("here", "run/predict", halt._id)
        assert ended.get(timeout=60) == "here"
        assert begun.get(timeout=60) == "other"
    finally:
        given_up.set()
        app.close()


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


def test_what_is_asked_while_the_last_question_ends_slowly_is_answered(visit, explorer, endless, monkeypatch):
    """The page draws anew before it is told that the last view ended."""
    ended = gradio.routes.cancel_tasks

    async def slowly(tasks: set) -> None:
        await asyncio.sleep(1)
        await ended(tasks)

    page = visit("/?picture=2-star&model=vip_nano&weights=scenes")
    expect(page.locator("#overview .why")).to_contain_text("star")
    settled(page)
    monkeypatch.setattr(gradio.routes, "cancel_tasks", slowly)
    with monkeypatch.context() as patched:
        patched.setattr(explorer, "attribute", endless)
        page.get_by_role("button", name="disk", exact=True).click()
        assert endless.begun.wait(60)
    page.get_by_role("button", name="ring", exact=True).click()
    expect(page.locator("#overview .predictions")).to_contain_text("ring")
    expect(page.locator("#overview .why")).to_contain_text("for ring")
    assert endless.ended.wait(60)


def test_what_waits_for_its_turn_can_be_stopped(visit, explorer, endless, monkeypatch):
    page = visit("/?tab=attribution&method=saliency")
    expect(page.locator("#attribution .view")).to_be_visible()
    settled(page)
    monkeypatch.setattr(explorer, "attribute", endless)
    visit("/?tab=attribution&method=saliency").locator("#run").click()  # takes the lane
    assert endless.begun.wait(60)
    page.locator("#run").click()
    expect(page.locator("#stop")).to_be_enabled()
    page.wait_for_function("() => fetch('/health').then(answer => answer.json()).then(it => it.waiting > 0)")
    page.locator("#stop").click()
    page.wait_for_function("() => fetch('/health').then(answer => answer.json()).then(it => it.waiting == 0)")
    expect(page.locator("#stop")).to_be_disabled()
    assert not endless.ended.is_set()


def test_a_stream_that_is_stale_at_once_empties_nothing(monkeypatch):
    """One that gives nothing at all takes the words of a Stop button away."""

    def parts(_explorer, _selection):
        yield "a view", RUNNING
        yield "the whole view", IDLE

    monkeypatch.setattr(selection, "asked_again", lambda: True)
    asks = wired(None, SimpleNamespace(inputs=[None] * 6), parts)
    assert list(asks["fn"](str(STAR), "vip_nano", "scenes", "", -1, "")) == [(gr.skip(), gr.skip())]
