"""Attention, matrices and shifts in a real browser."""

import re

from playwright.sync_api import expect

from explorer.ui.tabs.mixing.tab import LENSES
from tests.on_page import choose, switch
from tests.test_language import nothing_english


def test_a_head_is_picked_and_looks_from_the_place_that_is_clicked(follow):
    page = follow("/?tab=mixing&way=attention&model=mobilevit_nano&picture=2-star")
    view = page.locator("#attention-from")
    expect(view.locator(".to")).to_contain_text("head 3")
    expect(view.locator(".to figure")).to_have_count(4)
    page.locator("#attention-from-head input").click()
    page.get_by_role("option", name="head 2", exact=True).click()
    expect(view).to_contain_text("head 2, from every place of the patch chosen")
    expect(view.locator(".to figure")).to_have_count(4)
    expect(view.locator(".to figcaption", has_text="sum 1.0000")).to_have_count(4)
    expect(page).to_have_url(re.compile("head=2"))
    before = view.locator(".to img").first.get_attribute("src")
    view.locator("[data-place]").click(position={"x": 3, "y": 3})
    expect(view.locator(".from")).to_contain_text("row 0, column 0 of 8 × 8")
    expect(view.locator(".to figure").first).to_have_class("own")
    assert view.locator(".to img").first.get_attribute("src") != before
    view.locator("[data-place]").press("ArrowDown")
    expect(view.locator(".from")).to_contain_text("row 1, column 0 of 8 × 8")
    expect(view.locator(".to figure").nth(2)).to_have_class("own")


def test_a_link_shows_the_same_attention_and_a_head_of_all_opens(follow):
    page = follow(
        "/?tab=mixing&way=attention&model=mobilevit_nano&gaze=stages.3.1.transformer.1.attn.attention"
        "&gaze_place=0.9,0.1"
    )
    view = page.locator("#attention-from")
    expect(view).to_contain_text("block 3.1 transformer 1")
    expect(view.locator(".from")).to_contain_text("row 3, column 0 of 4 × 4")
    view.get_by_role("button", name="head 1").click()
    expect(view).to_contain_text("head 1, from every place of the patch chosen")
    expect(page).to_have_url(re.compile("gaze_place=0.9"))
    expect(page).to_have_url(re.compile("head=1"))


def test_hidden_units_come_smooth_first_and_open_large(follow):
    page = follow("/?tab=mixing&way=matrices&model=mixer_nano")
    units = page.locator("#matrix-all .sprite button")
    expect(units).to_have_count(64)
    heading, maps = (page.locator(f"#matrix-all {part}").bounding_box() for part in ("h2", ".sprite img"))
    assert heading["y"] + heading["height"] <= maps["y"]  # the maps lie below what is said of them
    assert abs(maps["width"] - maps["height"]) < 2
    waves = [float(text) for text in units.all_inner_texts()]
    assert waves == sorted(waves)
    assert waves[0] < waves[-1]
    number = units.nth(5).get_attribute("data-unit")
    units.nth(5).click()
    expect(page.locator("#matrix-large h2")).to_have_text(f"Unit {number}")
    expect(page.locator("#matrix-large figure")).to_have_count(2)
    expect(page).to_have_url(re.compile(f"unit={number}"))


def test_where_channels_come_from_and_what_has_no_shifts_leads_elsewhere(follow):
    page = follow("/?tab=mixing&way=shifts&model=fasternet_nano")
    view = page.locator("#shifts")
    expect(view).to_contain_text("8 of 32 channels are touched (25 %); 24 pass untouched (75 %)")
    expect(view.locator(".group").first).to_contain_text("computed from 3 × 3 places of 8 channels")
    choose(page, "backbone", "s2mlp_nano")
    expect(view.locator(".group")).to_have_count(4)
    expect(view.locator(".group").first).to_contain_text("from the place above")
    choose(page, "backbone", "vip_nano")
    expect(view).to_contain_text("moves no channels")
    view.get_by_role("button", name="See its matrices").click()
    expect(page.locator("#matrix-all")).to_contain_text("From line to line")


def test_the_ways_are_told_in_chinese(follow):
    page = follow("/?tab=mixing&way=attention&model=mobilevit_nano&head=1", locale="zh-CN")
    shown = [("attention", "mobilevit_nano", "attention-from"), ("attention", "vip_nano", "attention-from")]
    shown += [("matrices", "mixer_nano", "matrix-all"), ("shifts", "as_mlp_nano", "shifts")]
    shown += [("shifts", "fasternet_nano", "shifts")]
    for way, model, view in shown:
        if model not in page.url:
            choose(page, "backbone", model)
            expect(page.locator("#status")).to_contain_text(model)
        switch(page, "ways", list(LENSES).index(way))
        expect(page.locator(f"#{view} section, #{view} .plain-button").first).to_be_visible()
        nothing_english(page)
    choose(page, "backbone", "vip_nano")
    page.locator("#shifts .plain-button").click()
    expect(page.locator("#matrix-all section")).to_be_visible()
    nothing_english(page)
