"""HiResCAM, Grad-CAM++, RISE and Expected Gradients are what their papers write."""

import numpy as np
import pytest
import torch
from einops import reduce
from PIL import Image

from explorer.attribution.baselines import baseline_of
from explorer.attribution.methods.hsic import dependence
from explorer.attribution.methods.rise import KEPT, mask
from explorer.attribution.options import Options
from explorer.attribution.running import attributions
from explorer.capture import hooked, probes
from explorer.pictures import to_image
from models import scenes
from models.probe import Kind
from models.registry import Preprocess
from tests.tiny import TINY

PREPROCESS = Preprocess(size=32, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))
TARGET = 2


class Linear(torch.nn.Module):
    """Logit k is the image times its weights, summed."""

    def __init__(self) -> None:
        super().__init__()
        self.weights = torch.nn.Parameter(
            torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(1))
        )

    def forward(self, image):
        return torch.einsum("bchw,kchw->bk", image, self.weights)


@pytest.fixture
def image():
    return torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def final(model, image, method: str, **options) -> np.ndarray:
    *_, found = attributions(
        model, image, PREPROCESS, method=method, target=TARGET, options=Options(**options)
    )
    return found.values


def seen(model, image):
    """The last map `[h, w, c]`, the gradient of the logit there, and the logit."""
    *_, probe = probes(model, Kind.FEATURE_MAP).values()
    kept = {}

    def keep(_probe, _args, value):
        kept["value"] = value
        value.retain_grad()

    with hooked({probe: keep}):
        logit = model(image.clone().requires_grad_())[0, TARGET]
        logit.backward()
    value, slope = kept["value"], kept["value"].grad
    return *(probe.canonical(one)[0].detach().double().numpy() for one in (value, slope)), logit.item()


def test_hires_cam_weighs_every_value_by_its_gradient(model, image):
    """Draelos and Carin (2020), eq. 4."""
    value, slope, _ = seen(model, image)
    expected = (value * slope).sum(axis=2)
    found = final(model, image, "hires_cam")
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


def test_grad_cam_plus_plus_is_equation_19_with_the_exponential_of_the_logit_as_score(model, image):
    """Chattopadhay et al. (2018): the n-th derivative is exp(logit) times the n-th power."""
    value, slope, logit = seen(model, image)
    score = np.exp(logit)
    first, second, third = score * slope, score * slope**2, score * slope**3
    below = 2 * second + value.sum(axis=(0, 1)) * third
    alpha = np.divide(second, below, out=np.zeros_like(second), where=below != 0)
    weights = (alpha * np.maximum(first, 0)).sum(axis=(0, 1))
    expected = (weights * value).sum(axis=2) / score
    found = final(model, image, "grad_cam_plus_plus")
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4 * np.abs(expected).max())


def test_finer_cam_is_grad_cam_of_the_logit_less_the_mean_of_the_three_nearest(model, image):
    """Zhang et al. (2025): CAM is linear in the logits, so the maps of the classes are subtracted."""
    with torch.no_grad():
        logits = model(image)[0]
    order = sorted(range(len(logits)), key=lambda one: abs(float(logits[one] - logits[TARGET])))
    nearest = [one for one in order if one != TARGET][:3]

    def of(target: int, method: str = "grad_cam", **options) -> np.ndarray:
        *_, found = attributions(
            model, image, PREPROCESS, method=method, target=target, options=Options(**options)
        )
        return found.values

    expected = of(TARGET) - np.mean([of(one) for one in nearest], axis=0)
    found = of(TARGET, "finer_cam")
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * np.abs(expected).max())
    rival = of(TARGET, "finer_cam", against=nearest[1])
    expected = of(TARGET) - of(nearest[1])
    np.testing.assert_allclose(rival, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


def test_rise_is_the_mean_of_its_masks_weighted_by_the_logits_they_leave(image):
    """Petsiuk et al. (2018), eq. 6."""
    model, dice = Linear(), torch.Generator().manual_seed(3)
    masks = torch.cat([mask(dice, image) for _ in range(20)])
    black = baseline_of(image, PREPROCESS, "black")
    with torch.no_grad():
        logits = model(black + masks * (image - black))[:, TARGET]
    expected = (logits[:, None, None] * masks[:, 0]).sum(0) / (20 * KEPT)
    np.testing.assert_allclose(final(model, image, "rise", draws=20, seed=3), expected, rtol=1e-3, atol=1e-3)


def test_hsic_is_the_trace_of_the_centred_kernels(image):
    """Novello et al. (2022): tr(K H L H) / (n - 1)^2, K of whether a cell is the same in two draws."""
    model, dice, count = Linear(), torch.Generator().manual_seed(3), 20
    seen = (torch.rand(count, 7, 7, generator=dice) < 0.5).float()
    black = baseline_of(image, PREPROCESS, "black")
    masks = torch.nn.functional.interpolate(seen[:, None], size=image.shape[-2:], mode="nearest")
    with torch.no_grad():
        logits = model(black + masks * (image - black))[:, TARGET].double().numpy()
    apart = np.abs(logits[:, None] - logits)
    width = np.sort(apart.ravel())[(apart.size - 1) // 2]
    close, centring = np.exp(-(apart**2) / (2 * width**2)), np.eye(count) - 1 / count
    expected = np.zeros((7, 7))
    for row, column in np.ndindex(7, 7):
        cell = seen[:, row, column].numpy()
        same = (cell[:, None] == cell).astype(float)
        expected[row, column] = np.trace(same @ centring @ close @ centring) / (count - 1) ** 2
    found = final(model, image, "hsic", draws=count, seed=3)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-6)


def test_hsic_is_largest_on_the_one_cell_that_matters():
    seen = (torch.rand(200, 7, 7, generator=torch.Generator().manual_seed(0)) < 0.5).float()
    found = dependence(seen, 3 * seen[:, 2, 5])
    assert found.argmax() == 2 * 7 + 5
    assert found.max() > 10 * found.flatten().sort().values[-2]
    assert (dependence(seen, torch.ones(200)).abs() < 1e-9).all()
    assert (dependence(seen[:1], torch.ones(1)) == 0).all()


def test_masks_are_smooth_and_let_half_of_the_picture_through(image):
    dice = torch.Generator().manual_seed(0)
    masks = torch.cat([mask(dice, image) for _ in range(300)])
    assert (masks.min(), masks.max()) == (0, 1)
    assert float(masks.mean()) == pytest.approx(KEPT, abs=0.02)
    assert float((masks[..., 1:] - masks[..., :-1]).abs().max()) < 0.5


def test_expected_gradients_of_a_linear_model_are_the_distance_to_the_mean_scene(image):
    """Erion et al. (2021), eq. 5: the gradient is the same everywhere."""
    model = Linear()
    drawn = [to_image(Image.fromarray(scenes.draw(seed, 32).picture), PREPROCESS)[0] for seed in range(6)]
    expected = (model.weights[TARGET] * (image - torch.cat(drawn).mean(0))).detach()
    found = final(model, image, "expected_gradients", samples=6)
    np.testing.assert_allclose(found, reduce(expected, "1 c h w -> h w", "sum"), rtol=0, atol=1e-4)


def test_expected_gradients_come_near_to_the_change_from_the_scenes(image):
    """With enough samples they add up to the logit less its mean over the references."""
    model = TINY["Vision Permutator"]().eval().double()
    drawn = [to_image(Image.fromarray(scenes.draw(seed, 32).picture), PREPROCESS)[0] for seed in range(60)]
    with torch.no_grad():
        change = model(image.double())[0, TARGET] - model(torch.cat(drawn).double())[:, TARGET].mean()
    found = final(model, image.double(), "expected_gradients", samples=60).sum()
    assert float(found) == pytest.approx(float(change), abs=0.2 * abs(float(change)) + 0.02)
