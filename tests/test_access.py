"""The page can be used by everybody: axe-core finds nothing of ours, and the keyboard alone is enough."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from explorer.ui.tabs import TABS
from tests.on_page import settled, tab

# All that a theme changes.
COLOURS = {
    "resultTypes": ["violations"],
    "runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]},
}


def violations(found: dict) -> list[tuple[str, str]]:
    """Rule and element of everything axe-core objects to."""
    return [(rule["id"], str(node["target"])) for rule in found["violations"] for node in rule["nodes"]]


def test_axe_finds_nothing_in_any_tab_and_theme(visit):
    page, axe, found = visit("/?theme=light&picture=2-star&model=vip_nano&weights=scenes"), Axe(), []
    # Colours on their way from one theme to the other belong to neither.
    page.add_style_tag(content="* { transition: none !important; }")
    expect(page.locator("#overview .why .heat")).to_be_visible()
    for row in TABS:
        tab(page, row.title)
        settled(page)
        found += [(row.title, "light", *one) for one in violations(axe.run(page).response)]
        page.locator("#theme").click()
        found += [(row.title, "dark", *one) for one in violations(axe.run(page, options=COLOURS).response)]
        page.locator("#theme").click()
    assert found == []


def reach(page, selector: str, most: int = 90) -> None:
    """Press Tab until what is wanted has the focus."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"{selector} is not reached")


def test_the_keyboard_alone_is_enough(visit):
    page = visit("/?picture=1-vertical-stripes&model=vip_nano&weights=scenes")
    expect(page.locator("#overview .why .heat")).to_be_visible()
    reach(page, "#examples button[aria-label=star]")
    page.keyboard.press("Enter")
    expect(page.locator("#status")).to_contain_text("star")
    reach(page, "#tabs [role=tab][data-tab-id=maps]")
    page.keyboard.press("Enter")
    expect(page.locator("#grid .sprite")).to_be_visible()
    reach(page, "#grid button[data-pick]")
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowRight")
    second = page.locator("#grid button[data-pick]").nth(1).get_attribute("data-channel")
    expect(page.locator("#large h2")).to_have_text(f"Channel {second}")
    reach(page, "#large summary")
    page.keyboard.press("Enter")
    expect(page.locator("#large details").first).to_have_attribute("open", "")
    reach(page, "#large [data-term]")
    page.keyboard.press("Enter")
    expect(page.locator("#glossary")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#glossary")).to_be_hidden()
