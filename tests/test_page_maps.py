"""The Maps tab in a real browser: cells, orders, depth."""

import re

from playwright.sync_api import expect

from explorer.features.ranking import ranked
from tests.on_page import choose, settled
from tests.test_language import nothing_english

STAR = "assets/examples/2-star.png"
LAYER = "stages.1.output"  # of vip_nano, 8 x 8 x 128


def click_cell(page, view: str, row: int, column: int) -> None:
    place = page.locator(f"#{view} .cells").first
    place.scroll_into_view_if_needed()
    box = place.bounding_box()
    place.click(position={"x": box["width"] * (column + 0.5) / 8, "y": box["height"] * (row + 0.5) / 8})


def at(page, row: int, column: int) -> None:
    """The cell that is chosen, in the address and marked in every map."""
    expect(page.locator("#similar-places h2")).to_have_text(f"Places like row {row}, column {column}")
    expect(page).to_have_url(re.compile(rf"cell={(row + 0.5) / 8:.4f}%2C{(column + 0.5) / 8:.4f}"))
    for view in ("large", "similar-places"):
        expect(page.locator(f"#{view} .cells").last).to_have_attribute("data-row", str(row))
        expect(page.locator(f"#{view} .cells").last).to_have_attribute("data-column", str(column))


def test_a_clicked_cell_is_compared_with_all_others_and_the_keyboard_walks_on(follow):
    page = follow("/?tab=maps&picture=2-star")
    expect(page.locator("#similar-places h2")).to_have_text("Places like row 4, column 4")
    click_cell(page, "large", 1, 2)
    at(page, 1, 2)
    for key in ("ArrowDown", "ArrowDown", "ArrowRight"):
        page.keyboard.press(key)
    at(page, 3, 3)
    click_cell(page, "similar-places", 6, 0)
    at(page, 6, 0)
    expect(page.locator("#similar-places .cells").first).to_be_focused()
    page.keyboard.press("ArrowUp")
    at(page, 5, 0)
    expect(page.locator("#similar-places .cells").first).to_be_focused()
    page.locator("#similar-places .nearest button").first.click()
    expect(page.locator("#similar-places h2")).not_to_have_text("Places like row 5, column 0")
    row, column = re.findall(r"\d+", page.locator("#similar-places h2").inner_text())
    at(page, int(row), int(column))
    page.reload()
    at(page, int(row), int(column))


def test_the_cell_under_the_pointer_is_told_and_the_chosen_one_after_it(follow, explorer):
    values = explorer.inspect("vip_nano", STAR, "scenes").activations[LAYER].value[0, :, :, 9]
    page = follow("/?tab=maps&picture=2-star&channel=9&cell=0.3125,0.3125")
    told = page.locator("#large .told")
    expect(told).to_have_text(re.compile(rf"row 2, column 2\s*{float(values[2, 2]):.4g}"))
    page.locator("#large .cells").first.hover(position={"x": 2, "y": 2})
    expect(told).to_have_text(re.compile(rf"row 0, column 0\s*{float(values[0, 0]):.4g}"))
    page.locator("#large h2").hover()
    expect(told).to_have_text(re.compile("row 2, column 2"))


def test_channels_come_in_the_order_of_their_relevance_for_the_class(follow, explorer):
    page = follow("/?tab=maps&picture=2-star")
    first = page.locator("#grid [data-pick]").first
    page.locator("#order input").click()
    page.get_by_role("option", name="by relevance", exact=True).click()
    expect(page.locator("#grid .note").first).to_contain_text("most relevant first, for star")
    scores = explorer.relevance("vip_nano", STAR, "scenes")[LAYER]
    expect(first).to_have_attribute("data-channel", str(ranked(scores)[0]))
    page.locator("#order input").click()
    page.get_by_role("option", name="by cause", exact=True).click()
    expect(page.locator("#grid .note").first).to_contain_text("most like the cause")
    expect(page).to_have_url(re.compile("order=cause"))


def test_a_channel_is_found_at_a_place_and_followed_to_another_layer(follow):
    page = follow("/?tab=maps&picture=2-star&cell=0.0625,0.0625")
    strongest = page.locator("#similar-places .strongest button").nth(2)
    channel = strongest.locator("span").first.inner_text()
    strongest.click()
    expect(page.locator("#large h2")).to_have_text(f"Channel {channel}")
    expect(page.locator("#depth h2")).to_have_text(f"Channel {channel} across depth")
    play = page.get_by_role("button", name="Play through the depth")
    frames, shown = page.locator("#depth [data-frame]"), page.locator("#depth .player figure")
    play.click()
    for number in (0, 1):  # one after another
        expect(shown).to_have_text(frames.nth(number).inner_text())
        expect(frames.nth(number)).to_have_class("now")
        assert shown.locator("img").get_attribute("src") == frames.nth(number).locator("img").get_attribute(
            "src"
        )
    play.click()
    expect(shown).to_be_hidden()
    page.locator("#depth button", has_text="block 1.0 blended").click()
    for view in ("grid", "large", "numbers", "similar-places"):
        expect(page.locator(f"#{view} .note").first).to_contain_text("block 1.0 blended")
    expect(page.locator("#large h2")).to_have_text(f"Channel {channel}")
    expect(page.locator("#depth [aria-pressed=true]")).to_have_text("block 1.0 blended")


def test_what_has_no_places_says_where_to_look_and_nothing_is_lost(follow):
    page = follow("/?tab=maps&layer=pooled&channel=5")
    expect(page.locator("#grid")).to_contain_text("one vector of 128 numbers, without places")
    expect(page.locator("#large .view")).to_have_count(0)
    page.locator("#layer input").click()
    page.get_by_role("option", name="block 0.0 branches · width", exact=True).click()
    expect(page.locator("#grid .note").first).to_contain_text("block 0.0 branches · width · 16 × 16 × 64")
    expect(page.locator("#large h2")).to_have_text("Channel 5")
    expect(page.get_by_test_id("toast-body")).to_have_count(0)


def test_every_kind_of_layer_is_told_in_chinese(follow):
    page = follow(
        "/?tab=maps&model=mobilevit_nano&layer=stages.2.1.transformer.0.attn.attention&order=relevance",
        locale="zh-CN",
    )
    expect(page.locator("#grid .view")).to_be_visible()
    nothing_english(page)
    choose(page, "backbone", "vip_nano")
    expect(page.locator("#status")).to_contain_text("vip_nano")
    for layer in ("0.0 分支 · 宽度", "分支权重"):
        page.locator("#layer input").click()
        page.get_by_role("option").filter(has_text=re.compile(layer)).first.click()
        expect(page.locator("#grid .view, #grid .nothing")).to_be_visible()
        nothing_english(page)


def test_of_two_quick_choices_the_last_stays(follow):
    """Also where the server is slow to answer: it is not asked what was chosen."""
    page = follow("/?tab=maps&picture=2-star")
    tiles = page.locator("#grid button[data-pick]")
    last = tiles.nth(20).get_attribute("data-channel")
    asked = []
    page.on("request", lambda request: "/run/" in request.url and asked.append(request.url))
    tiles.evaluate_all("tiles => tiles.slice(0, 21).forEach(tile => tile.click())")
    expect(page.locator("#large h2")).to_have_text(f"Channel {last}")
    settled(page)
    expect(page.locator("#large h2")).to_have_text(f"Channel {last}")
    assert asked == []
