"""The page comes to rest: what was chosen is asked for once, and nothing is asked for after that."""

import pytest
from playwright.sync_api import expect

from explorer.explorer import Explorer
from explorer.ui.app import build_app
from models.registry import ASSETS
from tests.on_page import choose, settled


@pytest.mark.parametrize(
    ("tab", "view", "menu", "options"),
    [
        ("maps", "grid", "layer", ("block 0.0 branches · width", "stem")),
        ("attribution", "attribution", "method", ("Saliency", "Grad-CAM")),
        ("mixing", "field", "field-layer", ("block 0.1 output", "stem")),
    ],
)
def test_a_choice_is_answered_and_then_nothing_more_is_asked(visit, tab, view, menu, options):
    page = visit(f"/?tab={tab}")
    expect(page.locator(f"#{view} .view").first).to_be_visible()
    settled(page)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    for option in options:  # two at once: the second comes while the first is answered
        choose(page, menu, option)
    for _ in range(10):
        asked.clear()
        page.wait_for_timeout(2_000)
        if not asked:
            break
    assert asked == []
    expect(page.locator(f"#{view} .view").first).to_be_visible()


def test_what_takes_the_last_of_quick_changes_is_called_after_another_listener():
    """Gradio tells a whole event again for it otherwise, see `explorer.ui.gradio_internals`."""
    told = build_app(Explorer(device="cpu")).get_config_file()["dependencies"]
    last = [one for one in told if one["trigger_mode"] == "always_last"]
    assert len(last) > 50
    assert [one["targets"] for one in last if one["trigger_after"] is None] == []


def test_the_quick_lane_serves_two_at_a_time_and_the_list_of_models_waits_for_nobody():
    lanes = {}
    for listener in build_app(Explorer(device="cpu")).fns.values():
        lanes.setdefault(listener.concurrency_id, set()).add(listener.concurrency_limit)
    assert lanes["quick"] == {2}
    assert lanes["catalogue"] == {4}


def test_menus_are_put_into_chinese_without_polling():
    assert "setInterval" not in (ASSETS / "page.js").read_text("utf-8")
