import gc
import os
import shutil
import socket
from functools import cache

os.environ |= {"HF_HUB_OFFLINE": "1", "GRADIO_ANALYTICS_ENABLED": "False"}

import jaxtyping
import pydantic.v1  # noqa: F401 - else imported late, where CPython before 3.12 may trip (gh-106176)
import pytest
import torch
from PIL import Image
from playwright.sync_api import expect, sync_playwright

from explorer.explorer import Explorer
from explorer.ui.gradio_import import import_gradio
from models import scenes
from tests.on_page import settled, watch
from tests.tiny import IMAGE_SIDE, TINY

import_gradio()
torch.set_num_threads(1)
expect.set_options(timeout=60_000)  # a busy machine is no fault of the page
# Debian has Chromium without windows, too, which needs half the time to show the same page.
CHROMIUM = shutil.which("chromium-headless-shell") or "/usr/bin/chromium"
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
)
# A visit is over before optimised scripts pay; pages of one process share what was compiled.
FOR_VISITS = ("--js-flags=--no-opt --no-maglev", "--process-per-site")
# Here the axes in the signatures of `models` are checked at each call, which takes a quarter more time.
AXES_CHECKED = {f"test_{name}.py" for name in ("blocks", "golden", "mixing", "models", "probes", "sizes")}
# The address of a page that runs already, for tests that need nothing of its process, see `.ci/space`.
SERVED = os.environ.get("MIXSCOPE_SERVER")
OURS = ("data:", "blob:", "http://127.0.0.1")


@pytest.fixture(autouse=True, scope="module")
def axes_checked(request):
    """Check axes where models are what is tested; everything else then relies on it."""
    jaxtyping.config.update("jaxtyping_disable", request.path.name not in AXES_CHECKED)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


@pytest.fixture(params=TINY)
def model(request):
    """A tiny model of each family."""
    torch.manual_seed(0)
    return TINY[request.param]().eval()


@pytest.fixture
def image():
    return torch.rand(1, 3, IMAGE_SIDE, IMAGE_SIDE, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="session")
def explorer():
    return Explorer(device="cpu")


@pytest.fixture(scope="session")
def star():
    """A picture of a star, bright and large."""
    return Image.fromarray(scenes.draw(27, 128, scenes.CLASSES.index("star")).picture)


@pytest.fixture(scope="session")
def server(explorer):
    """The page as visitors meet it, on a free port of this machine; or the one that is served already."""
    if SERVED:
        yield SERVED.rstrip("/")
        return
    from explorer.ui.app import LAUNCH, build_app
    from explorer.ui.examples import SCENES
    from explorer.ui.first import First
    from explorer.ui.gradio_internals import end

    scene = next(path for path in SCENES if "vertical" in path.stem)  # whatever weights are here
    app = build_app(explorer, first=First(picture=scene))
    with socket.socket() as free:  # Gradio's own search may find the port another worker is about to take
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    app.launch(**LAUNCH, prevent_thread_lock=True, quiet=True, server_name="127.0.0.1", server_port=port)
    yield app.local_url.rstrip("/")
    end(app)  # torch aborts a process that ends while it computes
    app.close()


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    """A browser with certain options; what the page is made of is fetched and compiled once for each."""
    with sync_playwright() as play:

        @cache
        def started(options: tuple, profile: str = "visits"):
            return play.chromium.launch_persistent_context(
                tmp_path_factory.mktemp(profile),
                executable_path=CHROMIUM,
                args=[*FLAGS, *(FOR_VISITS if profile == "visits" else ())],
                **{"device_scale_factor": 0.5, **dict(options)},  # a quarter of the pixels to draw
            )

        yield started


class Watched:
    """A page, what it asked of other machines, and what failed in its console."""

    def __init__(self, page) -> None:
        self.page, self.left, self.failed = page, [], []
        page.set_default_timeout(60_000)
        watch(page)
        page.on("request", lambda request: request.url.startswith(OURS) or self.left.append(request.url))
        page.on("pageerror", lambda error: self.failed.append(str(error)))
        page.on("response", self.look_at)

    def look_at(self, response) -> None:
        """What the page wants ended is never refused."""
        if response.url.endswith(("/cancel", "/reset")) and response.status != 200:
            self.failed.append(f"{response.status} {response.url} {response.request.post_data}")

    def nothing_went_wrong(self) -> None:
        """Nothing may leave this machine and nothing may fail in the console."""
        assert self.left == []
        assert self.failed == []


@pytest.fixture
def visit(browser, server):
    """Open a new page with a query, as somebody who was never here."""
    pages = []

    def opened(query: str = "", width: int = 1440, height: int = 900, **options):
        context = browser(tuple(sorted(options.items())))
        if context.pages[0].url == "about:blank":
            context.pages[0].goto(f"{server}/theme.css")  # it stays, and with it the process of the visits
        watched = Watched(context.new_page())
        watched.page.set_viewport_size({"width": width, "height": height})
        watched.page.goto(server + query)
        pages.append(watched)
        return watched.page

    yield opened
    for watched in pages:
        watched.page.evaluate("localStorage.clear()")  # the next visitor is another one
        watched.page.close()
    for watched in pages:
        watched.nothing_went_wrong()


@pytest.fixture(scope="session")
def open_pages():
    """Pages that stay open between tests, by the options of their browsers."""
    return {}


FOLLOW = "query => { history.pushState(null, '', query); dispatchEvent(new PopStateEvent('popstate')); }"


@pytest.fixture
def follow(request, browser, server, open_pages):
    """Follow a link on a page that shows something else already, as a way back does: a third of the work.

    Whatever the link does not say is as usual then; all it shows is there.
    """
    used = {}

    def followed(query: str, **options):
        key = tuple(sorted(options.items()))
        link = query if "picture=" in query else f"{query}&picture=1-vertical-stripes"
        if key not in open_pages:
            open_pages[key] = Watched(browser(key, "follows").new_page())
            open_pages[key].page.set_viewport_size({"width": 1440, "height": 900})
            open_pages[key].page.goto(server + link)
        else:
            page = open_pages[key].page
            with page.expect_request(lambda request: "/queue/join" in request.url):
                page.evaluate(FOLLOW, link)
        used[key] = open_pages[key]
        settled(used[key].page, calm=8)
        return used[key].page

    yield followed
    for key, watched in used.items():
        if request.node.stash.get(FAILED, False) or watched.left or watched.failed:
            open_pages.pop(key).page.close()
        watched.nothing_went_wrong()


FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if call.excinfo is not None:
        item.stash[FAILED] = True
    return report


def pytest_collection():
    """Look for no garbage while tests are imported and collected: a fifth of the time that takes."""
    gc.disable()


def pytest_collection_finish():
    """Look for it less often then, and not among what is imported: a tenth of the time of the tests."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    gc.enable()


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config):
    """End at once where others wait for it: to take apart what a long life has made takes seconds."""
    if hasattr(config, "workerinput"):
        os._exit(0)
