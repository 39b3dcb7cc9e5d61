"""What binds a browser and a client: headers, no posts from other pages, and errors as one sentence of ours.

The threats and the tests that hold each answer are listed in docs/security.md.
"""

from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import gradio as gr
from gradio.caching import CacheMissError
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from explorer.ui.alerts import as_alert, short_of
from explorer.ui.gradio_internals import answered, as_object, is_tried
from explorer.ui.skipped import SkippingBlocks

# Gradio's page is made of inline scripts and styles, and compiles the scripts of its custom HTML.
POLICY = "; ".join(
    [
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "media-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self' data: blob:",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'self' https://huggingface.co https://*.hf.space",
    ]
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
}
UNSAFE = ("POST", "PUT", "PATCH", "DELETE")
FOREIGN = "Only this page itself may send anything here."
MISNAMED = (
    "This page is for the person at this computer, who calls it localhost; "
    "to serve others, start it with --hosted."
)


class Guard:
    """Adds the headers to every answer, and refuses what another page's script sends in a visitor's name.

    Whatever fails on the way is one sentence.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        refused = refusal(scope)
        if refused is not None:
            await refused(scope, receive, send_with_headers)
            return
        begun = False

        async def send_and_note(message: Message) -> None:
            nonlocal begun
            begun = True
            await send_with_headers(message)

        try:
            await self.app(scope, receive, send_and_note)
        except Exception as error:
            if begun:
                raise
            status = 507 if short_of(error) else 500  # no room for an upload, for one
            await PlainTextResponse(as_alert(error).message, status)(scope, receive, send_with_headers)


def refusal(scope: Scope) -> PlainTextResponse | None:
    """What is told to those who may not ask."""
    headers = Headers(scope=scope)
    if scope["method"] in UNSAFE and is_foreign(headers):
        return PlainTextResponse(FOREIGN, 403)
    if not scope["app"].get_blocks().hosted and is_misnamed(scope, headers):
        return PlainTextResponse(MISNAMED, 421)
    return None


def is_foreign(headers: Headers) -> bool:
    """Whether a browser says that a request comes from a page of another host."""
    origin = headers.get("origin")
    if origin is None:
        return False  # no browser, or one whose page is this one
    hosts = {headers.get("host"), headers.get("x-forwarded-host")}
    return urlsplit(origin).netloc not in hosts


def is_misnamed(scope: Scope, headers: Headers) -> bool:
    """Whether a page that is reached on this computer alone was asked for by a name of the internet.

    Such a name may point here for a while (DNS rebinding), so that a page of somebody else counts as ours.
    """
    try:
        here = ip_address((scope.get("server") or ("",))[0]).is_loopback
    except ValueError:
        return False  # no address: served through a socket of another kind
    try:
        name = urlsplit(f"//{headers.get('host', 'localhost')}").hostname or ""
    except ValueError:
        name = ""
    return here and not (name == "localhost" or name.endswith(".localhost") or is_address(name))


def is_address(name: str) -> bool:
    try:
        return bool(ip_address(name))
    except ValueError:
        return False


class Page(SkippingBlocks):
    """The page, whose every failure reaches a visitor or a client as one sentence."""

    hosted = False  # whether strangers are served

    async def preprocess_data(self, block_fn: Any, *args, **kwargs) -> list:
        """What was sent, as handlers take it; anything else than they take is refused."""
        try:
            return await super().preprocess_data(block_fn, *args, **kwargs)
        except gr.Error:
            raise
        except Exception as error:
            names = ", ".join(str(one.label or one.get_block_name()) for one in block_fn.inputs)
            raise gr.Error(
                f"What was sent does not fit this question, which takes: {names or 'nothing'}.",
                print_exception=False,
            ) from error

    async def process_api(self, *args, **kwargs) -> dict[str, Any]:
        """Answer one question; while the queue only tries, every failure means that it has to wait."""
        as_object(kwargs.get("event_data"))
        try:
            found = await super().process_api(*args, **kwargs)
        except Exception as error:
            raise (CacheMissError() if is_tried() else as_alert(error)) from error
        if is_tried():
            answered(self, str(kwargs.get("event_id")))
        return found
