"""The page served: to browsers, and where that is asked for, its endpoints as tools of programs (MCP)."""

import gc
import json
from importlib.util import find_spec
from typing import Any

import gradio as gr

from explorer.errors import ExplorerError
from explorer.ui.app import LAUNCH

NO_TOOLS = "Tools for programs need the package mcp: pip install -r requirements-mcp.txt."


def tools_answer_in_json(app: gr.Blocks) -> None:
    """Let tools answer what is no file in JSON; called once the app is launched with its tools.

    Gradio 6.31 tells programs (MCP) what an endpoint answers as Python prints it, with `None`, and several
    answers as one tuple, in which a picture is none (`_execute_tool_without_progress` of `gradio.mcp`).
    """
    tools: Any = app.mcp_server_obj
    told = tools.postprocess_output_data

    def in_json(data: list, root_url: str) -> list:
        (first, *_) = data
        each = first if isinstance(first, tuple) else data
        files = [isinstance(one, dict) and "meta" in one for one in each]
        plain = (one if file else json.dumps(one) for one, file in zip(each, files, strict=True))
        return told(list(plain), root_url)

    tools.postprocess_output_data = in_json


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
    if not gc.isenabled():  # see `app.py`; what was made so far stays, and is never looked through
        gc.freeze()
        gc.enable()
