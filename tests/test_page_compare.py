"""The comparison of backbones in a real browser."""

import re

from playwright.sync_api import expect

TWO = "/?tab=compare&picture=2-star&compared=vip_nano,mixer_nano"


def map_of(page, model: str):
    return page.locator(f"#versus-maps [data-place='{model}']")


def test_two_backbones_at_one_depth_share_a_cursor_and_tell_what_is_alike(follow):
    page = follow(f"{TWO}&depth=0")
    maps = page.locator("#versus-maps")
    expect(maps.locator("figure[data-model]")).to_have_count(2)
    expect(maps.locator("figure[data-model=vip_nano]")).to_contain_text("stem · 16 × 16 × 64")
    expect(maps.locator("figure[data-model=mixer_nano]")).to_contain_text("triangle")
    map_of(page, "vip_nano").hover(position={"x": 20, "y": 60})
    box = map_of(page, "vip_nano").bounding_box()
    expect(page.locator("html")).to_have_class(re.compile("cursor"))
    right = page.evaluate("parseFloat(document.documentElement.style.getPropertyValue('--right'))")
    assert abs(right - 100 * 20 / box["width"]) < 2
    map_of(page, "vip_nano").click(position={"x": box["width"] / 32, "y": box["height"] / 32})
    expect(maps).to_contain_text("the cosine of their features")
    expect(maps.locator(".scale")).to_have_count(2)
    expect(map_of(page, "mixer_nano")).to_have_attribute("data-row", "0")
    map_of(page, "vip_nano").press("ArrowDown")
    expect(map_of(page, "vip_nano")).to_have_attribute("data-row", "1")
    expect(map_of(page, "vip_nano")).to_be_focused()
    maps.get_by_role("button", name="Back to colours").click()
    expect(maps).to_contain_text("three strongest components")
    page.get_by_label("number input for Depth in % of the blocks").fill("100")
    page.keyboard.press("Enter")
    expect(maps.locator("figure[data-model=vip_nano]")).to_contain_text("block 1.3")
    expect(page).to_have_url(re.compile("compared=vip_nano%2Cmixer_nano.*depth=100"))
    play = page.locator("#main").get_by_role("button", name="Play through the depth").locator("visible=true")
    play.click()  # from the beginning again, as each depth is drawn
    expect(page).to_have_url(re.compile("depth=[1-9]0(&|$)"))
    play.click()


def test_one_backbone_is_too_few_and_a_door_to_more_is_open(follow):
    page = follow("/?tab=compare&compared=vip_nano")
    expect(page.locator("#versus-maps .nothing")).to_have_text(
        "Choose 2 to 7 backbones to compare; 1 are chosen."
    )
    page.locator("#compared input").click()
    page.get_by_role("option", name="s2mlp_nano", exact=True).click()
    expect(page.locator("#versus-maps figure[data-model]")).to_have_count(2)


def test_layers_of_one_backbone_are_like_themselves_and_cells_can_be_read(follow):
    page = follow("/?tab=compare&versus=layers&picture=2-star&first=s2mlp_nano&second=s2mlp_nano")
    view = page.locator("#versus-layers")
    expect(view.locator("i[data-says]")).to_have_count(49)
    diagonal = [view.locator("i[data-says]").nth(8 * layer).get_attribute("data-says") for layer in range(7)]
    assert all(": 1.00, over 64 places" in said for said in diagonal)
    view.locator("[data-reading]").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    expect(view.locator(".reading")).to_have_text(re.compile(r"^block 0 and block 0: 1\.00"))
    page.locator("#cka-second input").click()
    page.get_by_role("option", name="mixer_nano", exact=True).click()
    expect(view).to_contain_text("mixer_nano to the right")


def test_costs_stand_along_depth_with_their_totals(follow):
    page = follow(f"{TWO}&versus=costs")
    view = page.locator("#versus-costs")
    expect(view.locator(".depth")).to_have_count(8)  # two backbones, four quantities
    expect(view.locator(".depth[data-model=vip_nano] .value").nth(1)).to_have_text("65.9 M")
    view.locator(".depth[data-model=mixer_nano] i").nth(1).hover()
    expect(view.locator(".reading")).to_have_text(
        re.compile(r"^Parameters, block 0 of mixer_nano: 149 k, 16")
    )
    page.locator("#versus").get_by_label("Maps").click()
    expect(page.locator("#versus-maps figure[data-model]")).to_have_count(2)
