"""The pictures behind a number: those it is the mean of, the worst first."""

import io

import numpy as np
import pytest

from explorer.attribution.benchmark.behind import behind
from explorer.attribution.benchmark.protocols import Examined
from explorer.attribution.benchmark.shipped import asked_of, shipped
from explorer.errors import ChoiceError
from explorer.explorer import Explorer
from explorer.figures.outline import DARK, LIGHT, outlined
from explorer.ui.tabs.attribution.behind import asked, save


@pytest.fixture(scope="module")
def loaded():
    return Explorer().load("fasternet_nano", "scenes")


@pytest.mark.parametrize("protocol", ["planted", "target_sensitivity"])
def test_a_shipped_number_is_the_mean_of_the_scores_behind_it(loaded, protocol):
    *_, found = behind(Examined(loaded, asked_of(protocol)), protocol, "grad_cam")
    scores = [one.score for one in found]
    assert scores == sorted(scores)
    (told,) = (
        one.found
        for one in shipped()
        if (one.protocol, one.model, one.source, one.method)
        == (protocol, "fasternet_nano", "scenes", "grad_cam")
    )
    assert np.mean(scores) == pytest.approx(told.value, abs=0.002)
    for one in found:
        assert len(one.maps) == len(one.trial.questions) == len(one.trial.truth)
        for question, places in zip(one.trial.questions, one.trial.truth, strict=True):
            assert places.shape == question.image.shape[-2:]


def test_the_scores_and_the_maps_at_both_ends_are_saved():
    file, name = save(Explorer(), None, "npz", protocol="by_hand", cell="grad_cam/fasternet_nano")
    assert name == "grad_cam_fasternet_nano_by_hand.npz"
    with np.load(io.BytesIO(file({}, False))) as kept:
        assert kept["scores"].shape == (asked_of("by_hand"),)
        assert kept["worst_0"].shape == kept["best_0"].shape


def test_what_is_no_method_or_protocol_or_does_not_ship_is_refused(loaded):
    with pytest.raises(ChoiceError):
        next(behind(Examined(loaded, 1), "planted", "guess"))
    with pytest.raises(ChoiceError):
        next(behind(Examined(loaded, 1), "guess", "saliency"))
    with pytest.raises(ChoiceError, match="does not ship"):
        asked(Explorer(), "difull-photographs", "saliency/fasternet_nano")


def test_a_line_is_drawn_just_inside_places_and_one_around_them():
    pixels = np.full((6, 6, 3), 100, np.uint8)
    places = np.zeros((6, 6), bool)
    places[1:4, 1:4] = True
    drawn = outlined(pixels, places)
    inside = [(drawn[row, column] == LIGHT).all() for row, column in ((1, 1), (1, 2), (3, 3))]
    around = [(drawn[row, column] == DARK).all() for row, column in ((0, 2), (4, 1), (2, 4))]
    untouched = [(drawn[row, column] == 100).all() for row, column in ((2, 2), (5, 5), (0, 0))]
    assert all(inside + around + untouched)
    assert (pixels == 100).all()
    assert (outlined(pixels, ~np.zeros((6, 6), bool)) == 100).all()
