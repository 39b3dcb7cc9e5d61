"""The Survey tab in a real browser: many pictures at once, live, saved, opened again, one of them picked."""

import re
import time
import zipfile

import pytest
from playwright.sync_api import expect

from explorer.survey import live
from explorer.survey.live import copied
from explorer.survey.scenes import scene
from explorer.ui.tabs.survey import source
from explorer.ui.tabs.survey.views import LENSES
from tests.in_chinese import nothing_english
from tests.on_page import settled, switch

COUNT = 8
LINK = "/?tab=survey&model=vip_nano&weights=scenes&picture=2-star"


def packed(place, count: int):
    with zipfile.ZipFile(place, "w") as archive:
        for index in range(count):
            archive.writestr(f"{'ab'[index % 2]}/{index}.png", scene(index)[1])
        archive.writestr("a/notes.txt", "no picture")
    return place


def slowly(data: bytes) -> bytes:
    """A small copy that takes its time."""
    time.sleep(0.03)
    return copied(data)


def choose_files(page, button: str, *files) -> None:
    with page.expect_file_chooser() as chooser:
        page.locator(button).click()
    chooser.value.set_files([str(file) for file in files])


def test_a_first_visit_shows_the_survey_that_came_along_and_a_dot_its_picture(follow):
    page = follow(LINK)
    view = page.locator("#survey")
    expect(view).to_contain_text("2,000 held-out scenes")
    expect(view.locator(".through figure")).to_have_count(3)
    view.locator(".through .dots i").last.hover()
    expect(view.locator(".reading")).to_contain_text("channel, vertical stripes, block 1.3:")
    switch(page, "survey-lens", list(LENSES).index("blocks"))
    expect(view.locator(".told-apart .depth")).to_have_count(6)
    switch(page, "survey-lens", list(LENSES).index("pictures"))
    view.locator(".plane button").focus()
    page.keyboard.press("ArrowRight")  # as far as the keyboard goes, so does the mouse
    expect(page.locator("#survey-told")).to_contain_text(".png")
    expect(page.locator("#status")).not_to_contain_text("star")
    page.get_by_role("button", name="Look at it in the Overview").click()
    expect(page.locator("#overview .predictions")).to_be_visible()


def test_a_zip_is_gone_over_saved_and_opened_again_and_a_wrong_file_is_told(follow, tmp_path):
    page = follow(LINK)
    view = page.locator("#survey")
    choose_files(page, "#survey-pictures", packed(tmp_path / "pictures.zip", COUNT))
    expect(view).to_contain_text("uploaded pictures")
    expect(view.locator(".survey-numbers")).to_contain_text("Not readable")
    expect(view.locator(".survey-numbers dd").first).to_have_text(str(COUNT))
    expect(view.locator(".through polyline")).to_have_count(2 * 3)
    expect(page.locator("#survey-stop")).to_be_disabled()
    switch(page, "survey-lens", list(LENSES).index("pictures"))
    view.locator(".beside button", has_text="5.png").first.click()
    expect(page.locator("#survey-told")).to_contain_text("b/5.png")
    expect(page.locator("#status")).not_to_contain_text("star")
    saved = {}
    for kind in ("parquet", "html"):
        with page.expect_download() as download:
            view.locator(f"[data-kind={kind}]").click()
        saved[kind] = tmp_path / f"saved.{kind}"
        download.value.save_as(saved[kind])
    assert "b/5.png" in saved["html"].read_text("utf-8")
    wrong = tmp_path / "wrong.parquet"
    wrong.write_bytes(saved["html"].read_bytes())
    choose_files(page, "#survey-open", wrong)
    expect(page.get_by_test_id("toast-body")).to_contain_text("This file is no survey of Mixscope")
    page.get_by_test_id("toast-close").click()
    expect(view).to_contain_text("uploaded pictures")
    choose_files(page, "#survey-open", saved["parquet"])
    expect(page.locator("#survey-which input")).to_have_value("opened: saved.parquet")
    expect(view).to_contain_text("The pictures of this survey are not here")


def test_a_survey_stops_where_it_is_and_too_many_pictures_are_refused(follow, tmp_path, monkeypatch):
    page = follow(LINK)
    monkeypatch.setattr(source, "MOST", 200)
    choose_files(page, "#survey-pictures", packed(tmp_path / "many.zip", 200))
    expect(page.get_by_test_id("toast-body")).to_contain_text("These are 201 files; here at most 200")
    page.get_by_test_id("toast-close").click()
    monkeypatch.setattr(live, "copied", slowly)
    choose_files(page, "#survey-pictures", packed(tmp_path / "fewer.zip", 199))
    count = page.locator("#survey-progress .count")
    expect(count).to_be_visible()
    page.locator("#survey-stop").click()
    expect(page.locator("#survey-which input")).to_have_value(re.compile("the first .* of 200 pictures"))
    expect(count).to_have_count(0)
    expect(page.locator("#survey-stop")).to_be_disabled()
    reached = page.locator("#survey .survey-numbers dd").first.inner_text()
    page.wait_for_timeout(1_000)
    assert page.locator("#survey .survey-numbers dd").first.inner_text() == reached
    assert 0 < int(reached) < 199


@pytest.mark.parametrize("lens", LENSES)
def test_every_view_of_a_survey_is_told_in_chinese(follow, lens):
    page = follow(f"{LINK}&survey={lens}", locale="zh-CN")
    settled(page)
    nothing_english(page)
