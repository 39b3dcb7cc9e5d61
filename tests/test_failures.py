"""What fails around the program, disks, memory, files, is told in one sentence, and the rest lives on."""

import errno
import json
import os
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from huggingface_hub import constants

from explorer.attribution.benchmark import truth_lab as truth
from explorer.engine import model_store
from explorer.errors import ChoiceError, ExplorerError
from explorer.explorer import Explorer
from explorer.reweighting import reference_shares
from explorer.ui import downloads
from explorer.ui.alerts import as_alert
from explorer.ui.tabs.attribution import truth_lab
from models.registry import ASSETS
from models.sources import Bundled, Link
from models.train import Schedule, write
from models.weights import WeightsError, read
from models.whole_files import written_whole
from tests.test_security import STAR, answer, refusal, told
from tests.tiny import TINY

FULL, SEALED = (OSError(code, os.strerror(code)) for code in (errno.ENOSPC, errno.EROFS))
NO_MEMORY = [
    MemoryError(),
    RuntimeError("[enforce fail at alloc_cpu.cpp:114] data. DefaultCPUAllocator: can't allocate memory"),
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
]
QUESTION = [{"path": str(STAR)}, "vip_nano", "scenes"]


def failing(error: BaseException):
    def fail(*_args: object, **_named: object):
        raise error

    return fail


def half_written(path: Path, failure: BaseException) -> None:
    with written_whole(path) as partly:
        partly.write_text("half of it")
        raise failure


@pytest.mark.parametrize("failure", [FULL, KeyboardInterrupt(), SystemExit(143)], ids=lambda one: repr(one))
@pytest.mark.parametrize("before", ["the one before", None])
def test_a_file_is_written_whole_or_not_at_all(tmp_path, failure, before):
    path = tmp_path / "kept.bin"
    if before:
        path.write_text(before)
    with pytest.raises(type(failure)):
        half_written(path, failure)
    assert [one.read_text() for one in tmp_path.iterdir()] == ([before] if before else [])
    with written_whole(path) as partly:
        partly.write_text("all of it")
        assert not path.exists() or path.read_text() == before
    assert [one.name for one in tmp_path.iterdir()] == ["kept.bin"]
    assert path.read_text() == "all of it"


def test_a_training_that_is_killed_while_it_saves_keeps_the_weights_before(tmp_path, monkeypatch):
    path = tmp_path / "vip_nano.safetensors"
    path.write_bytes(b"the weights before")

    def killed(_tensors: dict, place: Path, **_named: object) -> None:
        Path(place).write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr("models.train.confusion", lambda *_: torch.eye(2))
    monkeypatch.setattr("models.whole_files.save_file", killed)
    model = TINY["MLP-Mixer"]()
    with pytest.raises(KeyboardInterrupt):
        write(model, "vip_nano", Schedule(), path)
    assert [(one.name, one.read_bytes()) for one in tmp_path.iterdir()] == [
        (path.name, b"the weights before")
    ]


@pytest.mark.parametrize("error", [FULL, SEALED], ids=["full", "read-only"])
def test_a_cache_that_takes_nothing_is_told_as_such(monkeypatch, tmp_path, error):
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(Path, "mkdir", failing(error))
    with pytest.raises(WeightsError, match="cannot be kept on this computer: ") as refused:
        Link("https://example.org/weights.pth", "weights.pth").fetch()
    assert "online" not in str(refused.value)
    assert list(tmp_path.iterdir()) == []


def test_a_cache_where_no_folder_can_be_made_is_told_as_such(monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_CACHE", "/proc/nowhere")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    with pytest.raises(WeightsError, match=r"could not be fetched|cannot be kept"):
        Link("https://example.org/weights.pth", "weights.pth").fetch()


@pytest.mark.parametrize(
    ("error", "sentence"),
    [(FULL, "disk of this computer is full"), (SEALED, "lets nothing be written")],
    ids=["full", "read-only"],
)
def test_what_cannot_be_saved_is_told_and_the_next_save_works(monkeypatch, tmp_path, error, sentence):
    monkeypatch.setattr(downloads.tempfile, "mkdtemp", failing(error))
    with pytest.raises(OSError, match=os.strerror(error.errno)) as refused:
        downloads.tempfile.mkdtemp(dir=tmp_path)
    assert sentence in str(as_alert(refused.value))
    assert "reference" not in str(as_alert(refused.value))


def test_an_upload_that_finds_no_room_is_told_in_one_sentence(server, monkeypatch):
    monkeypatch.setattr("gradio.route_utils.GradioMultiPartParser.parse", failing(FULL))
    form = {"content-type": "multipart/form-data; boundary=x"}
    status, body, headers = answer(server, "/gradio_api/upload", {"data": []}, **form)
    assert (status, body) == (507, "The disk of this computer is full; nothing was kept.")
    assert "content-security-policy" in {name.lower() for name in headers}
    monkeypatch.undo()
    assert '"star"' in told(server, "predict", QUESTION)


@pytest.mark.parametrize("error", NO_MEMORY, ids=lambda one: type(one).__name__)
def test_short_memory_is_told_and_the_next_question_is_answered(server, explorer, monkeypatch, error):
    monkeypatch.setattr(explorer.engine, "run", failing(error))
    assert "not enough memory" in refusal(server, "predict", QUESTION)
    monkeypatch.undo()
    assert '"star"' in told(server, "predict", QUESTION)


def test_a_model_that_raises_is_one_sentence_and_answers_again(server, explorer, monkeypatch):
    explorer.engine.cache.forget("mixer_nano")  # what another test asked
    loaded = explorer.load("mixer_nano", "scenes")
    question = [{"path": str(STAR)}, "mixer_nano", "scenes"]
    monkeypatch.setattr(loaded.model, "forward", failing(RuntimeError("sizes of tensors must match")))
    sentence = refusal(server, "predict", question)
    assert "not your fault (reference" in sentence
    assert "tensors" not in sentence
    assert not loaded.lock.locked()
    assert not any(module._forward_hooks for module in loaded.model.modules())
    monkeypatch.undo()
    assert "complete" in told(server, "predict", question)


@pytest.mark.parametrize(
    "content", [b"", b"\0" * 100, b"\xff\xfe broken \xff"], ids=["empty", "zeros", "text"]
)
def test_damaged_weights_are_one_sentence(tmp_path, content):
    path = tmp_path / "weights.safetensors"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=r"weights.safetensors could not be read as a checkpoint"):
        read(path)


def test_damaged_bundled_weights_are_one_sentence_and_other_models_live_on(tmp_path, monkeypatch):
    path = tmp_path / "mixer_nano.safetensors"
    path.write_bytes((ASSETS / "weights" / path.name).read_bytes()[:5_000])
    monkeypatch.setattr(Bundled, "fetch", lambda one, *_: path if "mixer" in one.path.name else one.path)
    explorer = Explorer("cpu")
    with pytest.raises(ChoiceError, match="could not be read as a checkpoint"):
        explorer.load("mixer_nano", "scenes")
    assert explorer.load("fasternet_nano", "scenes").is_trained
    monkeypatch.undo()
    assert explorer.load("mixer_nano", "scenes").is_trained


@pytest.mark.parametrize("content", [b"", b"PK\3\4 broken", None], ids=["empty", "broken", "half"])
def test_damaged_typical_shares_count_as_none(tmp_path, monkeypatch, content):
    whole = (ASSETS / "typical" / "vip_nano.scenes.npz").read_bytes()
    (tmp_path / "vip_nano.scenes.npz").write_bytes(whole[: len(whole) // 2] if content is None else content)
    monkeypatch.setattr(reference_shares, "FOLDER", tmp_path)
    assert reference_shares.shipped.__wrapped__("vip_nano") is None


@pytest.mark.parametrize("content", ["", "{", "[]", '{"scenes": 3}', None], ids=repr)
def test_without_the_table_of_the_truth_lab_the_page_is_there_all_the_same(tmp_path, monkeypatch, content):
    path = tmp_path / "truth.json"
    if content is not None:
        path.write_text(content)
    monkeypatch.setattr(truth, "PATH", path)
    monkeypatch.setattr(truth, "shipped", truth.shipped.__wrapped__)
    assert "missing or damaged" in truth_lab.at_first()
    path.write_text(json.dumps({"scenes": 3, "rows": {}}))
    assert "missing or damaged" not in truth_lab.at_first()


@pytest.mark.parametrize("content", [None, b"\xff\xfe\xff"], ids=["missing", "damaged"])
def test_without_the_names_of_classes_a_model_is_refused_in_one_sentence(tmp_path, monkeypatch, content):
    (tmp_path / "labels").mkdir()
    if content is not None:
        (tmp_path / "labels" / "scenes.txt").write_bytes(content)
    monkeypatch.setattr(model_store, "ASSETS", tmp_path)
    with pytest.raises(ExplorerError, match="names of the classes of scenes are missing or damaged"):
        Explorer("cpu").load("vip_nano", "scenes")


def test_what_is_no_failure_of_the_machine_stays_a_bug():
    for error in (OSError(errno.ENOENT, "gone"), RuntimeError("sizes"), np.exceptions.AxisError("axis")):
        assert "reference" in str(as_alert(error))
    assert SimpleNamespace(error=as_alert(ChoiceError("Mine."))).error.message == "Mine."
