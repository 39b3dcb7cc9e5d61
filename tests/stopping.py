"""Stop, as a visitor presses it."""

from playwright.sync_api import Page, expect


def assert_stops(page: Page, button: str, count: str) -> None:
    """Press Stop while the view counts: once the server heard it, it counts no further and is not done."""
    expect(page.locator(count)).to_be_visible()
    with page.expect_response("**/cancel"):
        page.locator(button).click()
    expect(page.locator(button)).to_be_disabled()
    page.wait_for_timeout(500)  # a part that was on its way
    stopped = page.locator(count).inner_text()
    page.wait_for_timeout(1_000)
    assert page.locator(count).inner_text() == stopped
    done, total = map(int, stopped.split("/"))
    assert 0 < done < total
