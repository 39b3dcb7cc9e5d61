"""The Mixing tab in a real browser: click a place and see its field."""

import re

import pytest
from playwright.sync_api import expect


def note(page):
    return page.locator("#field header .note")


def click_cell(page, row: int, column: int) -> None:
    """Click the middle of a cell of the map."""
    shown = page.locator("#field [data-place]")
    box = shown.bounding_box()
    rows, columns = int(shown.get_attribute("data-rows")), int(shown.get_attribute("data-columns"))
    shown.click(
        position={"x": box["width"] * (column + 0.5) / columns, "y": box["height"] * (row + 0.5) / rows}
    )


def test_a_clicked_place_shows_its_field_and_a_link_brings_it_back(visit):
    page = visit("/?tab=mixing&model=s2mlp_nano&at=blocks.0.output")
    expect(note(page)).to_contain_text("row 4, column 4 of 8 × 8")
    expect(page.locator("#field .possible")).to_have_text("320 px")  # a place and its four neighbours
    click_cell(page, 0, 0)
    expect(note(page)).to_contain_text("row 0, column 0 of 8 × 8")
    expect(page.locator("#field .possible")).to_have_text("192 px")  # two neighbours in a corner
    page.locator("#field [data-place]").focus()
    page.keyboard.press("ArrowRight")
    expect(note(page)).to_contain_text("row 0, column 1 of 8 × 8")
    expect(page.locator("#field .possible")).to_have_text("256 px")
    expect(page.locator("#field .levels li")).to_have_count(4)
    expect(page).to_have_url(re.compile("place=62188"))
    page.reload()
    expect(note(page)).to_contain_text("row 0, column 1 of 8 × 8")


def test_the_same_place_is_followed_through_the_layers(visit):
    page = visit("/?tab=mixing&model=s2mlp_nano&place=62062")
    expect(page.locator("#growth [data-done=True] button")).to_have_count(7)
    last = page.locator("#growth button[data-pick]").last
    expect(last).to_contain_text("block 5 output")
    last.click()
    expect(note(page)).to_contain_text("block 5 output")
    expect(note(page)).to_contain_text("row 0, column 0")
    expect(page.locator("#depth input[type=number]")).to_have_value("19")
    page.locator("#depth input[type=number]").fill("2")
    page.locator("#depth input[type=number]").press("Enter")
    expect(note(page)).to_contain_text("block 0 shifted")


def test_the_other_way_round_a_clicked_pixel_is_felt(visit):
    page = visit("/?tab=mixing&model=fasternet_nano@96x64&at=stages.0.blocks.0.output")
    expect(note(page)).to_contain_text("of 24 × 16")
    page.get_by_label("places that feel a pixel").click()
    expect(note(page)).to_contain_text("a square of 2 × 2 pixels")
    expect(page.locator("#field .possible")).to_have_text("9 places")
    click_cell(page, 0, 0)
    expect(page.locator("#field .possible")).to_have_text("4 places")
    expect(page.locator("#average")).to_be_disabled()


@pytest.mark.parametrize("model", ["mixer_nano", "WeightedPermuteMLP(dim=64,seg_dim=16)&weights=random"])
def test_a_field_is_averaged_over_the_examples(visit, model):
    page = visit(f"/?tab=mixing&model={model}")
    expect(note(page)).to_contain_text("all channels")
    page.locator("#average").click()
    expect(note(page)).to_contain_text("averaged over 8 pictures")
    expect(page.locator("#average-stop")).to_be_disabled()
    click_cell(page, 0, 0)
    expect(note(page)).not_to_contain_text("averaged")
