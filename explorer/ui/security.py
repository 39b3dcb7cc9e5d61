"""What binds a browser and a client: headers, no posts from other pages, and errors as one sentence of ours.

The threats and the tests that hold each answer are listed in docs/security.md.
"""

from typing import Any
from urllib.parse import urlsplit

import gradio as gr
from gradio.caching import CacheMissError
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from explorer.ui.alerts import as_alert, short_of
from explorer.ui.gradio_internals import answered, as_object, is_tried

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


class Guard:
    """Adds the headers to every answer, and refuses what another page's script sends in a visitor's name."""

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

        if scope["method"] in UNSAFE and is_foreign(Headers(scope=scope)):
            refusal = PlainTextResponse("Only this page itself may send anything here.", status_code=403)
            await refusal(scope, receive, send_with_headers)
            return
        begun = False

        async def send_and_note(message: Message) -> None:
            nonlocal begun
            begun = True
            await send_with_headers(message)

        try:
            await self.app(scope, receive, send_and_note)
        except (OSError, MemoryError) as error:  # an upload that finds no room
            sentence = short_of(error)
            if sentence is None or begun:
                raise
            await PlainTextResponse(sentence, status_code=507)(scope, receive, send_with_headers)


def is_foreign(headers: Headers) -> bool:
    """Whether a browser says that a request comes from a page of another host."""
    origin = headers.get("origin")
    if origin is None:
        return False  # no browser, or one whose page is this one
    hosts = {headers.get("host"), headers.get("x-forwarded-host")}
    return urlsplit(origin).netloc not in hosts


class Page(gr.Blocks):
    """The page, whose every failure reaches a visitor or a client as one sentence."""

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
