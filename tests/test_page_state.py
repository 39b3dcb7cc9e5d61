"""The address holds the whole screen: a link opens it again, Back and Forward step through what was seen."""

import re
from urllib.parse import parse_qs, urlencode, urlsplit

import gradio as gr
import pytest
from PIL import Image
from playwright.sync_api import expect

from explorer.ui import address
from explorer.ui.app import build_app
from models import scenes
from tests.on_page import choose, settled, tab

# A link that says something unusual for every control; what belongs together fits together.
EVERY = {
    "model": "vip_nano",
    "weights": "scenes",
    "picture": "2-star",
    "target": "4",
    "lang": "en",
    "theme": "dark",
    "layer": "stages.1.blocks.0.output",
    "sheet": "2",
    "channel": "9",
    "order": "variance",
    "scale": "shared",
    "cell": "0.2812,0.2812",
    "cursor": "0.2500,0.7500",
    "block": "stages.0.blocks.1.token_mixing",
    "lens": "two",
    "other": "3-disk",
    "channel_order": "entropy",
    "blend": "stages.0.blocks.1.token_mixing~moved~20,30,50",
    "scope": "all",
    "how": "uniform",
    "knock": "equal",
    "gates_change": "opened",
    "gates_scope": "all",
    "gates_channel": "3",
    "gates_worth": "gradient",
    "gate_order": "openness",
    "others_change": "closed",
    "others_scope": "all",
    "others_channel": "1",
    "others_worth": "integrated",
    "method": "occlusion",
    "steps": "20",
    "samples": "8",
    "windows": "8",
    "baseline": "noise",
    "against": "3",
    "beside": "truth",
    "measure": "mass",
    "protocol": "deletion",
    "methods": "saliency,edges",
    "shape": "slic",
    "segments": "16",
    "draws": "100",
    "orders": "4",
    "tried": "16",
    "cam": "stem.output",
    "walks": "one",
    "follow": "2",
    "walk_place": "0.2812,0.2812",
    "shift": "listed",
    "way": "matrices",
    "direction": "feels",
    "place": "0.2500,0.2500",
    "gaze_place": "0.2500,0.2500",
    "units": "number",
    "unit": "1",
    "compared": "vip_nano,mixer_nano",
    "versus": "costs",
    "survey": "blocks",
    "depth": "20",
    "unit_page": "2",
    "matrix_block": "stages.0.blocks.0.token_mixing",
    "matrix": "height",
    "part": "stages.0.blocks.0.token_mixing",
    "step": "3",
    "at": "stem.output",
    "of": "1",
    "gate": "a",
    "other_gate": "b",
    "gaze": "c",
    "head": "1",
    "shift_block": "e",  # of other models
    "spot": "0.2500,0.2500",
    "first": "mixer_nano",
    "second": "vip_nano",
}


@pytest.fixture(scope="module")
def remembered(explorer):
    """The controls of a link by their names, as the page has them."""
    found = {}
    patch = pytest.MonkeyPatch()
    connect = address.connect

    def spied(*args, **kwargs):
        found.update(args[6])
        return connect(*args, **kwargs)

    patch.setattr(address, "connect", spied)
    build_app(explorer)
    patch.undo()
    return found


def test_every_control_has_a_word_that_sets_it_and_is_as_usual_where_a_way_back_says_nothing(remembered):
    assert set(remembered) <= set(EVERY)
    kept = gr.skip()
    for name, control in remembered.items():
        assert address.setting(control, EVERY[name]) != kept, name
        assert address.setting(control, None) == kept, name
        assert address.setting(control, None, back=True)["value"] == control.value, name


def told(page) -> dict[str, str]:
    """What the address says."""
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def test_a_link_with_every_control_opens_the_same_screen_in_a_fresh_browser(visit):
    page = visit("/?" + urlencode(EVERY))
    expect(page.locator("#overview .why .heat")).to_be_visible()
    for title in ("Maps", "Reweighting", "Code walk", "Compare"):  # where controls are fitted to the model
        tab(page, title)
        settled(page)
        missing = {name: (value, told(page).get(name)) for name, value in EVERY.items()}
        assert {name: both for name, both in missing.items() if both[0] != both[1]} == {}, title
    page.locator("#theme").click()
    page.locator("#language").click()
    assert told(page)["lang"] == "zh"
    other = visit("/?" + urlsplit(page.url).query, locale="en-GB")
    expect(other.get_by_role("tab", name="特征图")).to_be_visible()
    expect(other.locator("body")).not_to_have_class(re.compile("dark"))
    settled(other)
    assert told(other) == told(page)


def test_back_and_forward_step_through_what_was_looked_at_and_uploads_come_back(visit, tmp_path):
    page = visit("/?tab=maps&picture=2-star&model=vip_nano&weights=scenes")
    expect(page.locator("#grid .note").first).to_contain_text("stage 1 output")
    settled(page)
    choose(page, "layer", "stem")
    expect(page.locator("#grid .note").first).to_contain_text("stem")
    settled(page)
    ring = scenes.draw(5, 200, scenes.CLASSES.index("ring")).picture
    Image.fromarray(ring).save(tmp_path / "mine.png")
    page.locator("[aria-label='Remove Image']").click()
    page.locator("#picture input[type=file]").set_input_files(str(tmp_path / "mine.png"))
    expect(page.locator("#status")).to_contain_text("ring")
    settled(page)
    link = urlsplit(page.url).query
    tab(page, "Attribution")
    expect(page).to_have_url(re.compile("tab=attribution"))
    page.get_by_role("button", name="spiral", exact=True).click()
    expect(page.locator("#status")).to_contain_text("spiral")
    settled(page)
    for _ in range(2):
        page.go_back()
        settled(page)
    expect(page.locator("#status")).to_contain_text("ring")
    expect(page.locator("#grid .note").first).to_contain_text("stem")
    page.go_back()
    expect(page.locator("#status")).to_contain_text("star")
    settled(page)
    page.go_back()
    expect(page.locator("#grid .note").first).to_contain_text("stage 1 output")
    settled(page)
    page.go_forward()
    expect(page.locator("#grid .note").first).to_contain_text("stem")
    for after in (60, 120, 180):  # ms; forward again before the way back is answered
        page.evaluate(f"history.back(); setTimeout(() => history.forward(), {after})")
        page.wait_for_timeout(300)
        settled(page)
        expect(page.locator("#grid .note").first).to_contain_text("stem")
    mine = parse_qs(link)["picture"][0]
    again = visit(f"/?{link}&other={mine}")  # the picture is in this browser, to compare with as well
    expect(again.locator("#status")).to_contain_text("ring")
    settled(again)
    assert mine.startswith("upload-")
    assert (told(again)["picture"], told(again)["other"]) == (mine, mine)
    stranger = visit("/?" + link, locale="en-GB")  # and in no other
    expect(stranger.get_by_test_id("toast-body")).to_contain_text("upload it again")
