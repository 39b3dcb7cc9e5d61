"""The page as an app of its own: an icon, a name, and what is shown where the program does not answer.

The browser has these through Gradio's manifest; the page for when nobody answers is kept by a service worker.
"""

from starlette.requests import Request
from starlette.responses import FileResponse
from starlette.routing import Route

from models.registry import ASSETS

ICON = ASSETS / "icon.png"


async def worker(_request: Request) -> FileResponse:
    return FileResponse(ASSETS / "offline.js", media_type="text/javascript")


async def offline(_request: Request) -> FileResponse:
    return FileResponse(ASSETS / "offline.html")


ROUTES = [Route("/offline.js", worker), Route("/offline.html", offline)]
