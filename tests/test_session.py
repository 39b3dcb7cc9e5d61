"""Visitors at once each get their own tensors; what is remembered is bounded; mistakes get sentences."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from explorer.attribution.methods.case import Options
from explorer.engine.cache import Remembered
from explorer.engine.device import choose_device, choose_threads, cores
from explorer.errors import ChoiceError, ExplorerError, NoPictureError
from explorer.explorer import Explorer
from models import create
from models.probe import Kind

COLOURS = ("red", "blue")


@pytest.fixture
def pictures():
    return [Image.new("RGB", (64, 64), colour) for colour in COLOURS]


def test_the_time_told_of_a_pass_is_that_of_a_warm_model(pictures):
    explorer = Explorer(device="cpu")
    first = explorer.inspect("vip_nano", pictures[0], "random").seconds
    told = explorer.pass_seconds("vip_nano", pictures[0], "random")
    assert 0 < told <= first
    assert explorer.pass_seconds("vip_nano", pictures[0], "random") == told


def test_concurrent_visitors_do_not_see_each_other(pictures):
    explorer = Explorer(device="cpu", runs_bytes=1)  # nothing is remembered, everything runs
    alone = [explorer.inspect("vip_nano", picture, "random") for picture in pictures]
    with ThreadPoolExecutor(4) as pool:
        together = list(
            pool.map(lambda i: explorer.inspect("vip_nano", pictures[i % 2], "random"), range(40))
        )
    for i, found in enumerate(together):
        for name, activation in found.activations.items():
            assert torch.equal(activation.value, alone[i % 2].activations[name].value), name


def test_concurrent_attributions_equal_those_of_a_lone_visitor(pictures, star):
    """Mixed methods, one of them with random numbers, on one model at the same time."""
    asked = [
        (picture, method)
        for picture in (*pictures, star)
        for method in ("saliency", "grad_cam", "smooth_grad", "gradient_shap")
    ]

    def answer(explorer, picture, method):
        *_, found = explorer.attribute(
            "vip_nano", picture, "random", method=method, target=1, options=Options(samples=10)
        )
        return found.values

    lone = Explorer(device="cpu")
    alone = [answer(lone, *question) for question in asked]
    shared = Explorer(device="cpu")
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda question: answer(shared, *question), asked))
    for expected, found in zip(alone, together, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_a_remembered_run_is_returned_at_once(explorer, star):
    assert explorer.inspect("vip_nano", star, "random") is explorer.inspect("vip_nano", star, "random")


def test_a_remembered_attribution_is_returned_whole_at_once(explorer, star):
    asked = {"method": "integrated_gradients", "target": 3, "options": Options(steps=20)}
    assert not explorer.remembers("vip_nano", star, "random", **asked)
    *_, first = explorer.attribute("vip_nano", star, "random", **asked)
    (again,) = explorer.attribute("vip_nano", star, "random", **asked)
    assert again is first
    assert explorer.remembers("vip_nano", star, "random", **asked)


def test_a_stopped_attribution_is_not_remembered_and_frees_the_model(explorer, star):
    asked = {"method": "smooth_grad", "target": 4}
    parts = explorer.attribute("vip_nano", star, "random", **asked)
    next(parts)
    parts.close()
    assert not explorer.remembers("vip_nano", star, "random", **asked)
    assert not explorer.load("vip_nano", "random").lock.locked()


def test_another_visitor_is_served_between_two_parts(explorer, star, pictures):
    parts = explorer.attribute("vip_nano", star, "random", method="smooth_grad", target=5)
    next(parts)
    assert explorer.inspect("vip_nano", pictures[0], "random").logits.shape == (1, 12)
    parts.close()


def test_memory_is_bounded_and_keeps_what_was_used_last():
    memory = Remembered(10, len)
    for key in "abc":
        memory.keep(key, "....")
        memory.get("a")
    assert list(memory.values) == ["c", "a"]
    assert memory.keep("d", "." * 99) == "." * 99
    assert list(memory.values) == ["d"]


def test_runs_are_bounded_by_their_bytes(pictures):
    explorer = Explorer(device="cpu", runs_bytes=1)
    for picture in pictures:
        explorer.inspect("vip_nano", picture, "random")
    assert len(explorer._runs.values) == 1


def test_the_same_weights_file_is_loaded_once(tmp_path, star):
    save_file(create("vip_nano", seed=8).state_dict(), tmp_path / "mine.safetensors")
    explorer = Explorer(device="cpu")
    one = explorer.load("vip_nano", tmp_path / "mine.safetensors")
    assert one is explorer.load("vip_nano", str(tmp_path / "mine.safetensors"))
    assert one.is_trained
    assert not explorer.load("vip_nano", "random").is_trained


def test_an_untrained_attribution_says_so(explorer, star):
    *_, found = explorer.attribute("vip_nano", star, "random", method="saliency")
    assert "weights are random" in found.warning
    *_, found = explorer.attribute("vip_nano", star, "scenes", method="saliency")
    assert found.warning is None


def test_layers_are_found_by_kind(explorer):
    blocks = explorer.layers("vip_nano", Kind.BRANCH_WEIGHTS, "random")
    assert len(blocks) == 6
    assert blocks[0] == "stages.0.blocks.0.token_mixing.branch_weights"


def saliency(explorer, picture, target):
    return explorer.attribute("vip_nano", picture, method="saliency", target=target)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda e, p: e.inspect("vip_x", p), ChoiceError, "no model 'vip_x'; the models are"),
        (lambda e, p: e.inspect("vip_nano", None), NoPictureError, "Choose one of the examples"),
        (lambda e, p: e.inspect("vip_s14", p), ChoiceError, "comes without trained weights"),
        (lambda e, p: e.inspect("vip_nano", p, "imagenet"), ChoiceError, "no weights called 'imagenet'"),
        (lambda e, p: e.inspect("vip_nano", p, "gone.pth"), ChoiceError, "no file gone.pth"),
        (
            lambda e, p: list(e.attribute("vip_nano", p, method="saliency", target=12)),
            ChoiceError,
            "no class 12",
        ),
        (
            lambda e, p: list(e.attribute("vip_nano", p, method="saliency", target=-2)),
            ChoiceError,
            "no class -2",
        ),
    ],
)
def test_a_mistake_gets_one_sentence_and_loses_nothing(explorer, star, call, error, message):
    before = explorer.inspect("vip_nano", star)
    with pytest.raises(error, match=message) as refused:
        call(explorer, star)
    assert isinstance(refused.value, ExplorerError)
    assert explorer.inspect("vip_nano", star) is before


def test_predictions_fall_and_sum_to_at_most_one(explorer, star):
    found = explorer.predict("vip_nano", star, "scenes")
    shares = [one.probability for one in found]
    assert len(found) == 5
    assert shares == sorted(shares, reverse=True)
    assert 0 < sum(shares) <= 1 + 1e-6
    assert found[0].label == "star"


def test_half_the_cores_compute():
    assert 1 <= choose_threads() <= max(1, cores() // 2)
    assert choose_device("cpu") == torch.device("cpu")
    assert choose_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
