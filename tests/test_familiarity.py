"""Whether a picture is like those a model knows: definitions, and pictures of both kinds."""

import numpy as np
import pytest
from PIL import Image
from scipy.spatial.distance import mahalanobis
from scipy.stats import mannwhitneyu

from explorer.familiarity import reference
from explorer.familiarity.distance import RIDGE, familiar, separated
from explorer.familiarity.reference import FOLDER, shipped
from models import card, list_models, scenes
from models.registry import ASSETS

NANOS = [name for name in list_models() if "scenes" in card(name).weights]


def test_the_distance_is_mahalanobis_to_the_nearest_class():
    """Against SciPy's, with the covariance within the classes."""
    random = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], 40)
    known = random.normal(size=(120, 5)) @ random.normal(size=(5, 5)) + 3 * labels[:, None]
    within = np.concatenate([known[labels == label] - known[labels == label].mean(0) for label in range(3)])
    covariance = within.T @ within / 120
    precision = np.linalg.inv(covariance + RIDGE * np.trace(covariance) / 5 * np.eye(5))
    picture = random.normal(size=5)
    expected = min(mahalanobis(picture, known[labels == label].mean(0), precision) ** 2 for label in range(3))
    assert familiar(known, labels).distances(picture[None])[0] == pytest.approx(expected)


def test_the_area_is_how_often_a_foreign_picture_lies_farther():
    random = np.random.default_rng(1)
    known, foreign = random.integers(0, 9, 50), random.integers(4, 12, 70)
    expected = mannwhitneyu(foreign, known).statistic / (50 * 70)
    assert separated(known, foreign) == pytest.approx(expected)


@pytest.mark.parametrize("name", NANOS)
def test_every_nano_knows_scenes_and_most_know_no_photograph(explorer, name):
    """Held-out scenes beyond the threshold are as rare as promised; the share of photographs is as told."""
    seeds = range(1_500, 1_540)  # not among those the threshold was set on
    drawn = [Image.fromarray(scenes.draw(seed, 64).picture) for seed in seeds]
    found = [explorer.familiarity(name, picture, "scenes") for picture in drawn]
    assert sum(not one.is_familiar for one in found) <= 7  # of 40; 2 expected, more than 7 once in 1,000
    with np.load(FOLDER / f"{name}.scenes.npz") as told:
        assert found[0].detected == told["detected"] > 0.4
        assert told["photographs"] > 400
    photographs = [explorer.familiarity(name, path, "scenes") for path in PHOTOGRAPHS]
    assert np.mean([one.distance for one in photographs]) > np.mean([one.distance for one in found])


PHOTOGRAPHS = sorted((ASSETS / "examples" / "photographs").glob("*.jpg"))


def test_a_damaged_file_says_nothing(tmp_path, monkeypatch):
    """As of typical shares: the page goes on without it."""
    whole = (FOLDER / "vip_nano.scenes.npz").read_bytes()
    (tmp_path / "vip_nano.scenes.npz").write_bytes(whole[: len(whole) // 2])
    monkeypatch.setattr(reference, "FOLDER", tmp_path)
    assert shipped.__wrapped__("vip_nano", "scenes") is None


def test_of_other_weights_nothing_is_said(explorer, star):
    assert explorer.familiarity("vip_nano", star, "random") is None
    assert shipped("fasternet_nano@96", "scenes") is None
