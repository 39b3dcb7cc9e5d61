"""The page in a window of its own, `mixscope --desktop picture.png`; a later start hands its picture on.

pywebview shows the window; it and Qt are optional, see requirements-desktop.txt.
"""

import json
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Listener
from pathlib import Path
from threading import Thread
from typing import Any

from explorer.errors import ExplorerError
from explorer.ui.installed import ICON
from explorer.ui.model_names import FIRST
from explorer.ui.notebook import Shown, show

NO_WINDOW = "A window of its own needs pywebview and Qt: pip install -r requirements-desktop.txt."
SIZE = {"width": 1440, "height": 900, "min_size": (360, 480)}


def open_window(model: str, weights: str, picture: str | None, device: str) -> None:
    """Show the page until its window is closed; where one is open already, that one shows the picture.

    Raises ExplorerError where there is nothing to show a window with, and for what cannot be opened.
    """
    try:
        webview = import_module("webview")
    except ImportError as error:
        raise ExplorerError(NO_WINDOW) from error
    if handed_over(picture):
        return
    pages = [show(model or FIRST, picture, weights=weights, device=device)]
    webview.settings["ALLOW_DOWNLOADS"] = True  # saved where the system's own dialog says
    window = webview.create_window("Mixscope", str(pages[0]), text_select=True, **SIZE)

    def another(asked: str | None) -> None:
        window.restore()
        if asked is not None:
            with suppress(ExplorerError):  # what is no picture changes nothing
                pages.append(show(model or FIRST, asked, weights=weights, device=device))
                window.load_url(str(pages[-1]))

    with listening(another):
        webview.start(gui="qt", icon=str(ICON))
    close(pages)


def close(pages: list[Shown]) -> None:
    for page in pages:
        page.close()


def meeting_place() -> Path:
    """Where the first start says how to reach it, for this user alone."""
    folder = Path(os.environ.get("XDG_RUNTIME_DIR") or Path.home() / ".cache" / "mixscope")
    folder.mkdir(parents=True, exist_ok=True)
    return folder / "mixscope-window.json"


def handed_over(picture: str | None) -> bool:
    """Whether another start is there and was told of the picture."""
    try:
        told = json.loads(meeting_place().read_text("utf-8"))
        with Client(("127.0.0.1", told["port"]), authkey=bytes.fromhex(told["key"])) as there:
            there.send_bytes(json.dumps(picture and str(Path(picture).resolve())).encode())
    except (OSError, ValueError, KeyError, TypeError, EOFError, AuthenticationError):
        return False  # nobody, or one that ended without saying so
    return True


@contextmanager
def listening(answer: Callable[[str | None], Any]) -> Iterator[None]:
    """Take the pictures of later starts; each is handed to `answer` in a thread of its own."""
    key, place = secrets.token_bytes(32), meeting_place()
    with Listener(("127.0.0.1", 0), authkey=key) as listener:
        Thread(target=receive, args=(listener, answer), daemon=True).start()
        place.unlink(missing_ok=True)
        with os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump({"port": listener.address[1], "key": key.hex()}, file)
        try:
            yield
        finally:
            place.unlink(missing_ok=True)


def receive(listener: Listener, answer: Callable[[str | None], Any]) -> None:
    """Until the listener is closed; whoever does not know the key is not heard."""
    while True:
        try:
            with listener.accept() as caller:
                answer(json.loads(caller.recv_bytes()))
        except (AuthenticationError, EOFError, ValueError, ConnectionError):
            continue
        except OSError:
            return
