"""The page comes to rest: what was chosen is asked for once, and nothing is asked for after that."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import gradio as gr
import pytest
from gradio.state_holder import SessionState
from playwright.sync_api import expect

from explorer.explorer import Explorer
from explorer.ui.app import build_app
from models.registry import ASSETS
from tests.on_page import choose, settled

TWICE = {  # by tab: the view, a menu of it, and two options
    "maps": ("grid", "layer", ("block 0.0 branches · width", "stem")),
    "mixing": ("field", "field-layer", ("block 0.1 output", "stem")),
    "attribution": ("attribution", "method", ("Saliency", "Grad-CAM")),
}


def test_a_choice_is_answered_and_then_nothing_more_is_asked(visit):
    page = visit("/?method=saliency")
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    for name, (view, menu, options) in TWICE.items():
        page.locator(f"#tabs button[role=tab][data-tab-id={name}]").click()
        expect(page.locator(f"#{view} .view").first).to_be_visible()
        settled(page)
        for option in options:  # two at once: the second comes while the first is answered
            choose(page, menu, option)
        settled(page, calm=8)
        asked.clear()
        page.wait_for_timeout(700)
        assert asked == [], name
        expect(page.locator(f"#{view} .view").first).to_be_visible()


@pytest.fixture(scope="module")
def built():
    return build_app(Explorer(device="cpu"))


def test_listeners_that_show_no_progress_tell_no_view_of_it(built):
    """Gradio's page copies the state of each view told at every message, see `explorer.ui.controls`."""
    told = built.get_config_file()["dependencies"]
    silent = [one for one in told if one["show_progress"] == "hidden" and one["outputs"]]
    assert len(silent) > 100
    assert [one["id"] for one in silent if one["show_progress_on"] != []] == []
    views = {view for one in told for view in one["show_progress_on"] or []}
    assert len(views) < 15


def test_what_takes_the_last_of_quick_changes_is_called_after_another_listener(built):
    """Gradio tells a whole event again for it otherwise, see `explorer.ui.gradio_internals`."""
    told = built.get_config_file()["dependencies"]
    last = [one for one in told if one["trigger_mode"] == "always_last"]
    assert len(last) > 50
    assert [one["targets"] for one in last if one["trigger_after"] is None] == []


def test_an_answer_is_followed_by_no_summary_of_all_answers(built):
    """Gradio makes one for a dashboard after each, see `explorer.ui.gradio_internals`."""
    queue = built._queue
    queue.events_recorded = 1_000
    assert queue.compute_analytics_summary([{"function": "inspect"}]) == {"functions": {}}


def test_the_quick_lane_serves_two_at_a_time_and_the_list_of_models_waits_for_nobody(built):
    lanes = {}
    for listener in built.fns.values():
        lanes.setdefault(listener.concurrency_id, set()).add(listener.concurrency_limit)
    assert lanes["quick"] == {2}
    assert lanes["catalogue"] == {4}


def test_menus_are_put_into_chinese_without_polling():
    assert "setInterval" not in (ASSETS / "page.js").read_text("utf-8")


@pytest.mark.parametrize("said", [{}, {-1: "<p>cut off</p>"}, {-4: "<p>badge</p>", -1: "<p>cut off</p>"}])
def test_what_an_answer_leaves_as_it_is_is_told_as_gradio_tells_it_and_not_made_anew(built, said):
    listener = next(one for one in built.fns.values() if getattr(one.fn, "__name__", "") == "press")
    values = [gr.skip()] * len(listener.outputs)
    for index, text in said.items():
        values[index] = text
    ours, gradios = SessionState(built), SessionState(built)
    with ThreadPoolExecutor(1) as apart:
        told = apart.submit(asyncio.run, built.postprocess_data(listener, values, ours)).result()
        plain = gr.Blocks.postprocess_data(built, listener, values, gradios)
        gradio = apart.submit(asyncio.run, plain).result()
    for one in gradio:
        if isinstance(one, dict) and one.get("props") == gr.skip():  # of HTML it says nothing twice
            del one["props"]
    assert told == gradio
    pairs = zip(listener.outputs, values, strict=True)
    left = [one._id for one, value in pairs if value == gr.skip() and not one.stateful]
    assert len(left) > 15
    assert not any(gradios[one] is built.blocks[one] for one in left)
    assert all(ours[one] is built.blocks[one] for one in left)
