"""Everybody can use the page: axe-core is content, all can be read, in Chinese too, nothing scrolls aside."""

from urllib.parse import urlencode

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from explorer.ui.tabs import TABS
from explorer.ui.tabs.attribution.tab import BESIDE
from explorer.ui.tabs.compare.tab import LENSES as COMPARED
from explorer.ui.tabs.mixing.tab import LENSES as WAYS
from explorer.ui.tabs.reweighting.lab import LENSES as LAB
from explorer.ui.tabs.survey.views import LENSES as SURVEY
from models.registry import Preprocess
from tests.foreign import SIDE, SqueezeExcite, made
from tests.in_chinese import left_in_english
from tests.on_page import settled, switch
from tests.test_page_frame import SMALLEST, TOO_SMALL

# The switch of a tab, and its lenses.
LENSES = {
    "reweighting": ("lenses", LAB),
    "attribution": ("beside", BESIDE),
    "mixing": ("ways", WAYS),
    "compare": ("versus", COMPARED),
    "survey": ("survey-lens", SURVEY),
}
GATED = "read_nano"
# Of the lenses that the first model has nothing for, one that has, and how a link names the lens.
SHOWN_BY = {
    "gates": {"model": GATED, "lens": "gates"},
    "others": {"model": "mobilevit_nano", "lens": "others"},
    "attention": {"model": "mobilevit_nano", "way": "attention"},
    "matrices": {"model": "mixer_nano", "way": "matrices"},
    "shifts": {"model": "as_mlp_nano", "way": "shifts"},
}
ENGLISH_BY_DAY = "/?theme=light&lang=en&picture=3-disk&method=saliency&"
WIDTHS = (320, 390, 900, 2560, 1440)  # px
# Rule and element of everything axe-core objects to; what is hidden it would walk through for nothing.
VIOLATIONS = """async where => {
  const shown = [...document.querySelectorAll(where)].filter(one => one.checkVisibility());
  const found = await axe.run({include: shown}, {resultTypes: ['violations'], preload: false});
  return found.violations.flatMap(rule => rule.nodes.map(node => `${rule.id} ${node.target}`));
}"""
SWITCH = "() => ['#theme', '#language'].forEach(button => document.querySelector(button).click())"
WIDER = "() => document.documentElement.scrollWidth - window.innerWidth"


def opened(page: Page, follow, tab: str, lens: str, number: int) -> Page:
    """Open a lens on a model that has something for it, with all that is drawn there."""
    link = {"tab": tab, "model": "vip_nano", **SHOWN_BY.get(lens, {})}
    if number == 0 or lens in SHOWN_BY:
        page = follow(ENGLISH_BY_DAY + urlencode(link))
    else:
        switch(page, LENSES[tab][0], number)
    if lens in ("score", "side"):
        page.locator(f"#{lens}-run").click()
    expect(page.locator("[role=tabpanel] section:visible").first).to_be_visible()
    settled(page, calm=6)  # what a former test has left is on its way out
    return page


def objections(page: Page, where: str) -> list[str]:
    """What axe-core objects to, what is too small, and what is left in English where it is read in Chinese.

    Once in English by day and once in Chinese by night: a theme changes colours alone, and a language words
    alone.
    """
    found = []
    for language in ("English", "Chinese"):
        found += page.evaluate(VIOLATIONS, where)
        found += [f"too small: {one}" for one in page.evaluate(TOO_SMALL, SMALLEST)]
        if language == "Chinese":
            found += [f"in English: {one}" for one in left_in_english(page)]
        page.evaluate(SWITCH)
    return found


def scrolling(page: Page) -> list[str]:
    """The widths of a window at which the page scrolls sideways."""
    found = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        if page.evaluate(WIDER) > 0:
            found.append(f"scrolls sideways at {width} px")
    return found


def test_axe_finds_nothing_and_all_can_be_read_in_every_lens_theme_and_language(follow, explorer):
    explorer.add(made(SqueezeExcite), GATED, Preprocess(size=SIDE))
    page = follow(ENGLISH_BY_DAY)
    # Colours on their way from one theme to the other belong to neither.
    page.add_style_tag(content="* { transition: none !important; }")
    page.evaluate(Axe().axe_script)
    found = {"the page": objections(page, "body")}
    for row in TABS:
        _, lenses = LENSES.get(row.name, ("", [row.name]))
        for number, lens in enumerate(lenses):
            page = opened(page, follow, row.name, lens, number)
            found[f"{row.name}, {lens}"] = objections(page, "[role=tabpanel]") + scrolling(page)
    assert {where: what for where, what in found.items() if what} == {}
