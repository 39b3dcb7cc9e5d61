"""Who still listens: what somebody asked for ends when they are gone, and is forgotten.

Gradio tells its answers over streams of events, one for a page or for the question of a client, and drops the
questions of a stream that breaks off. For those who leave before they listen, or between two streams, it goes
on computing. Here the streams are watched from outside: where nobody listens and the page's connection breaks
off, its questions are dropped at once; where there is no page either, after `PATIENCE`, with the answers that
nobody fetched.
"""

import asyncio
import json
import re
import time
from collections import Counter
from urllib.parse import parse_qs

import gradio as gr
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from explorer.ui.gradio_internals import asker, drop, sessions

PATIENCE = 10.0  # seconds a question waits for somebody who listens
LOOK_EVERY = 1.0  # seconds between two looks, while anything is asked
NEWS = re.compile(r"/queue/data/?$")
ANSWER = re.compile(r"/gradio_api/call/(?:v2/)?[^/]+/([^/]+)/?$")
STAYING = re.compile(r"/heartbeat/([^/]+)/?$")
UNKNOWN = "There is no such question, or not any more: an answer is kept for some seconds, and fetched once."


class Presence:
    """Counts the open streams of each session."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.listening: Counter[str] = Counter()
        self.staying: Counter[str] = Counter()  # a page keeps one connection open for as long as it is shown
        self.seen: dict[str, float] = {}  # when somebody listened last, or a session was first looked at
        self.watching: asyncio.Task | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in ("GET", "POST"):
            await self.app(scope, receive, send)
            return
        page = scope["app"].get_blocks()
        if scope["method"] == "POST":
            await self.app(scope, receive, send)
            self.watch(page)
        elif answer := ANSWER.search(scope["path"]):
            session = asker(page, answer[1])
            listen = unknown if session is None else self.app
            await self.follow(page, session or "", listen, scope, receive, send)
        elif NEWS.search(scope["path"]):
            session = parse_qs(scope["query_string"].decode("latin-1")).get("session_hash", [""])[0]
            await self.follow(page, session, self.app, scope, receive, send)
        elif staying := STAYING.search(scope["path"]):
            await self.stay(page, staying[1], scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def follow(
        self, page: gr.Blocks, session: str, listen: ASGIApp, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Let a stream run to its end; what is asked by the last to listen ends where it breaks off."""
        self.listening[session] += 1
        left = True
        try:
            left = await broke_off(listen, scope, receive, send)
        finally:
            self.listening[session] -= 1
            self.seen[session] = time.monotonic()
            if not self.listening[session]:
                del self.listening[session]
                if left:
                    await drop(page, session)

    async def stay(self, page: gr.Blocks, session: str, scope: Scope, receive: Receive, send: Send) -> None:
        """A page is shown; once it is gone and nobody listens in its place, what it asked for ends."""
        self.staying[session] += 1
        left = True
        try:
            left = await broke_off(self.app, scope, receive, send)
        finally:
            self.staying[session] -= 1
            if not self.staying[session]:
                del self.staying[session]
            if left and not self.listening[session]:
                await drop(page, session)

    def watch(self, page: gr.Blocks) -> None:
        """Look now and then for questions nobody listens to, until nothing is asked any more."""
        if self.watching is None or self.watching.done():
            self.watching = asyncio.create_task(self.look(page))

    async def look(self, page: gr.Blocks) -> None:
        while asked := sessions(page):
            now = time.monotonic()
            self.seen = {session: self.seen.get(session, now) for session in asked}
            for session, last in asked.items():
                here = self.listening[session] or self.staying[session]
                if not here and now - max(last, self.seen[session]) > PATIENCE:
                    await drop(page, session)
            await asyncio.sleep(LOOK_EVERY)


async def broke_off(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> bool:
    """Answer, and tell whether whoever asked left before the end."""
    whole = left = False

    async def received() -> Message:
        nonlocal left
        message = await receive()
        left = left or (message["type"] == "http.disconnect" and not whole)
        return message

    async def sent(message: Message) -> None:
        nonlocal whole
        whole = message["type"] == "http.response.body" and not message.get("more_body", False)
        await send(message)

    await app(scope, received, sent)
    return left


async def unknown(scope: Scope, receive: Receive, send: Send) -> None:
    """What is told to those who ask for an answer that is not there."""
    told = f"event: error\ndata: {json.dumps({'error': UNKNOWN})}\n\n"
    await PlainTextResponse(told, media_type="text/event-stream")(scope, receive, send)
