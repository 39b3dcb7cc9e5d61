"""Every method gives what Captum, a definition, or a model solved by hand gives."""

import numpy as np
import pytest
import torch
from captum.attr import InputXGradient, IntegratedGradients, LayerGradCam, NoiseTunnel, Occlusion, Saliency
from captum.attr._core.gradient_shap import InputBaselineXGradient
from einops import rearrange, reduce
from torch import nn

from explorer.attribution import METHODS, attributions, baseline_of
from explorer.capture import hooked, probes, run
from explorer.errors import ChoiceError
from explorer.methods import Case, Options, channels_first, levels, spread
from models.probe import Kind, Probe
from models.registry import Preprocess
from tests.tiny import TINY

PREPROCESS = Preprocess(size=32, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))
TARGET = 2


class Linear(nn.Module):
    """A model whose attributions are known by hand: logit k is the image times its weights, summed."""

    def __init__(self) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(1)))
        self.map = Probe(Kind.FEATURE_MAP, "b c h w -> b h w c")

    def forward(self, image):
        return torch.einsum("bchw,kchw->bk", self.map(image), self.weights)


def final(model, image, method, **options):
    *_, found = attributions(
        model, image, PREPROCESS, method=method, target=TARGET, options=Options(**options)
    )
    return found


def over_colours(values):
    return reduce(values.detach(), "1 c h w -> h w", "sum").numpy()


def case_of(model, image, **options):
    return Case(model, image, baseline_of(image, PREPROCESS, "black"), TARGET, Options(**options))


def seeded(call):
    """One plain Captum call from the process-wide generators, as our own seed starts them."""
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002
    return over_colours(call())


@pytest.fixture
def plain(model, image):
    """What one plain Captum call gives, by method; in float64, where only the method can differ."""
    model, image = model.double(), image.double()
    case = case_of(model, image)
    black = case.baseline
    noisy = {"nt_type": "smoothgrad", "nt_samples": 24, "nt_samples_batch_size": case.at_once}
    noisy |= {"stdevs": spread(case), "target": TARGET}
    return {
        "saliency": lambda: over_colours(Saliency(model).attribute(image.requires_grad_(), TARGET)),
        "input_x_gradient": lambda: over_colours(
            InputXGradient(model).attribute(image.requires_grad_(), TARGET)
        ),
        "integrated_gradients": lambda: over_colours(
            IntegratedGradients(model).attribute(image, black, TARGET, n_steps=50)
        ),
        "smooth_grad": lambda: seeded(lambda: NoiseTunnel(Saliency(model)).attribute(image, **noisy)),
        "gradient_shap": lambda: seeded(
            lambda: NoiseTunnel(InputBaselineXGradient(model)).attribute(
                image, baselines=black, draw_baseline_from_distrib=True, **noisy
            )
        ),
        "occlusion": lambda: (
            Occlusion(model)
            .attribute(image, (3, 2, 2), strides=(3, 2, 2), baselines=black, target=TARGET)[0, 0, ::2, ::2]
            .detach()
            .numpy()
        ),
    }


@pytest.mark.parametrize("method", [name for name in METHODS if name != "grad_cam"])
def test_a_finished_map_is_captums(model, image, plain, method):
    expected = plain[method]()
    found = final(model, image.double(), method)
    np.testing.assert_allclose(found.values, expected, rtol=0, atol=1e-6 * np.abs(expected).max())


def test_grad_cam_is_its_definition_at_every_map(model, image):
    """Channels weighted by their gradient's mean over places; computed here with autograd alone."""
    for name, probe in probes(model, Kind.FEATURE_MAP).items():
        kept = {}

        def keep(probe, _args, value, kept=kept):
            kept["value"] = value
            value.retain_grad()

        with hooked({probe: keep}):
            model(image.clone().requires_grad_())[0, TARGET].backward()
        value, slope = probe.canonical(kept["value"]), probe.canonical(kept["value"].grad)
        expected = (value * reduce(slope, "b h w c -> b 1 1 c", "mean")).sum(dim=-1)[0].detach().numpy()
        found = final(model, image, "grad_cam", layer=name)
        np.testing.assert_allclose(found.values, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


def test_captum_alone_gets_the_axes_of_a_channel_last_map_wrong(image):
    """Why the detour exists; should Captum learn the layout, it can go."""
    model = TINY["Vision Permutator"]().eval()
    probe = probes(model, Kind.FEATURE_MAP)["stages.0.output"]
    wrong = LayerGradCam(model, probe).attribute(image.requires_grad_(), TARGET)
    with channels_first(probe) as layer:
        right = LayerGradCam(model, layer).attribute(image, TARGET)
    assert wrong.shape == (1, 1, 8, 16)  # rows x channels
    assert right.shape == (1, 1, 8, 8)  # rows x columns


def test_methods_on_a_linear_model_are_its_weights(image):
    model = Linear()
    weights = model.weights[TARGET].detach()
    change = (weights * (image[0] - baseline_of(image, PREPROCESS, "black")[0])).sum(0).numpy()
    for method in ("integrated_gradients", "gradient_shap"):
        noise = {"noise": 0.0, "samples": 5} if method == "gradient_shap" else {}
        found = final(model, image, method, **noise)
        np.testing.assert_allclose(found.values, change, atol=1e-4)
        assert found.completeness_gap == pytest.approx(0, abs=1e-3)
    np.testing.assert_allclose(final(model, image, "saliency").values, weights.abs().sum(0), atol=1e-5)
    windows = reduce(change, "(h a) (w b) -> h w", "sum", a=4, b=4)
    np.testing.assert_allclose(final(model, image, "occlusion", cells=8).values, windows, atol=1e-3)


@pytest.mark.parametrize("method", METHODS)
def test_parts_count_up_to_the_whole(model, image, method):
    parts = list(attributions(model, image, PREPROCESS, method=method, target=TARGET))
    done = [part.done for part in parts]
    assert done == sorted(set(done))
    assert parts[-1].done == parts[-1].total
    assert all(part.total == parts[-1].total for part in parts)
    assert all(part.seconds > 0 and np.isfinite(part.values).all() for part in parts)
    assert all(part.values.dtype == np.float32 for part in parts)


@pytest.mark.parametrize("steps", [7, 50])
def test_the_parts_of_a_path_add_up_to_the_whole_integral(model, image, steps):
    """In float64, where one schedule of steps leaves only rounding."""
    model, image = model.double(), image.double()
    case = case_of(model, image, steps=steps)
    expected = IntegratedGradients(model).attribute(image, case.baseline, TARGET, n_steps=steps)
    *_, found = METHODS["integrated_gradients"].stream(case)
    torch.testing.assert_close(found.values, expected, rtol=0, atol=1e-7 * float(expected.abs().max()))


def test_an_early_part_of_a_path_is_already_an_estimate(model, image):
    asked = {"method": "integrated_gradients", "target": TARGET, "options": Options(steps=200)}
    parts = list(attributions(model, image, PREPROCESS, **asked))
    assert len(parts) > 3
    distances = [np.abs(part.values - parts[-1].values).sum() for part in parts]
    assert distances[0] < 0.5 * np.abs(parts[-1].values).sum()


@pytest.mark.parametrize("method", METHODS)
def test_the_completeness_gap_is_told_where_it_is_promised(model, image, method):
    found = final(model, image, method)
    assert (found.completeness_gap is not None) == METHODS[method].complete
    if found.completeness_gap is not None:
        black = baseline_of(image, PREPROCESS, "black")
        with torch.no_grad():
            change = (model(image) - model(black))[0, TARGET].item()
        assert found.completeness_gap == pytest.approx(found.values.sum() - change, abs=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_no_hook_and_no_other_logit_remains(model, image, method):
    before = run(model, image).logits
    for stop_after in (1, None):
        parts = attributions(model, image, PREPROCESS, method=method, target=TARGET)
        for count, _ in enumerate(parts, 1):
            assert not any(module._forward_hooks for module in model.modules()), "left between two parts"
            if count == stop_after:
                parts.close()
                break
        assert torch.equal(run(model, image).logits, before)
    assert all(parameter.grad is None for parameter in model.parameters())


@pytest.mark.parametrize("method", ["smooth_grad", "gradient_shap"])
def test_the_seed_decides_the_noise_and_leaves_everybody_elses_alone(model, image, method):
    torch.manual_seed(9)
    expected = torch.rand(4)
    torch.manual_seed(9)
    one, same = (final(model, image, method, samples=4) for _ in range(2))
    other = final(model, image, method, samples=4, seed=1)
    assert torch.equal(torch.rand(4), expected)
    np.testing.assert_array_equal(one.values, same.values)
    assert not np.array_equal(one.values, other.values)


def test_few_steps_are_told_to_miss_the_change():
    class Step(nn.Module):
        """All of the change happens within a hundredth of the path, where two steps never look."""

        def forward(self, image):
            return torch.sigmoid(100 * (image.mean(dim=(1, 2, 3)) + 0.9))[:, None].expand(-1, 4)

    found = final(Step(), torch.ones(1, 3, 32, 32), "integrated_gradients", steps=2)
    assert "misses the logit's change of 1.00" in found.warning


def test_a_constant_map_is_told_to_say_nothing():
    class Blind(nn.Module):
        def forward(self, image):
            return 0 * image.mean(dim=(1, 2, 3))[:, None].expand(-1, 4)

    assert "says nothing here" in final(Blind(), torch.ones(1, 3, 32, 32), "saliency").warning


def test_baselines_are_chosen_in_picture_space(image):
    imagenet = Preprocess(size=32)
    black = baseline_of(image, imagenet, "black")
    shown = rearrange(black[0], "c h w -> h w c") * torch.tensor(imagenet.std) + torch.tensor(imagenet.mean)
    torch.testing.assert_close(shown, torch.zeros(32, 32, 3), rtol=0, atol=1e-6)
    mean = baseline_of(image, imagenet, "mean")
    torch.testing.assert_close(mean.mean(dim=(2, 3)), image.mean(dim=(2, 3)))
    assert mean.std(dim=(2, 3)).max() < 1e-6


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"method": "magic"}, "no method 'magic'; the methods are saliency"),
        ({"options": Options(steps=0)}, "steps goes from 2 to 500; 0 is outside"),
        ({"options": Options(samples=10_000)}, "samples goes from 1 to 500"),
        ({"options": Options(baseline="pink")}, "The baseline is one of black, mean"),
        ({"method": "grad_cam", "options": Options(layer="stem")}, "no feature map 'stem'"),
    ],
)
def test_what_makes_no_sense_gets_one_sentence(model, image, asked, message):
    asked = {"method": "integrated_gradients", "target": 0} | asked
    with pytest.raises(ChoiceError, match=message):
        list(attributions(model, image, PREPROCESS, **asked))


def test_windows_get_finer_by_divisors():
    assert levels(16) == (4, 8, 16)
    assert levels(4) == (4,)
    assert levels(12) == (6, 12)
