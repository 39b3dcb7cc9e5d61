"""The first minute: a sentence, a tour that is offered once, a glossary, and everything to be taken along."""

import re

import numpy as np
from playwright.sync_api import expect

from tests.on_page import settled


def test_the_tour_is_offered_once_and_starts_again_and_terms_lead_to_the_glossary(visit, tmp_path):
    page = visit("/?picture=2-star&model=vip_nano&weights=scenes")
    expect(page.locator(".intro")).to_contain_text("look into a vision backbone")
    expect(page.locator("#tour-skip")).to_be_visible()
    expect(page.locator("#overview .why .heat")).to_be_visible()
    page.get_by_role("button", name="Take the tour").click()
    for number in range(1, 6):
        expect(page.locator("#tour .note")).to_have_text(f"{number} / 5")
        expect(page.locator(".pointed-out")).to_have_count(1)
        if number < 5:
            page.get_by_role("button", name="Next").click()
    expect(page.get_by_role("tab", name="Attribution")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Escape")
    expect(page.locator("#tour")).to_be_hidden()
    settled(page)
    page.reload()
    expect(page.locator("#attribution .view")).to_be_visible()
    expect(page.locator("#tour-skip")).to_be_hidden()
    page.get_by_role("button", name="Take the tour").click()
    expect(page.locator("#tour")).to_be_visible()
    page.get_by_role("button", name="End the tour").click()
    page.get_by_role("tab", name="Overview").click()
    with page.expect_download() as download:
        page.locator("#overview [data-kind=npz]").click()
    download.value.save_as(tmp_path / "all.npz")
    assert np.load(tmp_path / "all.npz")["logits"].shape == (12,)
    with page.expect_download() as download:
        page.locator("#overview [data-kind=html]").click()
    download.value.save_as(tmp_path / "report.html")
    assert "The likeliest classes" in (tmp_path / "report.html").read_text("utf-8")
    page.get_by_role("tab", name="Attribution").click()
    page.locator("#attribution summary", has_text="How to read this").click()
    page.locator("#attribution [data-term=baseline]").click()
    expect(page.locator("#glossary .pointed-out")).to_contain_text(re.compile("stands for nothing"))
    page.get_by_role("button", name="Close").click()
    expect(page.locator("#glossary")).to_be_hidden()
