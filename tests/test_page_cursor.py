"""One cursor over all views: a place chosen in one is ringed in all, with what stands there."""

import re

import numpy as np
import pytest
from playwright.sync_api import expect

from explorer.figures.colour import painted, ramps, scale_of
from tests.on_page import settled, tab

STAR = "assets/examples/2-star.png"
RINGS = """() => {
  const frames = [...document.querySelectorAll('[data-whole]')].filter(one => one.checkVisibility());
  const styles = frames.map(one => [one, getComputedStyle(one, '::after')]);
  const share = (offset, all) => parseFloat(offset) / all;
  return styles.map(([one, ring]) => [share(ring.top, one.clientHeight), share(ring.left, one.clientWidth)]);
}"""


def ringed(page, least: int) -> None:
    """Every picture and map to be seen has its ring at the place chosen."""
    rings = page.evaluate(RINGS)
    assert len(rings) >= least
    assert np.abs(np.array(rings) - [3 / 16, 5 / 16]).max() < 0.01


TOLD = """([value, within]) => {
  const told = document.querySelector('#overview .why [data-low]')?.dataset.told;
  return Math.abs(parseFloat(told) - value) <= within;
}"""


def test_a_place_chosen_in_one_view_is_ringed_in_all_with_what_stands_there(follow, explorer):
    page = follow("/?tab=maps&picture=2-star&model=vip_nano&weights=scenes")
    cells = page.locator("#large .cells").first
    box = cells.bounding_box()
    cells.click(position={"x": box["width"] * 5 / 16, "y": box["height"] * 3 / 16})
    expect(page).to_have_url(re.compile("cursor=0.1875%2C0.3125"))
    ringed(page, 64)  # a tile for every channel, the large ones, and the picture in the rail
    expect(page.locator("#picture [data-whole]")).to_have_count(1)
    tab(page, "Overview")
    why = page.locator("#overview .why [data-low]")
    expect(why).to_have_count(1)
    expect(page.locator("#overview .why .advance")).to_have_count(0)  # the map is whole
    expect(why).to_have_attribute("data-told", re.compile(r"\d"))
    ringed(page, 5)
    *_, found = explorer.attribute("vip_nano", STAR, "scenes", method="integrated_gradients")
    value, step = float(found.values[12, 20]), float(np.abs(found.values).max()) / 127.5
    assert abs(value) > 2 * step
    page.wait_for_function(TOLD, arg=[value, 2 * step])  # the map may be drawn anew
    tab(page, "Mixing")  # its grid is another, and its own place stays what its field is of
    measured = page.locator("#field [data-low]")
    expect(measured).to_have_attribute("data-told", re.compile(r"\d"))
    ringed(page, 4)
    measured.hover(position={"x": 5, "y": 100})  # the ring goes along, and comes back
    assert page.evaluate(RINGS)[0][1] < 0.05
    page.locator("#picture [data-whole]").hover(position={"x": 84, "y": 84})
    assert page.evaluate(RINGS)[-1] == pytest.approx([0.5, 0.5], abs=0.05)
    page.locator("h1").hover()
    ringed(page, 4)
    page.keyboard.press("Escape")
    expect(page.locator("html")).not_to_have_class(re.compile("cursor"))
    assert "cursor" not in page.url
    page.go_back()
    expect(page.locator("html")).to_have_class(re.compile("cursor"))
    settled(page)


@pytest.mark.parametrize("signed", [True, False])
def test_a_colour_tells_its_number_to_two_steps_of_256(signed):
    values = np.random.default_rng(0).normal(size=100)
    scale = scale_of(values, signed=signed)
    ramp = re.findall(".{6}", ramps()["signed" if signed else "unsigned"])
    levels = [ramp.index(bytes(pixel).hex()) for pixel in painted(values, scale)]
    told = scale.low + np.array(levels) / 255 * (scale.high - scale.low)
    assert np.abs(told - values).max() <= 2 * (scale.high - scale.low) / 255
