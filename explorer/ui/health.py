"""Whether the page answers: asked by whoever watches over a server, through no queue and no lane."""

import time

from fastapi import Request
from fastapi.routing import APIRoute

from explorer.ui.gradio_internals import waiting

STARTED = time.monotonic()


async def health(request: Request) -> dict[str, str | int]:
    """That the page is there, for how many seconds, and how many questions wait for their turn."""
    return {
        "status": "ok",
        "seconds": int(time.monotonic() - STARTED),
        "waiting": waiting(request.app.get_blocks()),
    }


HEALTH = APIRoute("/health", health, methods=["GET", "HEAD"])
