"""Suppressors: what a model takes off tells nothing of the class by itself; maps are held against that."""

import numpy as np
import pytest
import torch

from explorer.attribution.baselines import baseline_of
from explorer.attribution.benchmark.by_hand import PATCH, PLACES, SEEN, in_pixels
from explorer.attribution.benchmark.measure import trials_of
from explorer.attribution.benchmark.protocols import Examined
from explorer.attribution.benchmark.staged import render, stage
from explorer.attribution.benchmark.suppressed import (
    BEHIND,
    STRENGTH,
    TAKEN_OFF,
    field,
    laid_over,
    picture,
    taken_off,
)
from explorer.attribution.benchmark.trials import explaining
from explorer.attribution.options import Options

EXACT = Options(steps=4, cells=PLACES, segments=PLACES**2, orders=1)
PICTURES = range(300)


@pytest.fixture(params=TAKEN_OFF)
def written(request):
    return TAKEN_OFF[request.param]


def brightness(one, image: torch.Tensor) -> tuple[float, float]:
    """The mean brightness of the object, and of what is taken off."""
    grey = image[0].mean(dim=0).numpy()
    return float(grey[in_pixels(one.object)].mean()), float(grey[in_pixels(one.suppressor)].mean())


def test_neither_place_tells_the_class_alone_and_both_together_do(written):
    drawn = [picture(written, seed) for seed in PICTURES]
    labels = np.array([label for _, label in drawn])
    seen = np.array([brightness(written, image) for image, _ in drawn])
    assert abs(np.corrcoef(seen[:, 1], labels)[0, 1]) < 0.15  # the suppressor tells nothing of the class
    assert np.corrcoef(seen.T)[0, 1] > 0.9  # but lies on the object as well
    assert ((seen[:, 0] > 0) == labels).mean() < 0.75
    network = written.network()
    told = np.array([float(network(image)[0, 1]) > 0 for image, _ in drawn[:40]])
    assert (told == labels[:40]).all()


def test_the_logit_is_the_object_less_what_is_taken_off_and_maps_follow_it(written):
    """The closed form: a weight as large on the suppressor as on the object, of the other sign."""
    image, _ = picture(written, 3)
    weight = (written.object.astype(float) - written.suppressor) / PATCH**2
    change = (image - baseline_of(image, SEEN, "black"))[0].mean(dim=0).numpy()
    truth = change * np.kron(weight, np.ones((PATCH, PATCH)))
    network = written.network()
    with torch.no_grad():
        logit = float(network(image)[0, 1])
    here, behind = brightness(written, image)
    assert logit == pytest.approx(written.object.sum() * (here - behind), abs=1e-4)
    for method in ("integrated_gradients", "deep_lift"):
        values = explaining(method, SEEN, EXACT)(network, image, 1)
        assert np.abs(values - truth).max() < 2e-3 * np.abs(truth).max()
    on = explaining("saliency", SEEN, EXACT)(network, image, 1)
    assert on[in_pixels(written.object)].sum() == pytest.approx(on.sum() / 2, rel=1e-3)


def test_without_what_it_takes_off_the_network_is_wrong_as_often_as_who_sees_the_object_alone(written):
    network, wrong, alone = written.network(), [], []
    for seed in PICTURES[:60]:
        image, label = picture(written, seed)
        covered = torch.where(torch.from_numpy(in_pixels(written.suppressor)), torch.zeros(()), image)
        wrong.append((float(network(covered)[0, 1]) > 0) != label)
        alone.append((brightness(written, image)[0] > 0) != label)
    assert wrong == alone
    assert np.mean(wrong) > 0.2


def test_a_trial_scores_what_lies_on_the_object():
    trial = next(iter(taken_off("FasterNet", 1)))
    one = TAKEN_OFF["FasterNet"]
    assert trial.scored([one.object.astype(float)]) == 1
    assert trial.scored([-(one.object | one.suppressor).astype(float)]) == pytest.approx(0.5)


def test_a_field_is_smooth_as_strong_as_it_says_and_the_same_whatever_the_class():
    made = field(5, 64)
    assert made.std() == pytest.approx(STRENGTH)
    assert np.corrcoef(made[:, :-1].ravel(), made[:, 1:].ravel())[0, 1] > 0.95
    one = stage(2)
    darker = laid_over(one, 64).astype(float) - render(one, 64).picture
    inside = (render(one, 64).picture > 60).all(axis=2) & (render(one, 64).picture < 195).all(axis=2)
    np.testing.assert_allclose(darker[inside].mean(axis=1), 255 * field(one.noise, 64)[inside], atol=1)
    assert BEHIND > STRENGTH


def test_without_the_field_the_object_keeps_it_and_nothing_else_does():
    one = stage(2)
    plain, mask = render(one, 64).picture, render(one, 64).mask
    kept = laid_over(one, 64, where=mask)
    np.testing.assert_array_equal(kept[mask], laid_over(one, 64)[mask])
    np.testing.assert_allclose(kept[~mask].astype(int), plain[~mask], atol=1)


def test_on_scenes_the_score_is_nearest_to_one_where_the_share_is_the_true_one(explorer):
    (trial,) = trials_of(Examined(explorer.load("fasternet_nano", "scenes"), 1), "suppressor")
    mask = trial.truth[0]
    scores = [
        trial.scored([np.where(mask, 1 - share, -share)]) for share in np.linspace(0, 1, 11)
    ]  # the sign does not count
    assert max(scores) > 0.94
    assert np.ptp(scores) > 0.4
    peak = int(np.argmax(scores))
    assert (np.diff(scores[: peak + 1]) > 0).all()
    assert (np.diff(scores[peak:]) < 0).all()
