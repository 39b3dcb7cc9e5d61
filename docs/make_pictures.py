"""Makes the pictures of the documentation from the running page: `python -m docs.make_pictures [NAME ...]`.

It starts the page, opens a link for each picture in Debian's Chromium, waits until the page rests, and writes
`docs/pictures/NAME.webp`; without names all of them. Needs requirements-dev.txt; nothing leaves this machine.
"""

import io
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import BrowserContext, Page, expect, sync_playwright

from explorer.explorer import Explorer
from tests.conftest import CHROMIUM, FLAGS
from tests.on_page import choose

OUT = Path(__file__).parent / "pictures"


def of(model: str) -> str:
    """The star, seen by a model."""
    return f"picture=2-star&model={model}&weights=scenes"


SCENE = of("vip_nano")
PHOTO = "picture=1-cat&model=vip_nano&weights=cifar10"
ATTENTION = "stages.2.1.transformer.0.attn.attention"
BLOCK = "stages.0.blocks.0.token_mixing"
Act = Callable[[Page], None]


def nothing(_: Page) -> None:
    """The link shows it all."""


def press(go: str, stop: str) -> Act:
    """Press a button and wait until what it starts is done, when there is nothing more to stop."""

    def act(page: Page) -> None:
        page.locator(go).click()
        page.wait_for_timeout(1_500)
        expect(page.locator(stop)).to_be_disabled(timeout=240_000)

    return act


def still(page: Page) -> None:
    """Wait until the page looks the same for a while."""
    before, same = b"", 0
    while same < 2:
        page.wait_for_timeout(800)
        now = page.screenshot()
        before, same = now, same + 1 if now == before else 0


def preset(name: str) -> Act:
    """Choose a preset of What if for all blocks."""

    def act(page: Page) -> None:
        page.get_by_label("all blocks").first.click()
        choose(page, "preset", name)

    return act


SCORE, COMPARE = press("#score-run", "#score-stop"), press("#side-run", "#side-stop")


@dataclass(frozen=True)
class Shot:
    """One picture: the link, what is done there, and which part of the page is kept; "" is what one sees."""

    link: str
    act: Act = nothing
    part: str = ""
    size: tuple[int, int] = (1280, 860)


SHOTS = {
    "overview": Shot(""),
    "maps": Shot(f"tab=maps&{SCENE}&layer=stages.0.blocks.2.output&cell=0.4000,0.5000"),
    "depth": Shot(f"tab=maps&{SCENE}&layer=stages.1.blocks.0.output&channel=9", part="#depth"),
    "reweighting": Shot(f"tab=reweighting&{SCENE}"),
    "where": Shot(f"tab=reweighting&lens=where&{SCENE}", part="#where"),
    "what-if": Shot(f"tab=reweighting&lens=what_if&{SCENE}", preset("without width")),
    "knock-out": Shot(f"tab=reweighting&lens=knock_out&{SCENE}", part="#knock-out"),
    "two-pictures": Shot(f"tab=reweighting&lens=two&other=3-disk&{SCENE}", part="#two"),
    "gates": Shot(f"tab=reweighting&lens=others&other_gate={ATTENTION}&{of('mobilevit_nano')}"),
    "attribution": Shot(f"tab=attribution&{PHOTO}&method=integrated_gradients", press("#run", "#stop")),
    "score-card": Shot(
        f"tab=attribution&beside=score&{SCENE}&method=grad_cam", press("#score-run", "#score-stop"), "#score"
    ),
    "side-by-side": Shot(f"tab=attribution&beside=side&{SCENE}", COMPARE, "#side"),
    "truth-lab": Shot(f"tab=attribution&beside=truth&{SCENE}", part="#truth"),
    "code-walk": Shot(f"tab=code&{SCENE}&part={BLOCK}&step=13"),
    "field": Shot(f"tab=mixing&{of('fasternet_nano')}&at=stages.1.blocks.0.output"),
    "growth": Shot(f"tab=mixing&{of('fasternet_nano')}", part="#growth"),
    "attention": Shot(f"tab=mixing&way=attention&{of('mobilevit_nano')}"),
    "compare": Shot(f"tab=compare&{SCENE}&compared=vip_nano,mixer_nano,mobilevit_nano"),
    "layers": Shot(f"tab=compare&versus=layers&{SCENE}&first=vip_nano&second=mixer_nano"),
    "costs": Shot(f"tab=compare&versus=costs&{SCENE}&compared=vip_nano,fasternet_nano,mobilevit_nano"),
    "survey": Shot(f"tab=survey&{SCENE}"),
    "vip": Shot(f"tab=reweighting&{SCENE}", part="#strip"),
    "vip-matrix": Shot(f"tab=mixing&way=matrices&{SCENE}&matrix=height", part="#matrix-all"),
    "mixer": Shot(f"tab=mixing&way=matrices&{of('mixer_nano')}&units=frequency"),
    "s2mlp": Shot(f"tab=mixing&way=shifts&{of('s2mlp_nano')}", part="#shifts"),
    "s2mlpv2": Shot(f"tab=mixing&way=shifts&{of('s2mlpv2_nano')}", part="#shifts"),
    "as-mlp": Shot(f"tab=mixing&way=shifts&{of('as_mlp_nano')}", part="#shifts"),
    "mobilevit": Shot(f"tab=mixing&way=attention&{of('mobilevit_nano')}", part="#attention-from"),
    "fasternet": Shot(f"tab=mixing&way=shifts&{of('fasternet_nano')}", part="#shifts"),
}
MOVING = "reweighting-moves"
SEEN = 330, 90, 1270, 790  # of the window: without the rail
SHARES = (
    32,
    26,
    20,
    14,
    8,
    4,
    0,
    0,
    0,
    8,
    20,
    32,
    45,
    60,
    75,
    75,
    60,
    45,
)  # of width, in percent, frame by frame


@contextmanager
def served() -> Iterator[str]:
    """The page on a free port, until the block ends."""
    from explorer.ui.app import LAUNCH, build_app
    from explorer.ui.gradio_internals import end

    app = build_app(Explorer("cpu"))
    app.launch(**LAUNCH, prevent_thread_lock=True, quiet=True, server_name="127.0.0.1", server_port=7999)
    yield app.local_url.rstrip("/")
    end(app)
    app.close()


def opened(browser: BrowserContext, address: str, shot: Shot) -> Page:
    page = browser.new_page()
    page.set_default_timeout(120_000)
    page.set_viewport_size({"width": shot.size[0], "height": shot.size[1]})
    page.add_init_script("localStorage.setItem('mixscope tour', 'seen')")
    page.goto(f"{address}/?{shot.link}&lang=en&theme=light")
    page.locator("#status b").first.wait_for()
    still(page)
    return page


def taken(browser: BrowserContext, address: str, shot: Shot) -> Image.Image:
    page = opened(browser, address, shot)
    shot.act(page)
    still(page)
    pixels = page.locator(shot.part).first.screenshot() if shot.part else page.screenshot()
    page.close()
    return Image.open(io.BytesIO(pixels)).convert("RGB")


def moving(browser: BrowserContext, address: str) -> list[Image.Image]:
    """What if, frame by frame, while the share of width is moved in all blocks."""
    page = opened(browser, address, Shot(f"tab=reweighting&lens=what_if&{SCENE}", size=(1280, 800)))
    page.get_by_label("all blocks").first.click()
    page.mouse.move(0, 0)
    still(page)
    frames = []
    for share in SHARES:
        page.get_by_label("range slider for width").fill(str(share))
        still(page)
        frames.append(Image.open(io.BytesIO(page.screenshot())).convert("RGB").crop(SEEN))
    page.close()
    return frames


def main() -> None:
    wanted = sys.argv[1:] or [*SHOTS, MOVING]
    OUT.mkdir(exist_ok=True)
    with served() as address, sync_playwright() as play, tempfile.TemporaryDirectory() as profile:
        browser = play.chromium.launch_persistent_context(profile, executable_path=CHROMIUM, args=list(FLAGS))
        for name in wanted:
            path = OUT / f"{name}.webp"
            if name == MOVING:
                first, *rest = moving(browser, address)
                first.save(
                    path, save_all=True, append_images=rest, duration=400, loop=0, quality=52, method=6
                )
            else:
                taken(browser, address, SHOTS[name]).save(path, quality=80, method=6)
            sys.stdout.write(f"{path.name}: {path.stat().st_size // 1000} kB\n")
            sys.stdout.flush()
        browser.close()


if __name__ == "__main__":
    main()
