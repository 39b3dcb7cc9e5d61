"""The page served: to browsers, and where that is asked for, its endpoints as tools of programs (MCP)."""

from importlib.util import find_spec
from typing import Any

import gradio as gr

from explorer.errors import ExplorerError
from explorer.ui.app import LAUNCH
from explorer.ui.gradio_internals import tools_answer_in_json

NO_TOOLS = "Tools for programs need the package mcp: pip install -r requirements-mcp.txt."


def launch(app: gr.Blocks, *, tools: bool = False, **where: Any) -> None:
    """Serve in the background until `app.close()`; with `tools`, endpoints are tools at `/gradio_api/mcp/`.

    Raises ExplorerError where that needs a package that is not there, of which Gradio says nothing.
    """
    if tools and find_spec("mcp") is None:
        raise ExplorerError(NO_TOOLS)
    own = {"mcp_server": tools, "app_kwargs": {**LAUNCH["app_kwargs"]}}  # Gradio writes into the latter
    app.launch(**{**LAUNCH, **own}, prevent_thread_lock=True, **where)
    if tools:
        tools_answer_in_json(app)
