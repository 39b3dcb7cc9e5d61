"""Trainings: networks trained again are measured as those that ship, and the spreads are what they say."""

import json
from shutil import copy

import pytest

from explorer.attribution.benchmark import trainings as again
from explorer.attribution.benchmark.intervals import Interval
from explorer.attribution.benchmark.shipped import Shipped, shipped
from explorer.attribution.benchmark.spread import believed_in, spread
from explorer.attribution.benchmark.trainings import PATH, SHIPPED, measure, named, trainings, write
from explorer.attribution.registry import METHODS
from explorer.errors import ChoiceError
from models.registry import ASSETS


def row(method: str, value: float, protocol: str = "planted", off: float = 0.1, bar: float = 0.5) -> Shipped:
    return Shipped(protocol, "m", "scenes", method, Interval(value, value - off, value + off), bar, 6, "")


def test_a_spread_is_a_standard_deviation_over_what_it_names():
    trained = {
        "0": [row("a", 0.2), row("b", 0.6), row("c", 0.9)],
        "1": [row("a", 0.4), row("b", 0.6)],
    }
    found = spread(trained, "planted", "m")
    assert found.methods == pytest.approx(0.3 / 2**0.5)  # of 0.3 and 0.6
    assert found.trainings == pytest.approx((0.02 / 2) ** 0.5)  # variances 0.02 and 0
    assert found.pictures == pytest.approx(0.2 / (2 * 1.96))
    assert found.is_told
    assert spread({"0": trained["0"]}, "planted", "m") is None
    assert spread(trained, "gridpg", "m") is None


def test_it_is_counted_in_how_many_trainings_a_method_is_believed():
    sure = [row("a", 0.9), row("a", 0.9, "gridpg")]
    trained = {"0": sure, "1": [*sure, row("b", 0.9), row("b", 0.9, "gridpg")], "2": [row("a", 0.3)]}
    assert believed_in(trained, "m") == {"a": 2, "b": 1}
    assert believed_in(trained, "other") == {}


@pytest.mark.parametrize("name", ["vip_nano.safetensors", "vip_nano.0.safetensors", "vip_nano.1.pt"])
def test_a_file_of_another_name_is_refused(tmp_path, name):
    with pytest.raises(ChoiceError, match=r"is no MODEL\.SEED\.safetensors"):
        named(tmp_path / name)


def test_the_weights_that_ship_measured_as_another_training_score_as_they_do(tmp_path, monkeypatch):
    file = tmp_path / "fasternet_nano.1.safetensors"
    copy(ASSETS / "weights" / "fasternet_nano.safetensors", file)
    monkeypatch.setattr(again, "PROTOCOLS", ("planted",))
    monkeypatch.setattr(again, "METHODS", ("saliency", "grad_cam"))
    measure(tmp_path, [file], minutes=5)
    path = tmp_path / "trainings.json"
    write(tmp_path, [file], path)
    monkeypatch.setattr(again, "PATH", path)
    found = trainings.__wrapped__()
    assert set(found) == {SHIPPED, "1"}
    by_seed = [{one.method: one.found.value for one in rows} for rows in found.values()]
    assert by_seed[0] == pytest.approx(by_seed[1], abs=0.002)
    assert spread(found, "planted", "fasternet_nano").trainings < 0.002
    assert json.loads(path.read_text("utf-8"))["checkpoints"].keys() == {"fasternet_nano/1"}


def test_what_ships_is_of_three_trainings_by_the_same_protocols_and_is_small():
    found = trainings()
    assert len(found) == 3
    keys = {seed: {(one.protocol, one.model, one.method) for one in rows} for seed, rows in found.items()}
    assert keys[SHIPPED] == set.union(*keys.values())
    assert {method for _, _, method in keys[SHIPPED]} <= set(METHODS)
    assert set(found[SHIPPED]) <= set(shipped())
    assert PATH.stat().st_size < 100_000


def test_where_the_file_is_missing_it_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(again, "PATH", tmp_path / "none.json")
    with pytest.raises(ChoiceError, match="missing or damaged"):
        trainings.__wrapped__()
