"""One command makes all that belongs to new weights, and finds them by the names of their files."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from explorer.after_training import is_complete, make, told_path, trained_here
from explorer.familiarity import reference
from explorer.familiarity.measure import Pictures
from explorer.familiarity.pictures import Labelled, drawn
from explorer.reweighting import reference_shares
from models import card, list_models
from models.checkpoint_facts import is_of
from models.checkpoint_table import readme
from models.photograph_table import foreign, of_all, of_photographs
from models.registry import ASSETS


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """What is made goes to folders of this test, and nothing is remembered of it."""
    monkeypatch.setattr(reference, "FOLDER", tmp_path / "familiar")
    monkeypatch.setattr(reference_shares, "FOLDER", tmp_path / "typical")
    monkeypatch.setattr(reference, "shipped", reference.shipped.__wrapped__)
    return tmp_path


def seen_as(pixels: np.ndarray) -> Labelled:
    return Labelled(pixels, Image.fromarray, np.zeros(len(pixels)))


def test_every_file_of_weights_is_found_by_its_name():
    lying = {path.name.removesuffix(".safetensors") for path in (ASSETS / "weights").glob("*_nano*")}
    found = {name if weights == "scenes" else f"{name}.{weights}" for name, weights in trained_here()}
    assert found == lying
    assert {name for name in list_models() if "cifar10" in card(name).weights} <= {
        name for name, _ in trained_here()
    }


def test_all_that_belongs_to_weights_is_made_at_once(elsewhere):
    noise = np.random.default_rng(0).integers(0, 255, (6, 64, 64, 3), dtype=np.uint8)
    pictures = Pictures(
        drawn(range(60), 64),
        drawn(range(1_000, 1_020), 64),
        {"photographs": seen_as(noise)},
    )
    assert not is_complete("vip_nano", "scenes")
    told = make("vip_nano", "scenes", SimpleNamespace(of=lambda _: pictures))
    assert is_complete("vip_nano", "scenes")
    shares = reference_shares.shipped.__wrapped__("vip_nano", "scenes")
    assert (shares[0].pictures, shares[0].source) == (20, "scenes")
    assert reference.shipped("vip_nano", "scenes").by == told["score"]
    assert json.loads(told_path("vip_nano", "scenes").read_text()) == json.loads(json.dumps(told))
    assert is_of(told, ASSETS / "weights")
    assert not is_of({**told, "checkpoint": "of another file"}, ASSETS / "weights")
    other = told_path("vip_nano", "scenes")
    other.write_text(other.read_text().replace(told["checkpoint"], "of another file"))
    assert not is_complete("vip_nano", "scenes")


def test_without_split_attention_there_are_no_typical_shares(elsewhere):
    noise = np.random.default_rng(0).integers(0, 255, (6, 64, 64, 3), dtype=np.uint8)
    pictures = Pictures(drawn(range(60), 64), drawn(range(60, 80), 64), {"photographs": seen_as(noise)})
    make("fasternet_nano", "scenes", SimpleNamespace(of=lambda _: pictures))
    assert not (elsewhere / "typical").exists()


def test_the_tables_tell_what_was_measured():
    told = {
        "name": "vip_nano",
        "weights": "cifar10",
        "score": "energy",
        "areas": {"photographs": {"distance": 0.5, "energy": 0.91234, "probability": 0.6}},
        "curves": {"photographs": [0.1, 0.2, 0.3, 0.4, 0.987]},
        "false_alarms": [0.01, 0.02, 0.05, 0.1, 0.2],
        "pictures": {"photographs": 1_234},
        "right": [0, 0, 0, 3, 0, 5, 0, 0, 0, 0],
        "of": [0, 0, 0, 4, 0, 8, 0, 0, 0, 0],
    }
    assert of_all(told) == "66.7% of 12"
    assert of_all(None) == "–"
    assert of_photographs([told]).splitlines()[2:] == ["| cat | 3 of 4 |", "| dog | 5 of 8 |"]
    table = foreign([told])
    assert "| vip_nano | cifar10 | 1,234 photographs | 0.5000 | 0.9123 | 0.6000 | energy |" in table
    assert "98.7%" in table
    assert foreign([]) == ""


def test_the_readme_of_the_weights_is_what_the_command_writes():
    """Where `explorer.after_training` has been run since the last file came."""
    path = ASSETS / "weights" / "README.md"
    whole = all(is_complete(*one) for one in trained_here())
    assert (path.read_text("utf-8") == readme(ASSETS / "weights")) or not whole
