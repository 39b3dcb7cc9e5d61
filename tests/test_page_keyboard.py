"""Every flow by the keyboard alone: what is wanted is reached with Tab, and changed with other keys."""

import re

from playwright.sync_api import Page, expect

from explorer.ui.tabs.attribution import attribution_map
from tests.on_page import settled

FOCUSED = "selector => document.activeElement.matches(selector)"


def reach(page: Page, selector: str, key: str = "", *, back: bool = False, most: int = 150) -> None:
    """Press Tab, or Shift and Tab, until what is wanted has the focus, then a key."""
    for _ in range(most):
        page.keyboard.press("Shift+Tab" if back else "Tab")
        if page.evaluate(FOCUSED, selector):
            break
    else:
        raise AssertionError(f"{selector} is not reached")
    if key:
        page.keyboard.press(key)


def typed(page: Page, menu: str, words: str, *, back: bool = False) -> None:
    """Choose of a menu what begins with these words."""
    reach(page, f"#{menu} input", back=back)
    page.keyboard.type(words)
    expect(page.get_by_role("option", name=re.compile(f"^{re.escape(words)}")).first).to_be_visible()
    page.keyboard.press("Enter")


def opened(page: Page, tab: str, *, back: bool = True) -> None:
    """Open a tab, from below unless it is said."""
    reach(page, f"#tabs [role=tab][data-tab-id={tab}]", "Enter", back=back)
    expect(page.locator(f"[role=tab][data-tab-id={tab}]")).to_have_attribute("aria-selected", "true")
    settled(page)


LONG = "orders=40&segments=144"  # 5,762 passes of Shapley sampling: seconds on any computer


def test_every_flow_goes_by_the_keyboard_alone(visit, monkeypatch):
    monkeypatch.setattr(attribution_map, "AT_ONCE", 0.5)  # waits for Run, however quick the computer
    page = visit(f"/?picture=1-vertical-stripes&model=vip_nano&weights=scenes&compared=vip_nano&{LONG}")
    expect(page.locator("#overview .why .heat")).to_be_visible()
    for part in (header, picture, backbone, maps, what_if, attribution, elsewhere, history):
        part(page)


def header(page: Page) -> None:
    reach(page, "#language", "Enter")
    expect(page.get_by_role("tab", name="总览")).to_be_visible()
    page.keyboard.press("Enter")
    reach(page, "#text-size", "Enter")
    expect(page.locator("html")).to_have_attribute("data-text", "1.25")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    reach(page, "#theme", "Enter")
    page.keyboard.press("Enter")
    reach(page, "#tour-start", "Enter")
    page.keyboard.press("Enter")
    expect(page.locator("#tour .note")).to_have_text("2 / 5")
    page.keyboard.press("Escape")
    expect(page.locator("#tour")).to_be_hidden()


def picture(page: Page) -> None:
    reach(page, "#picture [aria-label='Remove Image']", "Enter")
    expect(page.locator("#waiting")).to_contain_text("no picture")
    with page.expect_file_chooser() as chosen:
        reach(page, "#picture button[aria-label*=upload]", "Enter")
    chosen.value.set_files("assets/examples/3-disk.png")
    expect(page.locator("#status")).to_contain_text("disk")
    reach(page, "#examples button[aria-label=star]", "Enter")
    expect(page.locator("#status")).to_contain_text("star")


def backbone(page: Page) -> None:
    reach(page, "#kind input[value=block]", "Space")
    expect(page.locator("#single")).to_be_visible()
    settled(page)
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Space")
    expect(page.locator("#backbone")).to_be_visible()
    typed(page, "backbone", "mixer_nano")
    expect(page.locator("#status")).to_contain_text("mixer_nano")
    settled(page)
    reach(page, "#weights input")
    page.keyboard.type("random")
    page.keyboard.press("Enter")
    expect(page.locator("#badge")).to_contain_text("Untrained")
    typed(page, "backbone", "vip_nano", back=True)
    expect(page.locator("#status")).to_contain_text("vip_nano, trained on scenes")
    settled(page)
    typed(page, "target", "ring")
    expect(page).to_have_url(re.compile("target="))
    settled(page)


def maps(page: Page) -> None:
    opened(page, "maps", back=False)
    typed(page, "layer", "stem")
    expect(page.locator("#grid .note").first).to_contain_text("stem")
    settled(page)
    reach(page, "#grid button[data-pick]", "Enter")
    page.keyboard.press("ArrowRight")
    second = page.locator("#grid button[data-pick]").nth(1).get_attribute("data-channel")
    expect(page.locator("#large h2")).to_have_text(f"Channel {second}")
    reach(page, "#large [data-place]", "ArrowDown")
    expect(page.locator("#similar-places h2")).to_have_text("Places like row 9, column 8")
    with page.expect_download():
        reach(page, "#large [data-kind=npz]", "Enter")
    reach(page, "#large summary", "Enter")
    reach(page, "#large [data-term]", "Enter")
    expect(page.locator("#glossary")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#glossary")).to_be_hidden()
    reach(page, "#depth .play", "Enter")
    expect(page.locator("#depth .player img")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator("#depth .player img")).to_be_hidden()


def what_if(page: Page) -> None:
    opened(page, "reweighting", back=False)
    reach(page, "#lenses input[value=what_if]", "Space")
    expect(page.locator("#what-if")).to_contain_text("nothing is changed")
    settled(page)
    reach(page, "#sliders input[type=range]", "ArrowRight")
    expect(page.locator("#what-if")).to_contain_text("one block changed")
    reach(page, "#reset", "Enter")
    expect(page.locator("#what-if")).to_contain_text("nothing is changed")


def attribution(page: Page) -> None:
    opened(page, "attribution")
    typed(page, "method", "Shapley sampling")
    expect(page.locator("#attribution")).to_contain_text("Press Run")
    settled(page)
    reach(page, "#run", "Enter")
    expect(page.locator("#stop")).to_be_enabled()  # a moment after the press; until then Tab passes it over
    reach(page, "#stop", "Enter")
    expect(page.locator("#stop")).to_be_disabled()
    typed(page, "method", "Saliency", back=True)
    expect(page.locator("#attribution h2").first).to_have_text("Saliency")
    settled(page)
    reach(page, "#attribution [data-zoom]", "f")
    expect(page.locator("dialog.zoom")).to_be_visible()
    page.keyboard.press("Escape")
    reach(page, "#attribution .opacity input", "ArrowRight")
    expect(page.locator("html")).to_have_attribute("style", re.compile("--opacity: 0.61"))


def elsewhere(page: Page) -> None:
    opened(page, "code")
    reach(page, "#walk [data-focus=next]", "Enter")
    expect(page.locator("#walk .steps")).to_contain_text("2 /")
    opened(page, "compare")
    typed(page, "compared", "mixer_nano")
    expect(page.locator("#versus-maps figure[data-model=mixer_nano]")).to_be_visible()
    settled(page)


def history(page: Page) -> None:
    for _ in range(2):
        reach(page, ".visits .pin[aria-pressed=false]", "Enter")
    expect(page.locator(".visits .pin[aria-pressed=true]")).to_have_count(2)
    reach(page, ".visits [data-beside]", back=True)
    opened(page, "overview")
    with page.expect_download() as report:
        reach(page, "#overview [data-kind=html]", "Enter")
    assert report.value.suggested_filename.endswith(".html")
