"""Models nobody listed, on the page: of one's own and of timm, in all tabs."""

import re

import pytest
from playwright.sync_api import expect

from explorer.ui.tabs import TABS
from models.registry import Preprocess
from tests.foreign import SIDE, StackedBranches, beside_timm, made
from tests.on_page import settled, tab

SHOWN = {  # what each tab shows of a model of one's own, and what it says there
    "Overview": ("#overview", "class 1"),
    "Maps": ("#grid", "8 × 8 × 8"),
    "Reweighting": ("#inside", "in each of 8 channels"),
    "Attribution": ("#attribution", "class"),
    "Code walk": ("#walk", "tests/foreign.py"),
    "Mixing": ("#field", "Receptive field"),
    "Compare": ("#versus-maps", "mine on the page"),
}


@pytest.fixture(scope="module")
def mine(explorer):
    explorer.add(made(StackedBranches), "mine on the page", Preprocess(size=SIDE))


def test_a_model_of_ones_own_is_seen_in_all_tabs(visit, mine):
    page = visit("/?model=mine on the page&method=saliency&compared=vip_nano,mine on the page")
    expect(page.locator("#status")).to_contain_text("mine on the page, its own")
    expect(page.locator("#backbone input")).to_have_value("mine on the page")
    assert list(SHOWN) == [row.title for row in TABS]
    for title, (view, said) in SHOWN.items():
        tab(page, title)
        expect(page.locator(view)).to_contain_text(said)
        settled(page)
    expect(page.get_by_test_id("toast-body")).to_have_count(0)


def test_models_of_timm_are_searched_by_name_where_timm_is_installed(visit, monkeypatch):
    expect(visit().locator("#kind label")).to_have_count(2)
    beside_timm(monkeypatch)
    page = visit("/?model=timm:tiny&tab=reweighting")
    expect(page.locator("#status")).to_contain_text("timm:tiny, random (untrained)")
    expect(page.locator("#strip .strip button")).to_have_count(2)
    search = page.locator("#library input")
    search.fill("sma")
    page.get_by_role("option", name="small", exact=True).click()
    expect(page.locator("#status")).to_contain_text("timm:small, random (untrained)")
    search.fill("nothing_like_it")
    search.press("Enter")
    expect(page.locator("#refusal")).to_contain_text("timm 0 has no model 'nothing_like_it'.")
    expect(search).to_have_value("small")
    tab(page, "Compare")
    page.locator("#compared input").click()
    page.get_by_role("option", name="timm:small", exact=True).click()
    expect(page.locator("#versus-maps")).to_contain_text("timm:small")
    expect(page).to_have_url(re.compile("model=timm%3Asmall"))
