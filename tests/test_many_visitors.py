"""Many visitors at one model get what each would get alone, bit for bit."""

import random
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from PIL import Image

from explorer.attribution.options import Options
from explorer.capture import run
from explorer.explorer import Explorer
from explorer.reweighting.branch_weights import branch_weights
from explorer.reweighting.interventions import Without
from models import scenes
from tests.forgetful import Forgetful

METHODS = (
    *("saliency", "input_x_gradient", "integrated_gradients", "smooth_grad", "var_grad", "gradient_shap"),
    *("grad_cam", "layer_cam", "score_cam", "feature_ablation", "kernel_shap", "lime", "random", "edges"),
)
LIGHT = Options(steps=6, samples=4, segments=9, draws=24, channels=8)
PICTURES = [Image.fromarray(scenes.draw(seed, 96).picture) for seed in range(4)]
VISITORS, REQUESTS = 4, 100


def forgetful() -> Explorer:
    """An Explorer that remembers nothing, so that every request is computed."""
    return Explorer(device="cpu", cache=Forgetful())


def answer(explorer: Explorer, request: tuple) -> np.ndarray:
    kind, picture, method, target = request
    if kind == "changed":
        blocks = branch_weights(explorer.inspect("vip_nano", PICTURES[picture], "scenes"))
        change = [Without(blocks[target % len(blocks)].block, "width")]
        return explorer.inspect("vip_nano", PICTURES[picture], "scenes", interventions=change).logits.numpy()
    if kind == "looked":
        return explorer.inspect("vip_nano", PICTURES[picture], "scenes").logits.numpy()
    *_, found = explorer.attribute(
        "vip_nano", PICTURES[picture], "scenes", method=method, target=target, options=LIGHT
    )
    return found.values


@pytest.fixture(scope="module")
def requests():
    dice = random.Random(0)
    kinds = ["explained"] * 8 + ["changed", "looked"]
    return [
        (dice.choice(kinds), dice.randrange(len(PICTURES)), dice.choice(METHODS), dice.randrange(12))
        for _ in range(REQUESTS)
    ]


def test_four_at_once_get_what_each_gets_alone(requests):
    alone = forgetful()
    expected = [answer(alone, request) for request in requests]
    together = forgetful()
    with ThreadPoolExecutor(VISITORS) as visitors:
        found = list(visitors.map(lambda request: answer(together, request), requests))
    for request, one, other in zip(requests, expected, found, strict=True):
        assert np.array_equal(one, other), request


def test_whoever_leaves_or_fails_leaves_nothing(requests):
    explorer = forgetful()
    loaded = explorer.load("vip_nano", "scenes")
    image, _ = explorer.image("vip_nano", PICTURES[0], "scenes")
    before = run(loaded.model, image).logits

    def leave(request: tuple) -> None:
        _, picture, method, target = request
        parts = explorer.attribute(
            "vip_nano", PICTURES[picture], "scenes", method=method, target=target, options=LIGHT
        )
        next(parts)
        parts.close()

    with ThreadPoolExecutor(VISITORS) as visitors:
        list(visitors.map(leave, requests[:40]))
    assert not loaded.lock.locked()
    assert not any(module._forward_hooks or module._backward_hooks for module in loaded.model.modules())
    assert torch.equal(run(loaded.model, image).logits, before)
