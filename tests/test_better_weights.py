"""Which weights are begun with, offered and named, for pictures they know and pictures they do not."""

from copy import deepcopy

import pytest
import torch

from explorer.any_model import adding
from explorer.ui.better_weights import downloads, first_here, knows, offers, suited
from explorer.ui.examples import PHOTOGRAPHS, SCENES
from explorer.ui.model_names import label, offered
from explorer.ui.selection import Selection
from explorer.ui.weights_badge import badge
from explorer.ui.weights_menu import name_of
from models import card, list_models
from models.counted import PATH, counted, megabytes, shipped
from models.registry import Preprocess
from tests.foreign import SIDE, SqueezeExcite, made

CAT, STRIPES = str(PHOTOGRAPHS[0]), str(SCENES[0])
LEARNED = "cifar10" in card("vip_nano").weights


def looking(picture: str, model: str, weights: str) -> Selection:
    return Selection(picture, model, weights, "", None)


def test_weights_are_begun_with_that_know_such_pictures():
    assert first_here("vip_nano", STRIPES) == "scenes"
    assert first_here("vip_nano", CAT) == ("cifar10" if LEARNED else "scenes")
    assert first_here("efficientnet_lite0", STRIPES) == "imagenet"
    assert first_here("vip_s7", CAT) == "random"


@pytest.mark.parametrize(
    ("picture", "model", "weights", "expected"),
    [
        (STRIPES, "vip_nano", "scenes", True),
        (CAT, "vip_nano", "scenes", False),
        (CAT, "efficientnet_lite0", "imagenet", True),
        (STRIPES, "efficientnet_lite0", "imagenet", False),
        (CAT, "fasternet_nano@96", "scenes", None),
        (CAT, "vip_nano", "random", None),
    ],
)
def test_the_badge_is_green_only_where_picture_and_weights_fit(explorer, picture, model, weights, expected):
    selection = looking(picture, model, weights)
    assert knows(explorer, selection) is expected
    assert ("badge good" in badge(explorer, selection)) is (expected is True)


def test_what_knows_a_photograph_is_offered_and_what_knows_a_scene(explorer):
    found = {(one.model, one.weights) for one in offers(explorer, looking(CAT, "vip_nano", "scenes"))}
    assert ("efficientnet_lite0", "imagenet") in found
    assert (("vip_nano", "cifar10") in found) is LEARNED
    (own, *_) = offers(explorer, looking(STRIPES, "efficientnet_lite0", "imagenet"))
    assert (own.model, own.weights) == ("efficientnet_lite_nano", "scenes")


def test_downloads_are_of_the_family_and_tell_what_they_are(explorer):
    found = downloads(explorer, "vip_nano")
    assert [one.model for one in found] == ["vip_s7", "vip_m7", "vip_l7"]
    small = found[0]
    assert (small.classes, small.accuracy, small.licence) == (1_000, 81.5, "non-commercial use")
    assert small.megabytes == pytest.approx(100.5, abs=0.5)
    elsewhere = downloads(explorer, "s2mlp_nano")  # of whose family nothing is published
    assert [one.model for one in elsewhere] == ["mobilevit_xxs", "mobilevit_xs", "fasternet_t0"]


def test_who_has_chosen_nothing_gets_what_suits_the_picture(explorer, star):
    assert suited(explorer, STRIPES) == ("vip_nano", "scenes")
    assert suited(explorer, star) == ("vip_nano", "scenes")
    model, weights = suited(explorer, CAT)
    assert knows(explorer, looking(CAT, model, weights))


def test_the_menus_say_how_large_and_which_weights_are_here():
    assert label("vip_s7") == "vip_s7 · Vision Permutator · 25.11 M · ImageNet to download, 100 MB"
    assert label("vip_s14").endswith(" · no weights")
    assert label("vip_nano").endswith("scenes, CIFAR-10" if LEARNED else "scenes")
    ours = [name for _, name in offered() if name in list_models()]  # whatever other tests added
    assert sorted(ours) == list_models()
    assert ours[0] == "vip_nano"
    assert name_of("vip_s7", "imagenet") == "trained on ImageNet (published, 100 MB)"
    assert name_of("efficientnet_lite0", "imagenet") == "trained on ImageNet (bundled)"


@pytest.mark.parametrize("name", list_models())
def test_sizes_that_ship_are_those_counted(name):
    assert shipped()[name] == counted(name)
    assert megabytes(name) == pytest.approx(
        4e-6 * counted(name)[0], rel=0.03
    )  # norms keep more than parameters


def test_without_the_shipped_sizes_they_are_counted(monkeypatch, tmp_path):
    assert PATH.is_file()
    monkeypatch.setattr("models.counted.PATH", tmp_path / "none.json")
    monkeypatch.setattr("models.counted.shipped", shipped.__wrapped__)
    assert megabytes("vip_nano") == pytest.approx(3.43, abs=0.01)


def test_a_model_that_can_no_more_be_copied_has_its_line_in_the_menu(explorer, monkeypatch):
    lonely = made(SqueezeExcite)
    monkeypatch.setattr(adding, "_ADDED", dict(adding._ADDED))
    explorer.add(lonely, "lonely", Preprocess(size=SIDE))
    lonely.kept = 2 * torch.ones(1, requires_grad=True)  # as a model may keep what it computed
    with pytest.raises(RuntimeError, match="deepcopy"):
        deepcopy(lonely)
    millions = sum(one.numel() for one in lonely.parameters()) / 1e6
    assert label("lonely") == f"lonely · Added · {millions:.2f} M · its own"
