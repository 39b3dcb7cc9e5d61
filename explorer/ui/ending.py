"""What the page asks to have ended: answered also where it knows no number yet, asks twice, or too late.

Gradio 6.31's page is told the number of its question a while after it has asked. What it cancels until then
it names `null`, which Gradio refuses with 422: a failure in the visitor's console where nothing is wrong. Our
own listeners have `gradio_internals.stop` for what has no number yet. Where two listeners cancel the same
generator in one moment, both wait for its part, and the later one finds it gone, which is answered with 500.
Gradio ends whatever the same listener does for the same visitor, whichever question was named: where the
named one was answered meanwhile, that is the next one, whose answer the page would wait for without end.
"""

import json
import re
from typing import Any

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from explorer.ui.gradio_internals import asker

ENDING = re.compile(r"/gradio_api/(cancel|reset)/?")
ENDED = {"success": True}  # as Gradio says it


class Ending:
    """Answers what Gradio stumbles at; behind `Admission`, which bounds what is read here."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not ENDING.fullmatch(scope["path"]):
            await self.app(scope, receive, send)
            return
        messages = await received(receive)
        number = named(b"".join(one.get("body", b"") for one in messages))
        if number is None or (number and asker(scope["app"].get_blocks(), number) is None):
            await JSONResponse(ENDED)(scope, receive, send)
            return
        try:
            await self.app(scope, again(messages, receive), send)
        except KeyError:  # `del app.iterators[...]` of what was ended meanwhile
            await JSONResponse(ENDED)(scope, receive, send)


async def received(receive: Receive) -> list[Message]:
    """All messages of a request."""
    messages = [await receive()]
    while messages[-1].get("more_body"):
        messages.append(await receive())
    return messages


def named(body: bytes) -> str | None:
    """The number of what is to be ended, None where the page has none yet; "" is Gradio's to refuse."""
    try:
        told: Any = json.loads(body)
    except ValueError:
        return ""
    number = told.get("event_id", "") if isinstance(told, dict) else ""
    return number if isinstance(number, str | None) else ""


def again(messages: list[Message], receive: Receive) -> Receive:
    """The messages that were read, and what comes after them."""
    waiting = iter(messages)

    async def told() -> Message:
        return next(waiting, None) or await receive()

    return told
