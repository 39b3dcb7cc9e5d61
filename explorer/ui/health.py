"""Whether the page answers: asked by whoever watches over a server, through no queue and no lane."""

import time

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from explorer.ui.gradio_internals import waiting

STARTED = time.monotonic()


async def health(request: Request) -> JSONResponse:
    """That the page is there, for how many seconds, and how many questions wait for their turn."""
    seconds = int(time.monotonic() - STARTED)
    return JSONResponse({"status": "ok", "seconds": seconds, "waiting": waiting(request.app.get_blocks())})


HEALTH = Route("/health", health)
