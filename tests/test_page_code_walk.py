"""The code walk in a real browser."""

import re

from playwright.sync_api import expect

from tests.on_page import choose, switch


def test_stepping_to_the_branch_weights_of_weighted_permute_mlp(follow):
    page = follow("/?tab=code&picture=2-star&part=stages.0.blocks.0.token_mixing")
    expect(page.locator("#walk h2")).to_have_text("block 0.0")
    following = page.get_by_role("button", name="Next")
    source = page.locator("#walk .now")
    for _ in range(15):
        before = source.inner_text()
        if before.startswith("of_height"):
            break
        following.click()
        expect(source).not_to_have_text(before)
    expect(source).to_contain_text("self.branch_weights(logits.softmax(dim=0))")
    expect(page.locator("#walk .equation")).to_contain_text("softmax")
    made = page.locator("#walk .made article")
    expect(made).to_have_count(3)
    expect(made.first).to_contain_text("of_height")
    expect(made.first.locator(".shape")).to_have_text("b 11 11 1c 64")
    expect(made.first.locator("svg.bars path.up")).to_have_attribute("d", re.compile("M0.5"))


def test_into_a_helper_into_a_part_and_out_again(follow):
    page = follow("/?tab=code&part=stages.0.blocks.0.token_mixing&step=1")
    expect(page.locator("#walk nav b")).to_have_text("WeightedPermuteMlp.forward")
    page.get_by_role("button", name="Into PermuteMlp.mixed").click()
    expect(page.locator("#walk nav b")).to_have_text("PermuteMlp.mixed")
    page.get_by_role("button", name="Out", exact=True).click()
    expect(page.locator("#walk nav b")).to_have_text("WeightedPermuteMlp.forward")
    page.locator("#walk .listing button", has_text="logits = rearrange").click()
    expect(page.locator("#walk .pattern figcaption")).to_have_text("b (c branches) -> branches b 1 1 c")
    page.get_by_role("button", name="walk into it").click()
    expect(page.locator("#walk nav b")).to_have_text("Sequential.forward")
    page.locator("#walk nav button").first.click()
    expect(page.locator("#walk nav b")).to_have_text("WeightedPermuteMlp.forward")


def test_a_place_and_a_channel_are_followed_through_the_lines(follow):
    page = follow("/?tab=code&part=stages.0.blocks.0.token_mixing&walks=one&follow=3")
    place = page.locator("#walk [data-place]").first
    expect(page.locator("#walk .scale").first).to_be_visible()
    place.click(position={"x": 4, "y": 4})
    expect(page.locator("#walk figcaption").first).to_contain_text("row 0, column 0")
    page.get_by_role("button", name="Next").click()
    expect(page.locator("#walk .made article")).to_have_count(3)
    expect(page.locator("#walk figcaption").first).to_contain_text("row 0, column 0")
    page.locator("#walk [data-place]").first.press("ArrowRight")
    expect(page.locator("#walk figcaption").first).to_contain_text("row 0, column 1")


def test_the_shift_of_the_listings_is_drawn_where_a_block_has_shifts(follow):
    page = follow("/?tab=code&model=s2mlp_nano&part=blocks.0")
    expect(page.locator("#walk h2")).to_have_text("block 0")
    expect(page.locator("#shift-written")).to_be_visible()
    expect(page.locator("#literal-shift .quarter")).to_have_count(0)
    switch(page, "shift-written", 1)
    expect(page.locator("#literal-shift .quarter.wrong")).to_have_count(2)
    expect(page.locator("#literal-shift")).to_contain_text("every row became the first one")
    expect(page).to_have_url(re.compile("shift=listed"))
    page.locator("#walk .listing button").last.click()
    expect(page.locator("#literal-shift .quarter")).to_have_count(4)  # stepping on leaves it as it is
    choose(page, "backbone", "vip_nano")
    expect(page.locator("#status")).to_contain_text("vip_nano")
    expect(page.locator("#shift-written")).to_be_hidden()
    expect(page.locator("#literal-shift .quarter")).to_have_count(0)
