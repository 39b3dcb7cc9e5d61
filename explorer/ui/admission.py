"""What may be sent at all: to the addresses the page and clients use, not too much, and while there is room.

Gradio has more addresses than this page needs, one of which hands videos to another program; and it reads all
that is sent into memory before it looks at it.
"""

import re

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from explorer.ui.security import UNSAFE
from explorer.ui.temporary_files import has_room

TOOLS = re.compile(r"/gradio_api/mcp(/http)?/?")  # taken where programs are served, see `serving.launch`
TAKEN = re.compile(r"/gradio_api/(upload|queue/join|run/\w+|cancel|reset|call/(v2/)?\w+)/?")
QUESTION, UPLOAD = 1_000_000, 40_000_000  # bytes of one request
NOTHING = "Nothing is taken here."
FULL = "The disk of this computer is full; nothing was kept."


class Admission:
    """Refuses what is sent elsewhere, what is longer than the page ever sends, and uploads without room."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in UNSAFE:
            await self.app(scope, receive, send)
            return
        most = longest(scope)
        if scope["method"] != "POST" or most is None:
            await refuse(404, NOTHING, scope, receive, send)
        elif told_length(scope) > most:
            await refuse(413, too_long(most), scope, receive, send)
        elif most == UPLOAD and not has_room():
            await refuse(507, FULL, scope, receive, send)
        else:
            await self.app(scope, at_most(most, receive), send)


def longest(scope: Scope) -> int | None:
    """How many bytes are taken at an address; None where nothing is. Programs send pictures in a question."""
    if TOOLS.fullmatch(scope["path"]):
        return UPLOAD if scope["app"].get_blocks().mcp_server else None
    taken = TAKEN.fullmatch(scope["path"])
    return None if taken is None else UPLOAD if taken[1] == "upload" else QUESTION


def told_length(scope: Scope) -> int:
    """How many bytes a request says it has; 0 where it does not say."""
    told = Headers(scope=scope).get("content-length", "")
    return int(told) if told.isdecimal() else 0


def too_long(most: int) -> str:
    return f"At most {most // 1_000} KB may be sent at once."


def at_most(most: int, receive: Receive) -> Receive:
    """What is received, until it is more than `most` bytes; whoever reads on is told so."""
    length = 0

    async def received() -> Message:
        nonlocal length
        message = await receive()
        length += len(message.get("body", b""))
        if length > most:
            raise HTTPException(413, too_long(most))
        return message

    return received


async def refuse(status: int, sentence: str, scope: Scope, receive: Receive, send: Send) -> None:
    await JSONResponse({"detail": sentence}, status)(scope, receive, send)
