"""Visitors at once each get their own tensors; what is remembered is bounded; mistakes get sentences."""

import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from explorer.attribution.options import Options
from explorer.engine import engine, picture_store
from explorer.engine.cache import Cache, bytes_of
from explorer.engine.device import choose_device, choose_threads, cores
from explorer.errors import ChoiceError, ExplorerError, NoPictureError
from explorer.explorer import Explorer
from explorer.pictures import open_picture, to_image
from models import create, registry
from models.probe import Kind
from tests.forgetful import Forgetful

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
    explorer = Explorer(device="cpu", cache=Forgetful())
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
    assert not explorer.remembered.attribution_of("vip_nano", star, "random", **asked)
    *_, first = explorer.attribute("vip_nano", star, "random", **asked)
    (again,) = explorer.attribute("vip_nano", star, "random", **asked)
    assert again is first
    assert explorer.remembered.attribution_of("vip_nano", star, "random", **asked)


def test_a_stopped_attribution_is_not_remembered_and_frees_the_model(explorer, star):
    asked = {"method": "smooth_grad", "target": 4, "options": Options(samples=100)}
    parts = explorer.attribute("vip_nano", star, "random", **asked)
    next(parts)
    parts.close()
    assert not explorer.remembered.attribution_of("vip_nano", star, "random", **asked)
    assert not explorer.load("vip_nano", "random").lock.locked()


def test_another_visitor_is_served_between_two_parts(explorer, star, pictures):
    parts = explorer.attribute("vip_nano", star, "random", method="smooth_grad", target=5)
    next(parts)
    assert explorer.inspect("vip_nano", pictures[0], "random").logits.shape == (1, 12)
    parts.close()


def test_memory_is_bounded_and_keeps_what_was_used_last():
    value = np.zeros(1000, np.uint8)
    cache = Cache(3 * bytes_of(value) - 1)
    for key in "abc":
        cache.keep(key, value)
        cache.get("a")
    assert cache.keys() == ["c", "a"]
    assert cache.bytes == 2 * bytes_of(value)
    large = np.zeros(10_000, np.uint8)
    assert cache.keep("d", large) is large
    assert cache.keys() == ["d"]


def test_the_budget_grows_with_the_largest_so_that_a_large_model_is_remembered_beside_its_passes():
    large, small = np.zeros(10_000, np.uint8), np.zeros(1_000, np.uint8)
    cache = Cache(2_000, largest=2)
    cache.keep("model", large)
    for key in range(20):
        cache.keep(key, small)
        assert cache.get("model") is large
        assert cache.bytes <= 2 * bytes_of(large)
    cache.forget("model")
    cache.keep("another", small)
    assert cache.bytes <= 2 * bytes_of(small)


def test_what_is_remembered_is_counted_by_what_it_holds(explorer, star):
    run = explorer.inspect("vip_nano", star, "random")
    values = [one.value for one in run.activations.values()]
    storages = {one.data_ptr(): one.nbytes() for one in (value.untyped_storage() for value in values)}
    branches = sum(one.value.nbytes for one in run.of(Kind.BRANCHES))  # as the model made them, apart
    assert bytes_of(run) == sum(storages.values()) + branches
    assert bytes_of(explorer.load("vip_nano", "random")) == 4 * 856_684
    assert bytes_of(Image.new("RGB", (100, 50))) >= 3 * 100 * 50
    assert bytes_of({"a": (np.zeros(500), torch.zeros(500))}) >= 500 * 8 + 500 * 4


def test_one_budget_bounds_models_pictures_and_answers_together(pictures, star):
    budget = 20_000_000
    explorer = Explorer(device="cpu", cache=Cache(budget))
    for picture in (*pictures, star):
        for model in ("vip_nano", "mixer_nano"):
            explorer.inspect(model, picture, "random")
            assert explorer.engine.cache.bytes <= budget
    assert len(explorer.engine.cache) > 1


def test_an_answer_is_computed_once_however_many_ask_at_once():
    cache, calls = Cache(1000), []

    def compute():
        time.sleep(0.05)
        calls.append(1)
        return "answer"

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: cache.once("key", compute), range(8))) == {"answer"}
    assert len(calls) == 1


def test_an_upload_is_decoded_and_prepared_once(monkeypatch, tmp_path):
    decoded, prepared = [], []
    monkeypatch.setattr(picture_store, "open_picture", lambda s: decoded.append(1) or open_picture(s))
    monkeypatch.setattr(engine, "to_image", lambda *a: prepared.append(1) or to_image(*a))
    Image.new("RGB", (300, 200), "red").save(tmp_path / "one.png")
    (tmp_path / "two.png").write_bytes((tmp_path / "one.png").read_bytes())
    explorer = Explorer(device="cpu")
    for path in (tmp_path / "one.png", str(tmp_path / "two.png"), (tmp_path / "one.png").read_bytes()):
        explorer.inspect("vip_nano", path)
        explorer.predict("vip_nano", path)
        list(explorer.attribute("vip_nano", path, method="saliency"))
        explorer.cropped("vip_nano", path)
        list(explorer.knock_out("vip_nano", path))
    assert len(decoded) == len(prepared) == 1


def test_what_a_checkpoint_wants_to_see_is_read_out_of_it_once(monkeypatch, tmp_path, star):
    save_file(create("mobilevit_nano", seed=8).state_dict(), tmp_path / "mine.safetensors")
    explorer, read = Explorer(device="cpu"), []
    asked = "mobilevit_nano", star, str(tmp_path / "mine.safetensors")
    explorer.inspect(*asked)
    monkeypatch.setattr(registry, "read", lambda path: read.append(path))
    explorer.inspect(*asked)
    explorer.cropped(*asked)
    assert read == []


def test_a_file_that_changes_under_its_name_is_another_picture(tmp_path, explorer):
    path = tmp_path / "mine.bmp"
    found = []
    for colour in ("red", "blue", "red"):
        Image.new("RGB", (64, 64), colour).save(path)  # of the same size, within a moment
        found.append(explorer.digest(path))
    assert found[0] != found[1]
    assert found[0] == found[2]


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


def test_a_rival_class_that_is_not_there_is_told(explorer, star):
    for ask in (explorer.attribute, explorer.score_card):
        with pytest.raises(ChoiceError, match="there is no class 99"):
            next(ask("vip_nano", star, "scenes", method="saliency", options=Options(against=99)))


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


@pytest.mark.parametrize("device", ["banana", "mps", "cuda:99", "", "meta", "CPU"])
def test_a_device_that_is_not_there_is_refused_in_one_sentence(device):
    with pytest.raises(ChoiceError, match=re.escape(f"no device {device!r} here; there is cpu")):
        Explorer(device=device)


def test_the_app_refuses_a_device_that_is_not_there():
    command = [sys.executable, "app.py", "--device", "banana"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 2
    assert done.stderr.strip().startswith("There is no device 'banana' here")
    assert "Traceback" not in done.stderr


def test_products_keep_all_their_bits(explorer):
    assert explorer.device == torch.device("cpu")
    assert not torch.backends.cuda.matmul.allow_tf32
    assert not torch.backends.cudnn.allow_tf32
