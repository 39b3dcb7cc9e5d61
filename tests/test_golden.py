"""The models are the published ones: logits, every stage and the branch weights agree with the originals."""

import numpy as np
import pytest
import torch

from explorer.capture import Run, run
from models import create
from models.probe import Kind
from tests.golden_data import Golden, golden_tensor

# The original's name of a stage -> our probe of the same tensor.
PLACES = {
    "vip_s7": {
        "patch_embed": "stem.output",
        "network.0": "stages.0.output",
        "network.1": "stages.1.downsample.output",
        "network.2": "stages.1.output",
        "network.3": "stages.2.output",
        "network.4": "stages.3.output",
        "norm": "normed",
    },
    "vip_s14": {
        "patch_embed": "stem.output",
        **{f"network.{stage}": f"stages.{stage}.output" for stage in range(4)},
        "norm": "normed",
    },
}


@pytest.fixture(scope="module", params=PLACES)
def case(request, tmp_path_factory):
    """The golden results of a model, its run in float64 and in float32, and the names of its stages."""
    golden = Golden.read(request.param)
    model = create(request.param, weights=golden.checkpoint(tmp_path_factory.mktemp("golden")))
    single = run(model, golden.image)
    return golden, run(model.double(), golden.image.double()), single, PLACES[request.param]


def as_published(found: Run, place: str, layout: str) -> np.ndarray:
    """A captured map with its axes where the original has them."""
    value = found.activations[place].value
    return (value.movedim(-1, 1) if layout == "patch_embed" else value).numpy()


def test_the_rule_gives_the_documented_numbers():
    np.testing.assert_allclose(
        golden_tensor("head.weight", [1000, 384]).ravel()[:3], [0.07953329, -0.06813496, -0.07803386]
    )


def test_logits_in_float64(case):
    golden, double, _, _ = case
    expected = golden.arrays["logits"]
    assert np.abs(double.logits.numpy() - expected).max() <= 1e-6 * expected.std()


def test_logits_in_float32(case):
    golden, _, single, _ = case
    assert np.abs(single.logits.numpy() - golden.arrays["logits"]).max() <= (
        10 * golden.arrays["fp32_max_abs_diff"]
    )


def test_every_stage(case):
    golden, double, _, places = case
    assert set(golden.text("stage_names")) == set(places)
    for index, stage in enumerate(golden.text("stage_names")):
        value = as_published(double, places[stage], stage)
        std = golden.arrays["stage_std"][index]
        assert value.size == np.prod(golden.text("stage_shapes")[index]), stage
        found = [value.mean(), value.std(), *value.ravel()[:8]]
        expected = [golden.arrays["stage_mean"][index], std, *golden.arrays["stage_first8"][index]]
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6 * std, err_msg=stage)


def test_branch_weights_of_the_first_and_last_block(case):
    golden, double, _, _ = case
    weights = double.of(Kind.BRANCH_WEIGHTS)
    for found, name in ((weights[0], "branch_first"), (weights[-1], "branch_last")):
        expected = torch.from_numpy(golden.arrays[name]).movedim(0, 1)  # published: branches, b, c
        torch.testing.assert_close(found.value.float(), expected, rtol=0, atol=1e-6)
