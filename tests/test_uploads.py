"""Weights that visitors bring along: checked, seen by nobody else, and freed."""

import json
import struct

import pytest
import torch
from safetensors.torch import save, save_file

from explorer.engine.limits import Limits
from explorer.engine.uploads import GONE
from explorer.errors import ChoiceError
from explorer.explorer import Explorer
from explorer.ui.weights_upload import Uploads, sorted_files
from models import create
from models.scenes import CLASSES

MODEL = "mixer_nano"
NAMES = [f"kind {number}" for number in range(len(CLASSES))]


@pytest.fixture(scope="module")
def served():
    """Where strangers are served, for whom no path is opened."""
    return Explorer("cpu", limits=Limits(hosted=True))


@pytest.fixture(scope="module")
def weights():
    return create(MODEL, seed=3).state_dict()


@pytest.fixture
def mine(tmp_path, weights):
    save_file(weights, tmp_path / "mine.safetensors")
    (tmp_path / "mine.txt").write_text("\n".join(NAMES), "utf-8")
    return tmp_path / "mine.safetensors", tmp_path / "mine.txt"


def test_uploaded_weights_say_what_the_same_file_says_by_its_path(served, explorer, mine, star):
    name = served.upload(MODEL, *mine)
    theirs = explorer.predict(MODEL, star, str(mine[0]))
    ours = served.predict(MODEL, star, name)
    assert [one.probability for one in ours] == [one.probability for one in theirs]
    assert [one.label for one in ours] == [NAMES[one.index] for one in theirs]
    assert served.labels(MODEL, name) == tuple(NAMES)
    assert served.labels(MODEL, served.upload(MODEL, mine[0])) == CLASSES
    assert served.load(MODEL, name).is_trained
    with pytest.raises(ChoiceError, match="no weights called"):
        served.load(MODEL, str(mine[0]))


def test_what_is_freed_is_gone_with_all_that_was_computed_and_is_told_like_what_never_was(served, mine, star):
    name, other = served.upload(MODEL, *mine), served.upload(MODEL, *mine)
    assert name != other
    assert len(name) > 30
    for one in (name, other):
        served.predict(MODEL, star, one)
        served.pass_seconds(MODEL, star, one)
    served.engine.models.forget(name)
    for unknown in (name, "upload-" + "a" * 32, "upload-"):
        for ask in (served.load, served.labels):
            with pytest.raises(ChoiceError) as refused:
                ask(MODEL, unknown)
            assert str(refused.value) == GONE
    with pytest.raises(ChoiceError, match="upload them again"):
        served.load("vip_nano", other)  # a name is good for its own model
    assert not any(name in repr(key) for key in served.engine.cache.keys())  # noqa: SIM118 - a method of ours
    assert served.predict(MODEL, star, other)
    served.engine.models.forget("random")  # is no upload
    counted = sum(size for _, size in served.engine.cache._values.values())
    assert served.engine.cache.bytes == counted


def header(content: dict, numbers: bytes = b"") -> bytes:
    told = json.dumps(content).encode()
    return struct.pack("<Q", len(told)) + told + numbers


def hostile(weights) -> dict[str, bytes]:
    good = save(weights)
    key, shape = next((key, list(one.shape)) for key, one in weights.items())
    beyond = {key: {"dtype": "F32", "shape": shape, "data_offsets": [0, 10**12]}}
    return {
        "nothing": b"",
        "a header cut off": good[:100],
        "numbers cut off": good[:-10],
        "a header of 2^63 bytes": struct.pack("<Q", 2**63) + b"{}",
        "a header of 4 GB": struct.pack("<Q", 2**32) + good[8:],
        "offsets behind the end": header(beyond),
        "offsets that go back": header(
            {key: {"dtype": "F32", "shape": shape, "data_offsets": [8, 0]}}, b"0" * 8
        ),
        "a shape that overflows": header(
            {key: {"dtype": "F32", "shape": [2**62, 8], "data_offsets": [0, 4]}}, b"0000"
        ),
        "no JSON": struct.pack("<Q", 4) + b"[[[[",
        "brackets without end": struct.pack("<Q", 100_000) + b"[" * 100_000,
        "another model": save(create("fasternet_nano", seed=1).state_dict()),
        "numbers that are none": save({k: torch.full_like(v, float("nan")) for k, v in weights.items()}),
        "whole numbers": save({k: v.to(torch.int8) for k, v in weights.items()}),
        "much too many": good + b"0" * 20_000_000,
    }


def test_a_hostile_file_is_one_sentence_and_nothing_is_kept(served, tmp_path, weights):
    torch.save(weights, tmp_path / "pickle.safetensors")
    (tmp_path / "pipe.safetensors").symlink_to("/dev/zero")
    before = {key for key in served.engine.cache.keys() if key[0] == "model"}  # noqa: SIM118
    for name, content in hostile(weights).items():
        (tmp_path / f"{name}.safetensors").write_bytes(content)
    (tmp_path / "mine.pt").write_bytes(save(weights))
    for file in tmp_path.iterdir():
        with pytest.raises(ChoiceError) as refused:
            served.upload(MODEL, file)
        assert file.name in str(refused.value)
        assert len(str(refused.value)) < 1_000
    assert {key for key in served.engine.cache.keys() if key[0] == "model"} == before  # noqa: SIM118


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ("\n".join([*NAMES[:-1], "<img src=x onerror=alert(1)>"]), f"Line {len(NAMES)} of .* is no name"),
        ("\n".join(["$\\frac$", *NAMES[1:]]), "Line 1 of .* is no name"),
        ("\n".join([*NAMES[:3], "", *NAMES[4:]]), "Line 4 of .* is no name"),
        ("\n".join(["a\0b", *NAMES[1:]]), "Line 1 of .* is no name"),
        ("\n".join(["a" * 201, *NAMES[1:]]), "Line 1 of .* is no name"),
        ("\n".join(NAMES[1:]), f"tells {len(NAMES)} classes apart.* has {len(NAMES) - 1} lines"),
        ("\n" * 1_000, "has 1000 lines"),
        ("x\n" * 10**6, "too large for the names"),
        (b"\xff\xfe\x00", "no text in UTF-8"),
    ],
)
def test_labels_are_plain_names_one_for_each_class(served, mine, labels, said):
    mine[1].write_bytes(labels if isinstance(labels, bytes) else labels.encode())
    with pytest.raises(ChoiceError, match=said):
        served.upload(MODEL, *mine)


def test_a_session_has_its_own_weights_until_it_leaves(served, mine, star, weights):
    uploads = Uploads(served)
    first = uploads.bring("one", MODEL, list(map(str, mine)))
    assert not any(file.exists() for file in mine), "the files are not needed any more"
    save_file(weights, mine[0])
    second = uploads.bring("two", MODEL, [str(mine[0])])
    assert served.predict(MODEL, star, first)[0].label.startswith("kind")
    uploads.free("three")
    uploads.free("one")
    with pytest.raises(ChoiceError, match="upload them again"):
        served.predict(MODEL, star, first)
    assert served.predict(MODEL, star, second)
    save_file(weights, mine[0])
    third = uploads.bring("two", MODEL, [str(mine[0])])
    with pytest.raises(ChoiceError, match="upload them again"):
        served.predict(MODEL, star, second)
    mine[0].write_bytes(b"")
    with pytest.raises(ChoiceError):
        uploads.bring("two", MODEL, [str(mine[0])])
    assert not mine[0].exists()
    assert served.predict(MODEL, star, third), "a file that is refused takes nothing away"


def test_the_files_are_one_of_weights_and_perhaps_one_of_names():
    for wrong in ([], ["a.txt"], ["a.safetensors", "b.safetensors"], ["a.pt"], ["a.safetensors", "b.png"]):
        with pytest.raises(ChoiceError, match=r"Choose a .safetensors file"):
            sorted_files(wrong)
    weights, names = sorted_files(["b.txt", "a.safetensors"])
    assert (weights.name, names and names.name) == ("a.safetensors", "b.txt")
