"""The reweighting lab in a real browser."""

import html
import json
import re
import subprocess
import sys
from contextlib import contextmanager

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from explorer import Explorer
from explorer.survey.shipped import shipped
from explorer.ui.examples import EXAMPLES
from explorer.ui.selection import Selection
from explorer.ui.tabs.reweighting.tab import draw_strip
from models import scenes
from models.probe import Kind
from tests.on_page import choose, settled
from tests.stopping import assert_stops


def share(page, branch: str):
    return page.get_by_label(f"range slider for {branch}")


def drag(page, branch: str, to: float) -> None:
    """Drag a slider's knob to a share."""
    slider = share(page, branch)
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    start = float(slider.input_value()) / 100
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 8 + (box["width"] - 16) * start, middle)
    page.mouse.down()
    for part in (0.3, 0.6, 1.0):
        page.mouse.move(box["x"] + box["width"] * (start + (to - start) * part), middle)
    page.mouse.up()


def outcome(page, label: str):
    return page.locator("#what-if .outcome tr", has_text=label)


@pytest.fixture
def lab(follow):
    page = follow("/?tab=reweighting&lens=what_if&picture=2-star")
    expect(outcome(page, "star")).to_contain_text("100")
    return page


def test_a_dragged_slider_moves_the_probabilities_and_reset_brings_them_back(lab):
    row = outcome(lab, "star")
    learned = row.inner_text()
    before = share(lab, "height").input_value()
    drag(lab, "width", 0.0)
    expect(lab.locator("#what-if")).to_contain_text("one block changed")
    expect(row).not_to_have_text(learned)
    expect(row.locator("td").first).to_contain_text("100")
    lab.wait_for_function(
        """() => {
          const shares = [...document.querySelectorAll('#sliders input[type=range]')].map(one => +one.value);
          return Math.abs(shares.reduce((sum, one) => sum + one, 0) - 100) < 0.6;
        }"""
    )
    lab.locator("#reset").click()
    expect(lab.locator("#what-if")).to_contain_text("nothing is changed")
    expect(share(lab, "height")).to_have_value(before)
    assert row.inner_text() == learned


def type_into(page, branch: str, text: str) -> None:
    """Type a share into the box of a branch, letter by letter, as fast as it goes."""
    box = page.get_by_label(f"number input for {branch}")
    box.fill("")
    box.press_sequentially(text)


def boxes(page) -> list[str]:
    names = ("height", "width", "channel")
    shown = [page.get_by_label(f"number input for {name}").input_value() for name in names]
    return [f"{float(one):g}" for one in shown]


def shown_is_computed(page) -> list[str]:
    """Wait until the page rests; then the boxes hold the shares the view says it was computed for."""
    settled(page)
    found = boxes(page)
    expect(page.locator("#what-if .changes")).to_contain_text(f"mean shares {' / '.join(found)}")
    assert sum(map(float, found)) == pytest.approx(100, abs=0.01)
    return found


def test_what_is_typed_is_what_is_computed_also_on_a_busy_computer(lab):
    with busy():
        type_into(lab, "width", "250")
        assert shown_is_computed(lab) == ["0", "100", "0"]
        type_into(lab, "width", "-5")
        assert shown_is_computed(lab)[1] == "0"
        for branch in ("height", "width", "channel"):
            type_into(lab, branch, "0")
        assert shown_is_computed(lab)[2] == "0"
        type_into(lab, "height", "33.3")
        lab.locator("#undo").click()
        type_into(lab, "channel", "12.5")
        expect(lab.locator("#what-if .changes")).to_contain_text("12.5")
        assert shown_is_computed(lab)[2] == "12.5"
        left = boxes(lab)
        lab.goto(lab.url)  # the link has it all
        expect(lab.locator("#what-if .changes")).to_contain_text(f"mean shares {' / '.join(left)}")
        assert shown_is_computed(lab) == left


def test_an_answer_leaves_alone_the_box_that_is_written_in(lab):
    type_into(lab, "height", "40")
    shown_is_computed(lab)
    lab.locator("#undo").click()
    box = lab.get_by_label("number input for channel")
    box.fill("")
    expect(lab.locator("#what-if")).to_contain_text("nothing is changed")
    settled(lab)
    box.press_sequentially("12.5")
    expect(lab.locator("#what-if .changes")).to_contain_text("12.5")
    assert shown_is_computed(lab)[2] == "12.5"


@contextmanager
def busy():
    """Two programs that leave the page little time."""
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def test_without_width_in_all_blocks_the_star_is_something_else(lab):
    lab.get_by_label("all blocks").click()
    choose(lab, "preset", "without width")
    expect(lab.locator("#what-if")).to_contain_text("6 blocks changed")
    expect(lab.locator("#what-if .changes li")).to_have_count(6)
    expect(outcome(lab, "dots").locator(".after")).to_have_text(re.compile(r"\d\d"))
    choose(lab, "preset", "only channel")
    expect(lab.locator("#what-if .changes")).to_contain_text("every channel 0 / 0 / 100")
    lab.locator("#undo").click()
    expect(lab.locator("#what-if .changes")).to_contain_text("without width")
    lab.locator("#undo").click()
    expect(lab.locator("#what-if")).to_contain_text("nothing is changed")


def test_a_change_in_one_block_shows_how_later_blocks_respond_and_stays_for_the_next_picture(lab):
    lab.locator("#strip .strip button").first.click()
    expect(lab.locator("#strip .strip button").first).to_have_attribute("aria-pressed", "true")
    choose(lab, "preset", "only width")
    expect(lab.locator("#what-if .changes")).to_contain_text("Block 0.0")
    expect(lab.locator("#what-if .plain b").first).to_be_visible()
    lab.locator("#examples button[aria-label=disk]").click()
    expect(lab.locator("#status")).to_contain_text("disk")
    expect(lab.locator("#what-if .changes")).to_contain_text("Block 0.0")
    choose(lab, "backbone", "s2mlpv2_nano")
    expect(lab.locator("#what-if")).to_contain_text("nothing is changed")


def test_another_pictures_weights_can_be_tried(lab):
    choose(lab, "preset", "weights of the other picture")
    expect(lab.locator("#what-if .changes")).to_contain_text("weights of the other picture")
    expect(lab).to_have_url(re.compile("blend=[^&]*taken%7Eother"))
    expect(lab.locator("#preset input")).to_have_value("weights of the other picture")


def test_where_the_branches_act(follow):
    page = follow("/?tab=reweighting&lens=where&picture=2-star")
    view = page.locator("#where")
    expect(view).to_contain_text("for star")
    expect(view.locator(".where").nth(1).locator("figure")).to_have_count(4)
    expect(view.locator(".overlay img:not(.heat)")).to_have_count(7)  # each map lies over the picture
    sums = [float(text) for text in view.locator(".where").nth(1).locator("b").all_inner_texts()]
    assert sum(sums[:3]) == pytest.approx(sums[3], abs=0.02)


def test_the_knock_out_table_fills_and_a_heavy_one_waits_to_be_asked(follow):
    page = follow("/?tab=reweighting&lens=knock_out&picture=2-star")
    expect(page.locator("#knock-out tbody tr")).to_have_count(6)
    expect(page.locator("#knock-out .advance")).to_have_attribute("data-done", "")
    first = page.locator("#knock-out td").first
    expect(first).to_have_text(re.compile(r"[+-]\d"))
    removed = page.locator("#knock-out tbody").inner_text()
    page.get_by_label("frozen to equal").click()
    expect(page.locator("#knock-out thead")).to_contain_text("equal height")
    assert page.locator("#knock-out tbody").inner_text() != removed
    page = follow("/?tab=reweighting&lens=knock_out&model=vip_s7&weights=random")
    expect(page.locator("#knock-out")).to_contain_text("Press Run")
    page.locator("#knock").click()
    assert_stops(page, "#knock-stop", "#knock-out .count")


# Whether letters lie outside of the box they are written in.
CUT_OFF = """text => {
  const letters = document.createRange();
  letters.selectNodeContents(text);
  const [inner, outer] = [letters, text.closest('.block')].map(part => part.getBoundingClientRect());
  return inner.top < outer.top || inner.bottom > outer.bottom || inner.right > outer.right;
}"""


def test_two_pictures_are_compared(follow, tmp_path):
    page = follow("/?tab=reweighting&lens=two&picture=1-vertical-stripes")
    expect(page.locator("#two tbody tr")).to_have_count(6)
    assert not page.locator("#other [data-testid=upload-text]").evaluate(CUT_OFF)
    star = page.locator("#two tbody").inner_text()
    page.locator("#others button").nth(2).click()
    expect(page.locator("#two tbody")).not_to_have_text(star)
    ring = scenes.draw(5, 200, scenes.CLASSES.index("ring")).picture
    Image.fromarray(ring).save(tmp_path / "mine.png")
    disk = page.locator("#two tbody").inner_text()
    page.locator("#other input[type=file]").set_input_files(str(tmp_path / "mine.png"))
    expect(page.locator("#two tbody")).not_to_have_text(disk)
    expect(page).to_have_url(re.compile(r"other=upload-[0-9a-f]{12}(&|$)"))  # no path of this machine
    page.wait_for_function(
        """async () => {
          const asks = indexedDB.open('mixscope', 1);
          const store = await new Promise(told => { asks.onsuccess = () => told(asks.result); });
          const asked = store.transaction('pictures').objectStore('pictures').getAllKeys();
          const names = await new Promise(told => { asked.onsuccess = () => told(asked.result); });
          return names.includes(new URLSearchParams(location.search).get('other'));
        }"""
    )


def test_typical_shares_are_beside_those_of_the_picture(follow):
    page = follow("/?tab=reweighting")
    expect(page.locator("#strip .ranges")).to_have_count(6)
    expect(page.locator("#strip")).to_contain_text("1,000 held-out scenes")
    page = follow("/?tab=reweighting&weights=random")
    expect(page.locator("#strip .ranges")).to_have_count(0)
    page.get_by_role("button", name="Compare with the 8 example pictures").click()
    expect(page.locator("#strip .ranges")).to_have_count(6)
    expect(page.locator("#strip")).to_contain_text("8 example pictures only")


def own_pictures(page, files: list) -> None:
    with page.expect_file_chooser() as chooser:
        page.locator("#own-pictures").click()
    chooser.value.set_files(files)


def test_typical_shares_can_be_those_of_own_pictures_and_a_bad_file_loses_nothing(follow, tmp_path):
    bad = tmp_path / "notes.png"
    bad.write_text("no picture")
    files = []
    for number, name in enumerate(("star", "disk", "ring")):
        files.append(tmp_path / f"{name}.png")
        Image.fromarray(scenes.draw(number, 96, scenes.CLASSES.index(name)).picture).save(files[-1])
    page = follow("/?tab=reweighting&weights=random")
    strip = page.locator("#strip")
    expect(strip.locator(".strip button")).to_have_count(6)
    own_pictures(page, [*files, bad])
    expect(page.get_by_test_id("toast-body")).to_contain_text("notes.png")
    expect(strip).to_contain_text("3 pictures of your own")
    expect(page.locator("#typical-stop")).to_be_disabled()
    alone = Explorer(device="cpu").typical("vip_nano", "random", files)
    assert strip.locator(".range[style*='--here']").evaluate_all(
        "all => all.slice(0, -1).map(one => parseFloat(one.style.getPropertyValue('--mean')))"
    ) == pytest.approx([100 * share for one in alone for share in one.mean], abs=1e-3)
    own_pictures(page, [bad, files[0]])  # too few are left: those before stay
    expect(page.get_by_test_id("toast-body").last).to_contain_text("notes.png")
    expect(strip).to_contain_text("3 pictures of your own")
    choose(page, "typical-of", "what comes along")
    expect(strip).not_to_contain_text("3 pictures of your own, tick")


def test_typical_shares_can_be_those_of_a_survey(follow):
    page = follow("/?tab=reweighting&model=vip_nano&weights=scenes&picture=2-star")
    strip = page.locator("#strip")
    expect(strip).to_contain_text("1,000 held-out scenes")
    choose(page, "typical-of", "the survey of the tab Survey")
    expect(strip).to_contain_text("2,000 pictures of the survey")
    shares = shipped("vip_nano", "scenes").columns
    expected = [
        100 * values[:, :].mean(axis=0) for name, values in shares.items() if name.startswith("shares:")
    ]
    assert strip.locator(".range[style*='--here']").evaluate_all(
        "all => all.slice(0, -1).map(one => parseFloat(one.style.getPropertyValue('--mean')))"
    ) == pytest.approx(np.ravel(expected).tolist(), abs=1e-3)


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("mixer_nano", "one MLP mixes the tokens"),
        ("s2mlp_nano", "moves a quarter of the channels"),
        ("mobilevit_nano", "by attention"),
        ("fasternet_nano", "one channel in four"),
    ],
)
def test_models_without_branches_say_what_they_do_and_where_it_is_seen(explorer, model, words):
    told = draw_strip(explorer, Selection(str(EXAMPLES[-1]), model, "scenes", "", None), None)
    assert words in told
    layer = json.loads(html.unescape(re.search("data-link='(.*?)'", told)[1]))["part"]
    assert layer in explorer.layers(model, Kind.FEATURE_MAP, "scenes")


def test_models_without_branches_lead_to_their_maps(follow):
    page = follow("/?tab=reweighting&model=fasternet_nano")
    page.locator("#strip").get_by_role("button", name="See it in the maps").click()
    expect(page.locator("#grid .sprite")).to_be_visible()
    expect(page.locator("#grid .note").first).to_contain_text("block")


def test_as_mlp_can_be_scaled_and_says_that_nothing_is_learned(follow):
    page = follow("/?tab=reweighting&lens=what_if&model=as_mlp_nano&picture=2-star")
    expect(page.locator("#strip")).to_contain_text("no weights are learned here")
    row = outcome(page, "star")
    learned = row.inner_text()
    choose(page, "preset", "only horizontal")
    expect(page.locator("#what-if .changes")).to_contain_text("scaled 100 / 0")
    expect(row).not_to_have_text(learned)
    page.locator("#reset").click()
    expect(row).to_have_text(re.compile(r"star"))
    expect(page.locator("#what-if")).to_contain_text("nothing is changed")


def test_a_link_brings_a_lens_back(follow):
    page = follow("/?tab=reweighting&lens=where&block=stages.0.blocks.1.token_mixing&picture=3-disk")
    expect(page.locator("#where h2")).to_have_text("Where, block 0.1")
    expect(page).to_have_url(re.compile("lens=where"))


def test_a_single_block_has_its_lab(follow):
    page = follow("/?tab=reweighting&lens=what_if&model=S2Attention(dim=64,hidden_dim=16)&weights=scenes")
    choose(page, "preset", "only identity")
    expect(page.locator("#what-if .changes")).to_contain_text("every channel 0 / 0 / 100")
    page.get_by_role("radio", name="Where").click()
    expect(page.locator("#where figure")).to_have_count(3)
    page.get_by_role("radio", name="Knock-out").click()
    expect(page.locator("#knock-out")).to_contain_text("This gives no classes")
