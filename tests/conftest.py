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
from models import scenes
from tests.on_page import watch
from tests.tiny import IMAGE_SIDE, TINY

torch.set_num_threads(1)
expect.set_options(timeout=60_000)  # a busy machine is no fault of the page
# Debian has Chromium without windows, too, which needs half the time to show the same page.
CHROMIUM = shutil.which("chromium-headless-shell") or "/usr/bin/chromium"
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
)
# Here the axes in the signatures of `models` are checked at each call, which takes a quarter more time.
AXES_CHECKED = {f"test_{name}.py" for name in ("blocks", "golden", "mixing", "models", "probes", "sizes")}
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
    """The page as visitors meet it, on a free port of this machine."""
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
        def started(options: tuple):
            return play.chromium.launch_persistent_context(
                tmp_path_factory.mktemp("profile"),
                executable_path=CHROMIUM,
                args=list(FLAGS),
                **dict(options),
            )

        yield started


@pytest.fixture
def visit(browser, server):
    """Open the page with a query; nothing may leave this machine and nothing may fail in the console."""
    pages, left, failed = [], [], []

    def opened(query: str = "", width: int = 1440, height: int = 900, **options):
        page = browser(tuple(sorted(options.items()))).new_page()
        page.set_default_timeout(60_000)
        watch(page)
        page.set_viewport_size({"width": width, "height": height})
        page.on("request", lambda request: request.url.startswith(OURS) or left.append(request.url))
        page.on("pageerror", lambda error: failed.append(str(error)))
        page.goto(server + query)
        pages.append(page)
        return page

    yield opened
    for page in pages:
        page.evaluate("localStorage.clear()")  # the next visitor is another one
        page.close()
    assert left == []
    assert failed == []
