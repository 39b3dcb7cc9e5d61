"""The page as an app: a name, an icon, and a page that says so where the program does not answer."""

import io
import json
import urllib.request

from PIL import Image

from tests.on_page import settled


def fetched(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=60) as answer:
        return answer.read()


def test_the_page_can_be_installed_by_name_and_icon(server):
    assert b'rel="manifest"' in fetched(f"{server}/")
    told = json.loads(fetched(f"{server}/manifest.json"))
    assert (told["name"], told["display"]) == ("Mixscope", "standalone")
    assert {one["sizes"] for one in told["icons"]} == {"192x192", "512x512"}
    for one in told["icons"]:
        with Image.open(io.BytesIO(fetched(server + one["src"]))) as icon:
            assert f"{icon.width}x{icon.height}" == one["sizes"]
            assert icon.convert("RGB").getpixel((5, 5)) == (0x31, 0x2E, 0x81)


def test_where_the_program_does_not_answer_a_page_says_so(visit, server):
    page = visit()
    settled(page)
    page.evaluate("navigator.serviceWorker.ready.then(one => one.active.state)")
    page.context.set_offline(True)
    try:
        page.goto(f"{server}/?tab=maps")
        said = page.locator("body").inner_text()
    finally:
        page.context.set_offline(False)
    assert "Mixscope does not answer." in said
    assert "没有应答" in said
    page.get_by_role("button").click()
    page.locator("#tabs").wait_for()
