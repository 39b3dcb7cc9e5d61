"""A survey on a real Ray tells what one process tells, though an actor is killed in the middle."""

import os
import signal
from pathlib import Path

import pyarrow.parquet
import pytest
import torch
from PIL import Image

from explorer import Explorer
from explorer.command_line import main
from explorer.errors import ExplorerError
from explorer.survey import survey, units
from explorer.survey.question import Question
from models import scenes

COUNT = 17 * units.PASS + 5  # pictures
UNIT = 2 * units.PASS  # of them, as an actor gets where there are two
ABOUT = {"model": "vip_nano", "weights": "scenes"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("pictures")
    for label in "ab":
        (root / label).mkdir()
    for seed in range(COUNT):
        picture = Image.fromarray(scenes.draw(seed % 40, 32).picture)
        picture.save(root / "ab"[2 * seed // COUNT] / f"{seed:04}.png")
    (root / "a" / "0040.png").write_bytes(b"no picture")
    return root


@pytest.fixture(scope="module")
def expected(folder, tmp_path_factory):
    """The bytes of the file that one process makes."""
    out = tmp_path_factory.mktemp("one")
    explorer = Explorer("cpu")
    torch.set_num_threads(1)
    for _ in survey.survey(explorer, Question(source=str(folder), **ABOUT), out):
        pass
    return (out / survey.FILE).read_bytes()


def on_ray(source) -> Question:
    return Question(source=str(source), **ABOUT, ray="local", workers=2)


def actors() -> list[int]:
    """The processes below this one that Ray calls workers of a map."""
    above, found = {}, []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            pid, words = int(place.name), (place / "cmdline").read_bytes()
            above[pid] = int((place / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if words.startswith(b"ray::") and b"MapWorker" in words:
            found.append(pid)

    def below(pid: int) -> bool:
        return pid == os.getpid() or (pid in above and below(above[pid]))

    return [pid for pid in found if below(pid)]


def test_the_command_makes_the_same_file_on_two_workers(folder, expected, tmp_path, capsys):
    words = ["survey", str(folder), "--model", "vip_nano", "--weights", "scenes", "--out", str(tmp_path)]
    assert main([*words, "--ray", "local", "--workers", "2"]) == 0
    assert f"{COUNT - 1} pictures" in capsys.readouterr().out
    assert (tmp_path / survey.FILE).read_bytes() == expected


def test_a_killed_actor_loses_nothing_and_repeats_nothing(folder, expected, tmp_path):
    going = survey.survey(Explorer("cpu"), on_ray(folder), tmp_path)
    assert [next(going).done for _ in range(2)] == [0, UNIT]
    killed = actors()
    assert len(killed) == 2
    os.kill(killed[0], signal.SIGKILL)
    *_, last = [so_far.done for so_far in going]
    assert last == COUNT
    assert (tmp_path / survey.FILE).read_bytes() == expected
    rows = pyarrow.parquet.read_table(tmp_path / survey.FILE, columns=["index"])["index"].to_pylist()
    assert rows == [index for index in range(COUNT) if index != 40]


def test_what_was_stopped_goes_on_with_and_without_ray(folder, expected, tmp_path, monkeypatch):
    explorer = Explorer("cpu")
    going = survey.survey(explorer, on_ray(folder), tmp_path)
    done = [next(going).done for _ in range(4)][-1]
    going.close()
    assert done == 3 * UNIT
    monkeypatch.setattr(survey, "PATIENCE", 0.0)
    again = survey.survey(explorer, Question(source=str(folder), **ABOUT), tmp_path, resume=True)
    assert [next(again).done for _ in range(2)] == [done, done + units.PASS]
    again.close()
    first, *_, last = survey.survey(explorer, on_ray(folder), tmp_path, resume=True)
    assert (first.already, last.done) == (done + units.PASS, COUNT)
    assert (tmp_path / survey.FILE).read_bytes() == expected


def test_what_goes_wrong_on_a_worker_is_told_in_its_sentence(tmp_path):
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    for number in range(units.PASS + 1):
        (source / f"{number:02}.png").write_bytes(b"none")
    explorer, question = Explorer("cpu"), Question(source=str(source), **ABOUT, batch=1, workers=0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(survey, "PATIENCE", 0.0)
        going = survey.survey(explorer, question, out)
        assert [next(going).done for _ in range(2)] == [0, units.PASS]
        going.close()
    (source / "00.png").rename(source / "000.png")
    with pytest.raises(ExplorerError, match="The source has changed"):
        list(survey.survey(explorer, on_ray(source), out, resume=True))
