"""Models nobody listed, on the page: of one's own and of timm, in all tabs."""

import re

import pytest
from PIL import Image
from playwright.sync_api import expect

import mixscope
from explorer.errors import ChoiceError
from explorer.ui import notebook
from explorer.ui.examples import EXAMPLES
from explorer.ui.tabs import TABS
from explorer.ui.tabs.survey.views import NO_SURVEY
from models.registry import Preprocess
from tests.foreign import SIDE, SqueezeExcite, StackedBranches, beside_timm, made, without_timm
from tests.on_page import choose, settled, tab

SHOWN = {  # what each tab shows of a model of one's own, and what it says there
    "Overview": ("#overview", "class 1"),
    "Maps": ("#grid", "8 × 8 × 8"),
    "Reweighting": ("#inside", "in each of 8 channels"),
    "Attribution": ("#attribution", "class"),
    "Code walk": ("#walk", "tests/foreign.py"),
    "Mixing": ("#field", "Receptive field"),
    "Compare": ("#versus-maps", "mine on the page"),
    "Survey": ("#survey", NO_SURVEY),
}


@pytest.fixture(scope="module")
def mine(explorer):
    explorer.add(made(StackedBranches), "mine on the page", Preprocess(size=SIDE))


def test_a_model_of_ones_own_is_seen_in_all_tabs(visit, mine):
    page = visit("/?model=mine on the page&method=saliency&compared=vip_nano,mine on the page")
    expect(page.locator("#status")).to_contain_text("mine on the page, its own")
    expect(page.locator("#backbone input")).to_have_value(re.compile("^mine on the page · "))
    assert list(SHOWN) == [row.title for row in TABS]
    for title, (view, said) in SHOWN.items():
        tab(page, title)
        expect(page.locator(view)).to_contain_text(said)
        settled(page)
    expect(page.get_by_test_id("toast-body")).to_have_count(0)


@pytest.fixture(scope="module")
def gated(explorer):
    explorer.add(made(SqueezeExcite), "gated", Preprocess(size=SIDE))


def test_channel_gates_are_looked_at_changed_and_taken_away(visit, gated):
    page = visit("/?model=gated&tab=reweighting")
    rows = page.locator("#gates .gates button")
    expect(rows).to_have_count(2)  # without branches, their lens opens by itself
    expect(page.locator("#strip")).to_be_hidden()
    table = page.locator("#gates-table tbody tr")
    expect(table).to_have_count(2)
    expect(page.locator("#gates-table [data-done]")).to_be_visible()
    page.get_by_role("button", name=f"Compare with the {len(EXAMPLES)} example pictures").click()
    expect(page.locator("#gate")).to_contain_text(f"over the {len(EXAMPLES)} example pictures")
    shift = page.locator("#gates-what-if .shift b").last
    expect(shift).to_have_text("(+0.00)")
    choose(page, "gates-change", "all closed")
    expect(page.locator("#gates-what-if")).to_contain_text("block 1 inner fc 3")
    expect(shift).to_have_text(f"({table.nth(1).locator('td').last.inner_text()})")
    rows.first.click()
    expect(page.locator("#gates-what-if")).to_contain_text("block 0 inner fc 3")
    expect(shift).to_have_text(f"({table.first.locator('td').last.inner_text()})")
    choose(page, "gates-change", "as learned")
    expect(shift).to_have_text("(+0.00)")
    expect(page).to_have_url(re.compile("lens=gates&gate=blocks.0.inner.fc.3.gate"))
    tab(page, "Overview")
    bars = page.locator("#overview .columns button")
    expect(bars).to_have_count(2)
    expect(page.locator("#overview .blending")).not_to_contain_text("no split attention")
    bars.first.click()
    expect(page.locator("#gates .gates button")).to_have_count(2)
    choose(page, "backbone", "vip_nano")
    expect(page.locator("#strip .strip button")).to_have_count(6)
    expect(page.locator("#inside")).to_be_visible()


def test_attention_has_its_map_and_the_same_changes(visit):
    page = visit("/?model=mobilevit_nano&tab=reweighting", width=390, height=844)
    expect(page.locator("#others-map .pair img")).to_have_count(2)
    expect(page.locator("#others-table section, #others-table .nothing")).to_be_visible()
    page.locator("#others-run").click()
    expect(page.locator("#others-table [data-done]")).to_be_visible()
    choose(page, "others-change", "all open")
    expect(page.locator("#others-what-if")).to_contain_text("flattened or closed")
    choose(page, "others-change", "flattened to the mean")
    expect(page.locator("#others-what-if .shift")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.fixture
def shown():
    """Pages that a notebook opens."""
    pages = []

    def show(*given, **more):
        pages.append(mixscope.show(*given, device="cpu", **more))
        return pages[-1]

    yield show
    for page in pages:
        page.close()


def test_a_notebook_opens_the_page_on_its_model_and_picture(shown, browser):
    model, picture = made(SqueezeExcite), Image.new("CMYK", (40, 30), (0, 200, 40, 0))
    address = shown(model, picture, preprocess=Preprocess(size=SIDE), labels=list("abcde"))
    assert f'href="{address}"' in address._repr_html_()
    page = browser(()).new_page()
    try:
        page.goto(address)
        expect(page.locator("#status")).to_contain_text(re.compile("Net, its own.*top class [a-e]"))
        link = page.url
        assert "model=Net&weights=own" in link
        assert "picture=upload-" in link
        page.reload()  # the picture is still there, and nobody is asked to bring it again
        expect(page.locator("#status")).to_contain_text("Net, its own")
        expect(page.get_by_test_id("toast-body")).to_have_count(0)
    finally:
        page.close()


def test_a_model_that_is_shown_again_keeps_its_name_and_another_gets_one_of_its_own():
    explorer = notebook.explorer_on("cpu")
    one, other = made(StackedBranches), made(StackedBranches)
    one.__class__ = other.__class__ = type("Again", (type(one),), {})
    given = Preprocess(size=SIDE), None, None
    assert [notebook.joined(explorer, model, "", *given) for model in (one, other)] == ["Again", "Again 2"]
    assert notebook.joined(explorer, one, "", None, None, None) == "Again"
    with pytest.raises(ChoiceError, match="already"):
        notebook.joined(explorer, other, "vip_nano", *given)


def test_models_of_timm_are_searched_by_name_where_timm_is_installed(visit, monkeypatch):
    without_timm(monkeypatch)
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
