"""What a visitor does on the page, and how to tell that the page has answered."""

import re
from weakref import WeakKeyDictionary

from playwright.sync_api import Page, Request

OPEN = ("/heartbeat",)  # requests that stay open as long as the page does
STREAM = "/queue/data"  # Gradio may leave it open after an answer that was cancelled
_asked: WeakKeyDictionary[Page, set[Request]] = WeakKeyDictionary()


def watch(page: Page) -> None:
    """Note what the page asks the server for; `settled` waits for it."""
    asked = _asked[page] = set()

    def noted(request: Request) -> None:
        if not any(part in request.url for part in OPEN):
            asked.add(request)

    page.on("request", noted)
    page.on("requestfinished", lambda request: asked.discard(request))
    page.on("requestfailed", lambda request: asked.discard(request))


def settled(page: Page, calm: int = 3) -> None:
    """Wait until the page has asked the server for nothing for `calm` times 50 ms: all it shows is there."""
    since, before = 0, set()
    for _ in range(1_200):  # a minute
        page.wait_for_timeout(50)
        now = set(_asked[page])
        since, before = (since + 1 if now == before else 0), now
        only_streams = all(STREAM in request.url for request in now)
        if since >= calm and (not now or (only_streams and since >= 30)):
            return
    raise AssertionError(f"still waiting for {sorted(request.url for request in now)}")


def choose(page: Page, menu: str, option: str) -> None:
    """Choose an option of a menu by its words, of which a backbone's go on after its name."""
    page.locator(f"#{menu} input").click()
    page.get_by_role("option", name=re.compile(rf"^{re.escape(option)}( ·|$)")).click()


def choose_number(page: Page, menu: str, number: int) -> None:
    """Choose an option of a menu by its place, in whatever language."""
    page.locator(f"#{menu} input").click()
    page.get_by_role("option").nth(number).click()


def switch(page: Page, name: str, number: int) -> None:
    """Press one of the buttons of a switch by its place, in whatever language."""
    page.locator(f"#{name} label").nth(number).click()


def tab(page: Page, name: str) -> None:
    """Open a tab."""
    page.get_by_role("tab", name=name, exact=True).click()
