"""The Mixing tab in a real browser: click a place and see its field."""

import re

import numpy as np
import pytest
from playwright.sync_api import expect

from explorer.figures.fields import levels_painted, shade, three_maps
from explorer.ui.events import Place
from explorer.ui.tabs.mixing.place import ChosenPlace, usual_layer


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


def test_a_clicked_place_shows_its_field_and_a_link_brings_it_back(follow):
    page = follow("/?tab=mixing&model=s2mlp_nano&at=blocks.0.output")
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
    expect(page).to_have_url(re.compile("place=0.0625%2C0.1875"))
    page.reload()
    expect(note(page)).to_contain_text("row 0, column 1 of 8 × 8")


def test_the_same_place_is_followed_through_the_layers(follow):
    page = follow("/?tab=mixing&model=s2mlp_nano&place=0.0625,0.0625")
    expect(page.locator("#growth [data-done=True] button")).to_have_count(7)
    last = page.locator("#growth button[data-pick]").last
    expect(last).to_contain_text("block 5 output")
    last.click()
    expect(note(page)).to_contain_text("block 5 output")
    expect(note(page)).to_contain_text("row 0, column 0")
    expect(page.locator("#field-depth input[type=number]")).to_have_value("19")
    page.locator("#field-depth input[type=number]").fill("2")
    page.locator("#field-depth input[type=number]").press("Enter")
    expect(note(page)).to_contain_text("block 0 shifted")


def test_the_other_way_round_a_clicked_pixel_is_felt(follow):
    page = follow("/?tab=mixing&model=fasternet_nano@96x64&at=stages.0.blocks.0.output")
    expect(note(page)).to_contain_text("of 24 × 16")
    page.get_by_label("places that feel a pixel").click()
    expect(note(page)).to_contain_text("a square of 2 × 2 pixels")
    expect(page.locator("#field .possible")).to_have_text("9 places")
    click_cell(page, 0, 0)
    expect(page.locator("#field .possible")).to_have_text("4 places")
    expect(page.locator("#average")).to_be_disabled()


@pytest.mark.parametrize("model", ["mixer_nano", "WeightedPermuteMLP(dim=64,seg_dim=16)&weights=random"])
def test_a_field_is_averaged_over_the_examples(follow, model):
    page = follow(f"/?tab=mixing&model={model}")
    expect(note(page)).to_contain_text("all channels")
    page.locator("#average").click()
    expect(note(page)).to_contain_text("averaged over 8 pictures")
    expect(page.locator("#average-stop")).to_be_disabled()
    click_cell(page, 0, 0)
    expect(note(page)).not_to_contain_text("averaged")


def test_a_place_stays_where_it_is_in_the_picture():
    for grid in ((8, 8), (24, 16), (1, 3), (112, 112)):
        for row in range(grid[0]):
            place = Place.of_cell(row, grid[1] - 1, *grid)
            assert ChosenPlace("a", grid, place, None).within(grid) == (row, grid[1] - 1)
    corner = ChosenPlace("a", (4, 4), Place.of_cell(3, 0, 4, 4), None)
    assert [corner.within((rows, rows)) for rows in (1, 2, 8)] == [(0, 0), (1, 0), (7, 1)]


def test_the_lens_begins_at_the_first_block(explorer, star):
    assert usual_layer(explorer.inspect("vip_nano", star)) == "stages.0.blocks.0.output"
    assert usual_layer(explorer.inspect("mobilevit_nano", star)) == "stages.0.0.output"
    block = "WeightedPermuteMLP(dim=64, seg_dim=16)"
    assert usual_layer(explorer.inspect(block, star, "random")).endswith("output")


def test_what_is_out_of_reach_is_covered_and_nothing_else():
    sheet = shade(np.array([[True, False]]))
    assert sheet[0, 0, 3] == 0
    assert sheet[0, 1, 3] > 127


def test_a_saved_field_draws_the_numbers_as_they_are():
    measured = np.array([[0.0, 2.0], [1.0, 0.5]])
    levels, can = np.array([[0, 4], [2, 1]]), np.array([[False, True], [True, True]])
    figure = three_maps(measured, levels, can, ("a", "b", "c"), title="t", unit="u")
    first, second, third = (axes.images[0] for axes in figure.axes[:3])
    assert np.array_equal(first.get_array(), measured)
    assert (first.norm.vmin, first.norm.vmax, first.cmap.name) == (0.0, 2.0, "viridis")
    assert np.array_equal(second.get_array(), levels)
    assert np.array_equal(third.get_array(), can)
    assert len({tuple(colour) for colour in levels_painted(np.arange(5))}) == 5
