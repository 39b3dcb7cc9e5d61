"""What frames the views: history and pins, the rail of a phone, the size of text, full screen, widths."""

import pytest
from playwright.sync_api import expect

from explorer.ui.tabs import TABS
from explorer.ui.tabs.attribution.tab import BESIDE
from tests.on_page import settled, switch, tab

SMALLEST = 13  # px
TOO_SMALL = """least => {
  const found = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.data.trim() || !element.checkVisibility() || element.closest('script, style')) continue;
    const size = parseFloat(getComputedStyle(element).fontSize);
    if (size < least) found.add(`${element.tagName} ${element.className} ${size}`);
  }
  return [...found];
}"""


def test_the_last_questions_come_back_with_a_click_and_two_stand_side_by_side(visit):
    page = visit("/?tab=maps&picture=2-star&model=vip_nano&weights=scenes")
    expect(page.locator("#grid .sprite")).to_be_visible()
    visits = page.locator(".visits li")
    expect(visits).to_have_count(1)
    expect(page.locator(".visits")).to_be_hidden()  # one question is no history
    tab(page, "Reweighting")
    expect(visits).to_have_count(2)
    expect(visits.first).to_contain_text("Reweighting")
    expect(visits.nth(1).locator("img")).to_be_visible()
    visits.nth(1).locator(".again").click()
    expect(page.get_by_role("tab", name="Maps", exact=True)).to_have_attribute("aria-selected", "true")
    expect(page.locator("#status")).to_contain_text("star")
    settled(page)
    expect(visits.first).to_contain_text("Maps")
    shown = visits.first.locator("img").get_attribute("src")
    page.locator("#grid .sprite img").evaluate(
        "(one, other) => { one.src = other; }", visits.nth(1).locator("img").get_attribute("src")
    )
    expect(visits.first.locator("img")).not_to_have_attribute("src", shown)  # what is drawn late
    for number in range(2):
        visits.nth(number).locator(".pin").click()
    page.get_by_role("button", name="Side by side", exact=True).click()
    expect(page.locator("dialog.two iframe")).to_have_count(2)
    for frame, view in (("first", "#grid .sprite"), ("last", "#strip .strip")):
        inside = getattr(page.locator("dialog.two iframe"), frame).content_frame
        expect(inside.locator(view)).to_be_visible()
    page.get_by_role("button", name="Close", exact=True).click()
    expect(page.locator("dialog.two")).to_have_count(0)


def test_a_phone_begins_with_results_below_one_line_and_stays_below_three_screens(visit):
    page = visit("/?picture=2-star&model=vip_nano&weights=scenes", width=390, height=844)
    line = page.locator("#rail-line")
    expect(line).to_contain_text("vip_nano")
    expect(line).to_contain_text("Trained")
    expect(page.locator("#rail")).to_be_hidden()
    assert page.locator("#overview .predictions").bounding_box()["y"] < 844

    def looked_at(view: str) -> None:
        settled(page, calm=20)  # what was looked at is drawn late, below everything
        screens = page.evaluate("document.documentElement.scrollHeight / innerHeight")
        assert screens < 3, (view, screens)
        assert page.evaluate(TOO_SMALL, SMALLEST) == [], view

    for row in TABS:
        tab(page, row.title)
        looked_at(row.title)
    tab(page, "Attribution")
    switch(page, "beside", list(BESIDE).index("truth"))  # the longest lens
    looked_at("Truth lab")
    line.click()
    expect(page.locator("#rail")).to_be_visible()


def test_a_picture_fills_the_screen_and_the_text_grows(visit):
    page = visit("/?picture=2-star&model=vip_nano&weights=scenes")
    expect(page.locator("#overview .why .heat")).to_be_visible()
    page.locator("#overview .seen img").dblclick()
    page.locator("dialog.zoom .whole").click()
    expect(page.locator("dialog.zoom div:fullscreen img")).to_be_visible()
    page.locator("dialog.zoom .whole").click()
    page.locator("dialog.zoom img").click()
    expect(page.locator("dialog.zoom")).to_have_count(0)
    page.locator("#picture .image-frame").dblclick()  # the rail's own
    page.locator("dialog.zoom img").click()
    expect(page.locator("dialog.zoom")).to_have_count(0)
    before = page.locator("h1").bounding_box()["height"]
    page.locator("#text-size").click()
    assert page.locator("h1").bounding_box()["height"] == pytest.approx(1.25 * before, rel=0.05)
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
