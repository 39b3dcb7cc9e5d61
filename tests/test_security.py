"""What strangers send does no harm: the threats of docs/security.md, one by one, against a running server."""

import http.client
import json
import os
import re
import urllib.error
import urllib.request
import warnings
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import gradio as gr
import pytest
import torch
from PIL import Image

from explorer.engine.limits import Limits
from explorer.errors import ChoiceError, PictureError
from explorer.explorer import Explorer
from explorer.ui import admission, security, temporary_files
from explorer.ui.alerts import as_alert
from explorer.ui.selection import selected
from explorer.ui.weights_badge import taken
from models import card
from models.blocks import BLOCKS, spelled
from models.registry import ASSETS

ALIVE = "event: heartbeat\ndata: null\n\n"  # every 15 s, on a busy machine
STAR = ASSETS / "examples" / "2-star.png"


def answer(server: str, path: str, data: object | None = None, **headers: str) -> tuple[int, str, dict]:
    """Status, body and headers; `data` is posted as JSON."""
    body = None if data is None else json.dumps(data).encode()
    request = urllib.request.Request(
        server + path, body, {"content-type": "application/json", **headers} if body else headers
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as got:
            return got.status, got.read().decode("utf-8", "replace"), dict(got.headers)
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode("utf-8", "replace"), dict(error.headers)


def told(server: str, endpoint: str, values: list) -> str:
    """What an endpoint says in the end to values sent as they are."""
    _, body, _ = answer(server, f"/gradio_api/call/{endpoint}", {"data": values})
    event = json.loads(body)["event_id"]
    return answer(server, f"/gradio_api/call/{endpoint}/{event}")[1].replace(ALIVE, "")


def refusal(server: str, endpoint: str, values: list) -> str:
    """The sentence an endpoint refuses values with."""
    said = told(server, endpoint, values)
    assert said.startswith("event: error"), said
    content = json.loads(said.partition("data: ")[2])
    sentence = content if isinstance(content, str) else content["error"]
    assert sentence, said
    return sentence


FILES = ["/etc/shadow", "/etc/passwd", "/dev/zero", "/proc/self/environ", "app.py", "/tmp", "\0", "x" * 5_000]


@pytest.mark.parametrize("path", FILES)
def test_no_file_of_the_server_is_opened_for_a_path(server, path):
    for given in (
        {"path": path},
        {"path": path, "meta": {"_type": "gradio.FileData"}},
        {"path": path, "url": None},
    ):
        sentence = refusal(server, "predict", [given, "vip_nano", "scenes"])
        assert "root:" not in sentence
        assert re.search(r"Upload the picture as a file|does not fit", sentence), sentence


def test_a_link_or_a_pipe_in_the_upload_folder_leads_nowhere(server, tmp_path):
    from gradio.utils import get_upload_folder

    folder = Path(get_upload_folder()) / "abc"
    folder.mkdir(parents=True, exist_ok=True)
    link, pipe = folder / "link.png", folder / "pipe.png"
    link.unlink(missing_ok=True)
    pipe.unlink(missing_ok=True)
    link.symlink_to("/etc/passwd")
    os.mkfifo(pipe)
    for given in (link, pipe):
        sentence = refusal(server, "predict", [{"path": str(given)}, "vip_nano", "scenes"])
        assert "Upload the picture as a file" in sentence


def test_an_example_is_looked_at(server):
    assert '"star"' in told(server, "predict", [{"path": str(STAR)}, "vip_nano", "scenes"])


def test_the_library_reads_regular_files_only(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    for path in ("/dev/zero", str(tmp_path / "pipe.png"), str(tmp_path), "\0", "x" * 5_000):
        with pytest.raises(PictureError, match="could not be opened"):
            Explorer("cpu").digest(path)


WRONG = [
    ("predict", [5, "vip_nano", "scenes"]),
    ("predict", [{"path": 7}, "vip_nano", "scenes"]),
    ("predict", [None, "vip_nano", "scenes"]),
    ("predict", [{"path": str(STAR)}, {"a": 1}, "scenes"]),
    ("predict", [{"path": str(STAR)}, "x" * 100_000, "scenes"]),
    ("predict", [{"path": str(STAR)}, None, None]),
    ("predict", [{"path": str(STAR)}]),
    ("predict", []),
    ("knock_out", [{"path": str(STAR)}, "vip_nano", "scenes", "five"]),
    ("knock_out", [{"path": str(STAR)}, "vip_nano", "scenes", float("nan")]),
    ("knock_out", [{"path": str(STAR)}, "vip_nano", "scenes", 1e300]),
    ("knock_out", [{"path": str(STAR)}, "vip_nano", "scenes", -1]),
    ("attribute", [{"path": str(STAR)}, "vip_nano", "scenes", ["a"], None]),
    ("channel", [{"path": str(STAR)}, "vip_nano", "scenes", "stem.output", None]),
    ("receptive_field", [{"path": str(STAR)}, "vip_nano", "scenes", "stem.output", float("nan"), 0.5]),
    ("what_if", [{"path": str(STAR)}, "vip_nano", "scenes", "all", [0.5] * 100_000]),
    ("what_if", [{"path": str(STAR)}, "vip_nano", "scenes", "all", [None, "a", {}]]),
    ("what_if", [{"path": str(STAR)}, "vip_nano", "scenes", "all", {"a": 1}]),
    ("what_if", [{"path": str(STAR)}, "vip_nano", "scenes", "all", [float("inf"), 1, 1]]),
    ("code_walk", [{"path": str(STAR)}, "vip_nano", "scenes", [1, 2]]),
]


@pytest.mark.parametrize(("endpoint", "values"), WRONG)
def test_whatever_is_sent_an_endpoint_answers_with_one_sentence(server, endpoint, values):
    sentence = refusal(server, endpoint, values)
    assert sentence.endswith("."), sentence
    assert len(sentence) < 700
    assert "reference" not in sentence, "a stranger's mistake is not a bug of ours"
    assert "Traceback" not in sentence


def test_names_in_a_sentence_are_text(server):
    sentence = refusal(server, "predict", [{"path": str(STAR)}, "<img src=x onerror=alert(1)>", "scenes"])
    assert "<" not in sentence
    assert "&lt;img" in sentence


def test_a_mistake_is_told_in_words_and_a_bug_by_a_reference():
    assert "reference" in str(as_alert(RuntimeError("sizes of tensors must match in /root/secret.py")))
    assert "secret" not in str(as_alert(RuntimeError("sizes of tensors must match in /root/secret.py")))


def test_every_answer_carries_the_headers(server):
    for path in ("/", "/config", "/gradio_api/info", "/nothing"):
        _, _, headers = answer(server, path)
        found = {name.lower(): value for name, value in headers.items()}
        assert found["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'self' https://huggingface.co" in found["content-security-policy"]
        assert "object-src 'none'" in found["content-security-policy"]


def test_another_page_may_not_post_in_a_visitors_name(server):
    for path in ("/gradio_api/upload", "/gradio_api/call/models", "/gradio_api/queue/join"):
        assert answer(server, path, {"data": []}, origin="https://evil.example")[0] == 403
    assert answer(server, "/gradio_api/call/models", {"data": []}, origin=server)[0] == 200


@pytest.mark.parametrize(
    "path",
    ["process_recording", "component_server", "stream/x", "vibe-edit", "profiling/clear", "mcp/", "mcp/http"],
)
def test_what_the_page_does_not_use_takes_nothing(server, path):
    status, body, headers = answer(server, f"/gradio_api/{path}", {"data": []})
    assert (status, json.loads(body)["detail"]) == (404, admission.NOTHING)
    assert "content-security-policy" in {name.lower() for name in headers}


@pytest.mark.parametrize("tells_its_length", [True, False])
def test_no_more_is_read_than_a_question_can_be_long(server, monkeypatch, tells_its_length):
    monkeypatch.setattr(admission, "QUESTION", 10_000)
    body = json.dumps({"data": ["x" * 20_000]}).encode()
    with closing(http.client.HTTPConnection(urlsplit(server).netloc, timeout=60)) as client:
        kind = {"content-type": "application/json"}
        client.request("POST", "/gradio_api/call/predict", body if tells_its_length else iter([body]), kind)
        found = client.getresponse()
        assert (found.status, json.load(found)["detail"]) == (413, "At most 10 KB may be sent at once.")
    assert '"star"' in told(server, "predict", [{"path": str(STAR)}, "vip_nano", "scenes"])


def test_uploads_leave_room_on_the_disk(server, monkeypatch):
    monkeypatch.setattr(temporary_files, "ROOM", float("inf"))
    status, body, _ = answer(server, "/gradio_api/upload", {"data": []})
    assert (status, json.loads(body)["detail"]) == (507, admission.FULL)


def test_what_the_page_never_sends_is_told_as_such():
    for wrong in ({"model": 5}, {"model": None}, {"picture": ["a"]}, {"target": "five"}, {"target": 0.5}):
        with pytest.raises(ChoiceError):
            selected(**{"picture": None, "model": "vip_nano", "choice": "", "file": "", "target": 0} | wrong)
    with pytest.raises(AttributeError) as missing:
        taken(gr.EventData(None, {"model": "vip_nano"}))
    assert str(as_alert(missing.value)) == "'This event does not tell what it has to.'"


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("evil.example:7860", 421),
        ("127.0.0.1.evil.example", 421),
        ("[evil", 421),
        ("localhost:7860", 200),
        ("here.localhost", 200),
        ("127.0.0.1:1", 200),
        ("[::1]:7860", 200),
    ],
)
def test_a_name_of_the_internet_is_not_this_computer(server, host, status):
    found, body, headers = answer(server, "/health", host=host)
    assert found == status
    assert status == 200 or body == security.MISNAMED
    assert "content-security-policy" in {name.lower() for name in headers}


def test_what_fails_outside_of_a_question_is_one_sentence_too(server):
    question = {"data": [], "fn_index": 99_999, "session_hash": "x"}
    status, body, headers = answer(server, "/gradio_api/queue/join", question)
    assert status == 500
    assert re.fullmatch(r"Something went wrong here that is not your fault \(reference \w+\)\.", body)
    assert "content-security-policy" in {name.lower() for name in headers}


def test_neither_the_page_nor_its_files_tell_where_it_is_installed(server):
    home = str(ASSETS.parent)
    for path in ("/", "/config", "/gradio_api/info"):
        assert home not in answer(server, path)[1]
    for file in ("app.py", "explorer/explorer.py", "assets/weights/vip_nano.safetensors", "requirements.txt"):
        for path in (
            f"/gradio_api/file={home}/{file}",
            f"/file={home}/{file}",
            f"/{file}",
            f"/static/../{file}",
        ):
            assert answer(server, path)[0] in (403, 404, 405)


def test_where_strangers_are_served_no_path_is_opened_whatever_asks(tmp_path):
    served = Explorer("cpu", limits=Limits(hosted=True))
    torch.save(served.load("mixer_nano").model.state_dict(), tmp_path / "mine.pt")
    for asked in (str(tmp_path / "mine.pt"), "../mine.pt", "/etc/passwd"):
        with pytest.raises(ChoiceError, match="no weights called"):
            served.load("mixer_nano", asked)
        with pytest.raises(ChoiceError, match="no weights called"):
            served.image("mixer_nano", Image.new("RGB", (8, 8)), asked)
    assert Explorer("cpu").load("mixer_nano", str(tmp_path / "mine.pt")).is_trained


@pytest.mark.parametrize(
    "name",
    ["MixerBlock(dim=1, grid=256, tokens_dim=2048, channels_dim=1)", "fasternet_l@1024"],
)
def test_a_model_is_costed_before_anything_is_built(name):
    explorer = Explorer("cpu", limits=Limits(memory=1e9))
    with pytest.raises(ChoiceError, match=r"million parameters, .* GB and .* billion multiply-adds"):
        explorer.load(name, "random")


@pytest.mark.parametrize("name", ["vip_l7", "mixer_l16", "fasternet_l", "vip_nano"])
def test_published_models_are_within_the_limits(name):
    explorer = Explorer("cpu", limits=Limits(memory=4e9))
    explorer.engine.limits.refuse_costly(card(name))
    assert card(name).image_size


@pytest.mark.parametrize("name", [spelled(found.name, found.settings) for found in BLOCKS.values()])
def test_single_blocks_are_within_the_limits_and_costed_without_their_weights(name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Limits(memory=4e9).refuse_costly(card(name))
    assert Explorer("cpu").load(name, "random").model is not None
