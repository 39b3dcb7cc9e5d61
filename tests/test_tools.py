"""Programs find every endpoint as a tool, call it, and get numbers and a picture, where that is asked for."""

import base64
import io
import json
import socket
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

import anyio
import gradio as gr
import numpy as np
import pytest
from PIL import Image

from explorer.errors import ExplorerError
from explorer.features.feature_maps import feature_map
from explorer.ui import endpoints, serving
from explorer.ui.security import Page
from tests.test_security import answer

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of the client's own
    from mcp import ClientSession
    from mcp.client.streamable_http import streamable_http_client

LAYER = "stages.0.blocks.0.output"


@pytest.fixture(scope="module")
def served(explorer):
    """The endpoints without the page, as tools, with all that guards the page."""
    with Page(title="Mixscope", analytics_enabled=False) as app:
        endpoints.build(explorer)
    app.queue(default_concurrency_limit=1, api_open=False)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    serving.launch(app, tools=True, quiet=True, server_name="127.0.0.1", server_port=port)
    yield app.local_url.rstrip("/")
    app.close()


@asynccontextmanager
async def client(server: str):
    async with (
        streamable_http_client(f"{server}/gradio_api/mcp/") as (read, write, _),
        ClientSession(read, write) as session,
    ):
        await session.initialize()
        yield session


@pytest.fixture(scope="module")
def seen(served, star):
    """What a program is told: the tools, an answer in numbers, one with a picture, and a refusal."""
    file = io.BytesIO()
    star.save(file, "PNG")
    picture = "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
    about = {"picture": picture, "model": "vip_nano", "weights": "scenes"}

    async def asked():
        async with client(served) as session:
            return (
                (await session.list_tools()).tools,
                await session.call_tool("predict", about),
                await session.call_tool("channel", {**about, "layer": LAYER, "channel": 3}),
                await session.call_tool("predict", {**about, "model": "vip_x"}),
            )

    with ThreadPoolExecutor(
        1
    ) as apart:  # in this thread, the browser of other tests may have a loop of its own
        return apart.submit(anyio.run, asked).result()


def test_every_endpoint_is_a_tool_with_its_description_and_parameters(seen):
    tools = {one.name: one for one in seen[0]}
    assert set(tools) == set(endpoints.OFFERED)
    for name, (handler, _) in endpoints.OFFERED.items():
        assert tools[name].description.startswith(" ".join(handler.__doc__.split()))
    told = tools["receptive_field"].inputSchema["properties"]
    assert list(told) == ["picture", "model", "weights", "layer", "row", "column"]
    assert told["row"]["type"] == "number"
    assert told["layer"]["description"] == "a name that `layers` lists"


def test_a_program_is_answered_in_json(seen, explorer, star):
    (text,) = seen[1].content
    (first, *_) = json.loads(text.text)["predictions"]
    assert first["label"] == "star"
    assert first["probability"] == pytest.approx(
        explorer.predict("vip_nano", star, "scenes")[0].probability, abs=1e-6
    )


def test_a_program_gets_numbers_and_a_picture(seen, explorer, star):
    assert not seen[2].isError, seen[2].content
    numbers, picture, address = seen[2].content
    expected = feature_map(explorer.inspect("vip_nano", star, "scenes"), LAYER).channel(3)
    np.testing.assert_allclose(json.loads(numbers.text)["values"], expected, atol=1e-6)
    assert (picture.type, picture.mimeType) == ("image", "image/png")
    with Image.open(io.BytesIO(base64.b64decode(picture.data))) as drawn:
        assert drawn.size == (256, 256)
    assert "/tmp" not in address.text.split("/gradio_api/")[0]


def test_a_mistake_of_a_program_gets_its_sentence(seen):
    assert seen[3].isError
    assert "There is no model 'vip_x'" in seen[3].content[0].text


def test_no_other_page_may_call_a_tool(served):
    asked = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    assert answer(served, "/gradio_api/mcp/", asked, origin="https://evil.example")[0] == 403
    assert answer(served, "/gradio_api/mcp/messages/", asked)[0] == 404


def test_without_the_package_a_sentence_says_what_is_needed(monkeypatch):
    monkeypatch.setattr(serving, "find_spec", lambda name: None)
    with pytest.raises(ExplorerError, match=r"requirements-mcp\.txt"):
        serving.launch(gr.Blocks(), tools=True)
