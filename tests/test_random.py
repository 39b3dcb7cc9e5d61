"""What one thread draws does not depend on what another draws at the same time."""

import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from explorer import Explorer, Options
from explorer.attribution.faithfulness import losing
from models import create
from models.blocks import create_block
from models.random_state import RandomStream, seeded
from tests.forgetful import Forgetful

NOISY = ("smooth_grad", "var_grad", "gradient_shap", "kernel_shap", "shapley_sampling")
ROUNDS = 12


@pytest.fixture(autouse=True)
def eager_threads():
    """Threads change places a thousand times as often as usual, so that what can be mixed up is."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(5e-6)
    yield
    sys.setswitchinterval(usual)


def parameters(model) -> torch.Tensor:
    return torch.cat([one.detach().flatten() for one in model.parameters()])


def built(seed: int) -> torch.Tensor:
    return torch.cat(
        [
            parameters(create("vip_nano", seed=seed)),
            parameters(create_block("WeightedPermuteMLP", seed=seed, dim=64, seg_dim=8)),
        ]
    )


def test_models_and_maps_made_at_once_are_those_made_alone(star):
    explorer = Explorer(device="cpu", cache=Forgetful())
    model = explorer.load("mixer_nano", "scenes").model
    options = Options(samples=4, segments=9, draws=24, orders=1, seed=3)

    def mapped(method: str) -> np.ndarray:
        *_, found = explorer.attribute("vip_nano", star, "scenes", method=method, target=3, options=options)
        return found.values

    def randomised(_: int) -> torch.Tensor:
        return torch.cat([parameters(one) for one in losing(model)])

    work = [(built, seed) for seed in range(ROUNDS)]
    work += [(mapped, method) for method in NOISY] * 2 + [(randomised, 0)] * 4
    alone = [ask(given) for ask, given in work]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda item: item[0](item[1]), work))
    for (ask, given), one, other in zip(work, alone, together, strict=True):
        assert np.array_equal(one, other), (ask.__name__, given)


def draw_and_stop() -> None:
    with seeded(1):
        torch.rand(7)
        np.random.rand(7)  # noqa: NPY002
        raise ValueError("stops")


def test_the_shared_generators_are_left_as_they_were():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    np.random.seed(5)  # noqa: NPY002
    numpy_expected = np.random.rand(3)  # noqa: NPY002
    torch.manual_seed(5)
    np.random.seed(5)  # noqa: NPY002
    with pytest.raises(ValueError, match="stops"):
        draw_and_stop()
    assert torch.equal(torch.rand(3), expected)
    assert np.array_equal(np.random.rand(3), numpy_expected)  # noqa: NPY002


def test_a_stream_goes_on_where_it_was_left():
    stream, whole = RandomStream(4), RandomStream(4)
    with whole.drawing():
        expected = torch.rand(4)
    with stream.drawing():
        first = torch.rand(2)
    torch.rand(9)
    with stream.drawing():
        second = torch.rand(2)
    assert torch.equal(torch.cat([first, second]), expected)
