"""The real page in a real browser: what a visitor sees first, does, and gets wrong."""

import re
from functools import partial

import gradio as gr
import numpy as np
import pytest
from gradio.caching import ProbeCache
from PIL import Image
from playwright.sync_api import expect

from explorer import Explorer
from explorer.errors import NotRememberedError
from explorer.ui.after_choice import REFRESHED, pressed, shown_now
from explorer.ui.at_once import at_once_where_remembered
from explorer.ui.examples import PHOTOGRAPHS, SCENES
from explorer.ui.selection import Selection, selected
from explorer.ui.tabs.overview.tab import draw as overview
from models import card, list_models, scenes
from tests.on_page import choose, settled, tab

STRIPES = "/?picture=1-vertical-stripes"
LEARNED = "cifar10" in card("vip_nano").weights  # whether weights that know photographs come along
SHOWN = "vertical stripes"  # on the first view of these tests, see `conftest.server`


def upload(page, path) -> None:
    page.locator("[aria-label='Remove Image']").click()
    page.locator("#picture input[type=file]").set_input_files(str(path))


def test_the_first_view_is_a_finished_example_and_another_changes_every_view(visit):
    page = visit()
    overview = page.locator("#overview")
    expect(overview.locator(".predictions li").first).to_contain_text(SHOWN)
    expect(overview.locator(".why .heat")).to_be_visible()
    expect(overview.locator(".why .advance")).to_have_count(0)
    expect(overview.locator(".stages [data-frame]")).to_have_count(3)
    expect(overview.locator(".columns button")).to_have_count(6)
    expect(page.locator("#status")).to_contain_text(re.compile(rf"vip_nano, trained on scenes.*{SHOWN} \d+"))
    expect(page.locator("#badge .badge.good")).to_contain_text("Trained: the bundled checkpoint")
    page.get_by_role("button", name="star", exact=True).click()  # another example changes every view
    expect(overview.locator(".predictions li").first).to_contain_text("star")
    tab(page, "Attribution")
    expect(page.locator("#attribution header, #attribution .nothing")).to_contain_text(
        re.compile("star|Press")
    )


def test_a_bad_file_gets_its_sentence_and_loses_nothing_and_an_upload_is_looked_at(visit, tmp_path):
    page = visit(STRIPES)
    first = page.locator("#overview .predictions li").first
    expect(first).to_contain_text("vertical stripes")
    (tmp_path / "text.png").write_text("this is no picture")
    page.locator("[aria-label='Remove Image']").click()  # without a picture nothing is shown of the last one
    expect(page.locator("#waiting")).to_contain_text("no picture to look at")
    expect(first).to_be_hidden()
    page.locator("#picture input[type=file]").set_input_files(str(tmp_path / "text.png"))
    expect(page.get_by_test_id("toast-body")).to_contain_text("not a picture that can be read")
    expect(first).to_contain_text("vertical stripes")
    expect(page.locator("#picture img")).to_be_visible()
    page.locator("[aria-label='Remove Image']").click()
    expect(first).to_be_hidden()
    page.locator("#picture input[type=file]").set_input_files(str(tmp_path / "text.png"))
    expect(first).to_be_visible()
    expect(page.get_by_test_id("toast-body")).to_have_count(1)  # what is said twice is shown once
    tab(page, "Maps")
    expect(page.locator("#grid .sprite")).to_be_visible()
    page.locator("[aria-label='Remove Image']").click()
    expect(page.locator("#grid .sprite")).to_be_hidden()
    expect(page.locator("#status")).to_have_text("")
    Image.new("RGB", (900, 90), "teal").save(tmp_path / "wide.png")
    page.locator("#picture input[type=file]").set_input_files(str(tmp_path / "wide.png"))
    expect(page.locator("#cut")).to_contain_text(re.compile(r"the middle \d %"))
    expect(page.locator("#grid .sprite")).to_be_visible()
    ring = scenes.draw(5, 200, scenes.CLASSES.index("ring")).picture
    Image.fromarray(ring).save(tmp_path / "mine.png")
    upload(page, tmp_path / "mine.png")
    expect(page.locator("#status")).to_contain_text("ring")
    expect(page.locator("#cut")).to_have_text("")
    expect(page).to_have_url(re.compile("picture=upload-"))
    tab(page, "Overview")
    expect(first).to_contain_text("ring")


def test_layers_and_channels_are_chosen(follow):
    page = follow("/?tab=maps")
    expect(page.locator("#grid .note").first).to_contain_text("stage 1 output · 8 × 8 × 128")
    page.locator("#layer input").click()
    page.get_by_role("option", name="stem", exact=True).click()
    expect(page.locator("#grid .note").first).to_contain_text("stem · 16 × 16 × 64")
    chosen = page.locator("#grid button[data-pick]").nth(3)
    channel = int(chosen.get_attribute("data-channel"))
    chosen.click()
    expect(page.locator("#large h2")).to_have_text(f"Channel {channel}")
    page.locator("#channel input").press("ArrowUp")
    expect(page.locator("#large h2")).to_have_text(f"Channel {channel + 1}")
    expect(page).to_have_url(re.compile("layer=stem.output"))


def test_a_door_of_the_overview_opens_its_tab_at_the_layer_and_what_is_unfolded_stays(follow):
    page = follow("/?tab=overview")
    stages = page.locator("#overview .stages")
    stages.get_by_role("button", name="Play through the depth").click()
    for number in (0, 1):
        name = stages.locator("[data-frame] b").nth(number).inner_text()
        expect(stages.locator(".player figure b")).to_have_text(name)
    stages.get_by_role("button", name="Play through the depth").click()
    expect(stages.locator(".player figure")).to_be_hidden()
    stages.locator("[data-frame]", has_text="stage 0").click()
    expect(page.locator("#grid .note").first).to_contain_text("stage 0 output")
    expect(page).to_have_url(re.compile("tab=maps"))
    fold = page.locator("#large details").last
    fold.locator("summary").click()
    page.locator("#grid button[data-pick]").nth(5).click()
    expect(page.locator("#large h2")).not_to_have_text("Channel 0")
    expect(fold).to_have_attribute("open", "")


def test_methods_show_the_controls_they_listen_to(visit):
    page = visit("/?tab=attribution&method=grad_cam")
    expect(page.locator("#attribution h2")).to_have_text("Grad-CAM")
    expect(page.locator("#cam-layer")).to_be_visible()
    expect(page.get_by_label("Baseline")).to_have_count(0)
    expect(page.locator("#attribution .figures")).to_contain_text("8 × 8")


def test_every_bundled_backbone_fills_the_overview_and_the_maps(follow):
    """What the other tabs show of each is tested where they are."""
    page = follow("/?picture=4-spiral")
    expect(page.locator("#status")).to_contain_text("trained on scenes")
    bundled = [name for name in list_models() if "scenes" in card(name).weights]
    for name in bundled:
        tab(page, "Overview")
        choose(page, "backbone", name)
        expect(page.locator("#status")).to_contain_text(f"{name}, trained on scenes")
        expect(page.locator("#overview .facts")).to_contain_text(name)
        expect(page.locator("#overview .predictions li").first).to_contain_text("spiral")
        expect(page.locator("#overview .why .heat")).to_be_visible()
        tab(page, "Maps")
        expect(page.locator("#grid .sprite")).to_be_visible()
        expect(page.locator("#large .large").first).to_be_visible()
    expect(page.get_by_test_id("toast-body")).to_have_count(0)
    assert len(bundled) == 8


def test_random_weights_are_loudly_labelled(follow):
    page = follow("/?weights=random")
    expect(page.locator("#badge .badge.bad")).to_have_text(re.compile("Untrained: random weights"))
    expect(page.locator("#status")).to_contain_text("random (untrained)")
    tab(page, "Attribution")
    settled(page)
    page.locator("#run").click()  # on a busy machine it may count as too slow to run unasked
    expect(page.locator("#attribution .doubt")).to_contain_text("The weights are random")


def test_a_link_brings_the_same_screen_back(follow):
    page = follow(
        "/?picture=2-star&model=vip_nano&weights=scenes&target=4&tab=maps&layer=stem.output&channel=9"
    )
    expect(page.locator("#large h2")).to_have_text("Channel 9")
    expect(page.locator("#grid .note").first).to_contain_text("stem")
    expect(page.locator("#status")).to_contain_text("star")
    assert page.locator("#target input").input_value() == "ring"
    for part in ("picture=2-star", "target=4", "layer=stem.output", "channel=9", "tab=maps"):
        assert part in page.url


def test_a_link_holds_what_was_chosen_and_not_what_is_usual(visit):
    page = visit("/?tab=maps&order=variance&scale=shared&steps=20&channel=500")
    expect(page.locator("#large h2")).to_have_text("Channel 127")
    expect(page.locator("#channel input")).to_have_value("127")
    expect(page.locator("#grid .note").first).to_contain_text("one scale for all channels")
    expect(page).to_have_url(re.compile("channel=127"))
    for part in ("order=variance", "scale=shared", "steps=20"):
        assert part in page.url
    assert "samples=" not in page.url
    page.locator("#channel input").fill("")
    page.locator("#channel input").press("Enter")
    expect(page.locator("#large h2")).to_have_text("Channel 0")
    expect(page.get_by_test_id("toast-body")).to_have_count(0)


def test_a_number_that_a_followed_link_cannot_have_is_put_right_in_the_address(follow):
    follow(f"{STRIPES}&tab=attribution&method=grad_cam")
    page = follow(f"{STRIPES}&tab=maps&channel=500")
    expect(page.locator("#channel input")).to_have_value("127")
    expect(page).to_have_url(re.compile("channel=127"))
    page.go_back()
    expect(page).to_have_url(re.compile("tab=attribution"))
    assert "channel=" not in page.url


def test_switching_backbones_quickly_alarms_nobody(follow):
    page = follow(STRIPES)
    expect(page.locator("#status")).to_contain_text("vip_nano")
    for name in ("vip_s14", "fasternet_nano", "vip_nano"):
        choose(page, "backbone", name)
        page.wait_for_timeout(150)
    expect(page.locator("#status")).to_contain_text("vip_nano, trained on scenes")
    expect(page.locator("#overview .facts")).to_contain_text("vip_nano")
    expect(page.get_by_test_id("toast-body")).to_have_count(0)


def test_a_wrong_link_is_no_harm(visit):
    page = visit("/?picture=../../etc/passwd&model=nothing&weights=file&target=x&tab=magic&channel=-4")
    expect(page.locator("#overview .predictions li").first).to_contain_text(SHOWN)


def test_a_view_can_be_taken_along(follow, tmp_path):
    page = follow("/?tab=maps")
    for view, kind in (("grid", "npz"), ("large", "png")):
        expect(page.locator(f"#{view} .save")).to_be_visible()
        with page.expect_download() as download:
            page.locator(f"#{view} button[data-kind={kind}]").click()
        download.value.save_as(tmp_path / f"{view}.{kind}")
    assert np.load(tmp_path / "grid.npz")["values"].shape == (8, 8, 128)
    assert Image.open(tmp_path / "large.png").width > 400


def test_arrow_keys_walk_through_channels_and_blocks_whose_shares_sum_to_one(visit):
    page = visit("/?tab=maps")
    tiles = page.locator("#grid button[data-pick]")
    tiles.nth(0).click()
    for key in ("ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
    expect(page.locator("#large h2")).to_have_text(f"Channel {tiles.nth(9).get_attribute('data-channel')}")
    tab(page, "Reweighting")
    page.locator("#strip .strip button").nth(2).click()
    page.keyboard.press("ArrowUp")
    expect(page.locator("#inside h2")).to_have_text("Block 0.1")
    expect(page.locator("#inside .matrix > div")).to_have_count(3)
    shares = page.locator("#inside .matrix .value").all_inner_texts()
    assert 98 <= sum(int(share.split("\u2009")[0]) for share in shares) <= 102


def test_a_map_opens_large_and_the_theme_is_remembered(visit):
    page = visit("/?tab=attribution&method=saliency")
    page.locator("#attribution button[data-zoom]").first.click()
    expect(page.locator("dialog.zoom img")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("dialog.zoom")).to_have_count(0)
    page.locator("#theme").click()
    expect(page.locator("body")).to_have_class(re.compile("dark"))
    page.reload()
    expect(page.locator("body")).to_have_class(re.compile("dark"))


def test_a_photograph_is_looked_at_with_weights_that_know_photographs(visit):
    """Weights of scenes say so and offer others; an upload is looked at with those, if none was chosen."""
    page = visit("/?picture=1-cat&model=vip_nano&weights=scenes")
    badge = page.locator("#badge .unfamiliar")
    expect(badge).to_contain_text("This picture is not like them")
    beside = page.locator("#overview .predictions .unfamiliar")
    expect(beside).to_contain_text("These weights know twelve drawn shapes and patterns")
    expect(beside.locator("details")).to_contain_text(re.compile("vip_s7.*100 MB.*1,000 classes.*81.5 %"))
    assert beside.get_by_role("button", name="vip_nano: 10 kinds").count() == LEARNED
    beside.get_by_role("button", name="efficientnet_lite0").click()
    expect(page.locator("#status")).to_contain_text(re.compile("efficientnet_lite0.*(Egyptian|tiger) cat"))
    expect(page.locator("#badge .badge.good")).to_contain_text("ImageNet")
    expect(page.locator("#overview .why")).to_contain_text("activation × gradient")
    page.get_by_role("button", name="star", exact=True).click()
    expect(badge).to_contain_text("This is a drawn scene")
    badge.get_by_role("button", name="drawn shapes").first.click()
    expect(page.locator("#status")).to_contain_text(re.compile("trained on scenes.*star"))
    expect(page.locator("#badge .badge.good")).to_contain_text("procedural scenes")


def test_who_has_chosen_nothing_gets_what_knows_the_picture(visit):
    """An upload is looked at with what knows most photographs, a drawn scene with what knows scenes."""
    page = visit(STRIPES)
    expect(page.locator("#status")).to_contain_text("vertical stripes")
    upload(page, next(path for path in PHOTOGRAPHS if "espresso" in path.stem))
    expect(page.locator("#status")).to_contain_text(re.compile("efficientnet_lite0.*espresso"))
    page.get_by_role("button", name="star", exact=True).click()
    expect(page.locator("#status")).to_contain_text(re.compile("vip_nano, trained on scenes.*star"))
    page.get_by_role("button", name="cat", exact=True).click()
    expect(page).to_have_url(re.compile("picture=1-cat"))
    expect(page.locator("#badge .badge.good")).to_be_visible()
    expect(page.locator("#status .unlike")).to_have_count(0)


def test_an_overview_looked_at_before_is_drawn_whole_at_once():
    selection = Selection(str(SCENES[0]), "mixer_nano", "scenes", "", None)
    explorer = Explorer(device="cpu")
    *parts, last = overview(explorer, selection)
    assert parts
    assert list(overview(explorer, selection)) == [last]


def test_a_press_on_an_example_is_answered_whole_where_all_is_remembered():
    path = str(SCENES[0])
    rail = path, "mixer_nano", "scenes", "", None, ""
    selection, explorer = selected(*rail), Explorer(device="cpu")
    assert [one for one in pressed(explorer, path, True, *rail) if one != gr.skip()] == [path, path]
    link, *whole = shown_now(explorer, selection, chosen=True)[-REFRESHED:]
    assert "picture=" in link
    *shown, last = pressed(explorer, path, True, *rail)
    assert shown[:2] == [path, path]
    assert [*shown, last][-REFRESHED:] == [link, *whole]


def test_what_is_remembered_is_drawn_as_soon_as_it_is_asked_and_what_is_not_waits():
    """The queue tries every question to a handler that has `cache`, and lets wait what fails."""
    explorer, selection = Explorer(device="cpu"), selected(str(SCENES[0]), "mixer_nano", "scenes", "", None)
    handler = at_once_where_remembered(partial(overview, explorer))
    assert handler.cache
    with ProbeCache(), pytest.raises(NotRememberedError):
        list(handler(selection))
    *parts, last = handler(selection)
    assert parts
    with ProbeCache():
        assert list(handler(selection)) == [last]


def test_a_press_on_a_remembered_example_leads_to_its_overview_before_anything_else_is_told(follow):
    page = follow("/?picture=2-star&model=vip_nano&weights=scenes")
    for name in ("ring", "star"):
        page.get_by_role("button", name=name, exact=True).click()
        expect(page.locator("#overview .predictions li").first).to_contain_text(name)
        expect(page.locator("#overview .why .advance")).to_have_count(0)
        settled(page)
    with page.expect_response(lambda response: "/run/predict" in response.url) as told:
        page.get_by_role("button", name="ring", exact=True).click()
    assert "picture=6-ring" in told.value.text()  # the link, which the open tab follows
    expect(page.locator("#overview .predictions li").first).to_contain_text("ring")
    settled(page)
    expect(page).to_have_url(re.compile("picture=6-ring"))


def test_of_two_quick_presses_the_last_stays_also_where_it_alone_is_remembered(follow):
    """What the first owes is answered after all that the second is told."""
    page = follow("/?picture=2-star&model=vip_nano&weights=scenes")
    expect(page.locator("#overview .why .advance")).to_have_count(0)
    settled(page)
    press = "name => document.querySelector(`#examples button[aria-label=${name}]`).click()"
    page.evaluate(press, "spiral")  # not looked at before
    page.wait_for_timeout(30)
    page.evaluate(press, "star")
    settled(page, calm=8)
    expect(page.locator("#status")).to_contain_text("star")
    expect(page).to_have_url(re.compile("picture=2-star"))
    expect(page.locator("#overview .predictions li").first).to_contain_text("star")
