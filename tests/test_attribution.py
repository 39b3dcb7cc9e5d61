"""Every method gives what Captum, a definition, or a model solved by hand gives."""

import re

import numpy as np
import pytest
import torch
from captum.attr import (
    Deconvolution,
    DeepLift,
    DeepLiftShap,
    FeatureAblation,
    GuidedBackprop,
    GuidedGradCam,
    InputXGradient,
    IntegratedGradients,
    KernelShap,
    LayerGradCam,
    Lime,
    NoiseTunnel,
    Occlusion,
    Saliency,
    ShapleyValueSampling,
)
from captum.attr._core.gradient_shap import InputBaselineXGradient
from einops import rearrange, reduce
from torch import nn

from explorer.attribution.applicability import preflight
from explorer.attribution.baselines import BASELINES, baseline_of
from explorer.attribution.methods.case import channels_first, spread
from explorer.attribution.methods.gradients import ROUNDS
from explorer.attribution.methods.segments import LASSO_SHARE, SparseFit, segments_of
from explorer.attribution.methods.windows import of_the_nearest, spread_out
from explorer.attribution.options import Options
from explorer.attribution.registry import METHODS
from explorer.attribution.running import attributions
from explorer.attribution.running import case_of as a_case
from explorer.capture import hooked, probes, run
from explorer.errors import ChoiceError
from models import scenes
from models.probe import Kind, Probe
from models.registry import Preprocess
from models.train import as_image
from tests.tiny import TINY

PREPROCESS = Preprocess(size=32, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))
TARGET = 2
STEPS = 50  # of a path, where Captum has to be told how many


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


def refused(model, method) -> bool:
    """Whether a method is refused on a model; then it must say why, in a whole sentence."""
    verdict = preflight(model, PREPROCESS, method, torch.device("cpu"))
    assert bool(verdict.reason) == (verdict.level != "valid")
    if verdict.level != "meaningless":
        return False
    assert len(verdict.reason) > 20
    assert verdict.reason.endswith(".")
    return True


def over_colours(values):
    return reduce(values.detach(), "1 c h w -> h w", "sum").numpy()


def case_of(model, image, **options):
    return a_case(model, image, PREPROCESS, TARGET, Options(**options))


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
    labels = segments_of(case)
    every = torch.cat([baseline_of(image, PREPROCESS, name) for name in BASELINES])
    mask = {"feature_mask": labels[None, None], "baselines": black, "target": TARGET}

    def shared(values):
        """A segment's value, which Captum gives to each of its pixels and colours, shared out by them."""
        return (values[0, 0].detach() / torch.bincount(labels.flatten())[labels]).numpy()

    def switched(switches):
        on = switches.double()[:, None, labels]
        return model(on * image + (1 - on) * black)[:, TARGET]

    def seeded_fit(engine):
        torch.manual_seed(0)
        np.random.seed(0)  # noqa: NPY002
        values = engine.attribute(torch.ones(1, int(labels.max()) + 1), n_samples=200)[0]
        return (values / torch.bincount(labels.flatten()))[labels].detach().numpy()

    def drawn(call):
        torch.manual_seed(0)
        np.random.seed(0)  # noqa: NPY002
        return shared(call())

    def at_last(engine):
        *_, probe = probes(model, Kind.FEATURE_MAP).values()
        with channels_first(probe) as layer:
            return over_colours(engine(layer).attribute(image.requires_grad_(), TARGET))

    return {
        "var_grad": lambda: seeded(
            lambda: NoiseTunnel(Saliency(model)).attribute(image, **{**noisy, "nt_type": "vargrad"})
        ),
        "deep_lift": lambda: over_colours(DeepLift(model).attribute(image.requires_grad_(), black, TARGET)),
        "deep_lift_shap": lambda: over_colours(
            DeepLiftShap(model).attribute(image.requires_grad_(), every, TARGET)
        ),
        "guided_backprop": lambda: over_colours(
            GuidedBackprop(model).attribute(image.requires_grad_(), TARGET)
        ),
        "deconvolution": lambda: over_colours(Deconvolution(model).attribute(image.requires_grad_(), TARGET)),
        "guided_grad_cam": lambda: at_last(lambda layer: GuidedGradCam(model, layer)),
        "grad_cam": lambda: at_last(lambda layer: LayerGradCam(model, layer)),
        "feature_ablation": lambda: shared(FeatureAblation(model).attribute(image, **mask)),
        "shapley_sampling": lambda: drawn(
            lambda: ShapleyValueSampling(model).attribute(image, n_samples=8, **mask)
        ),
        "kernel_shap": lambda: drawn(lambda: KernelShap(model).attribute(image, n_samples=200, **mask)),
        # Its kernel is about the switches, as in the paper; Captum's default would compare pixels.
        "lime": lambda: seeded_fit(Lime(switched, interpretable_model=SparseFit())),
        "saliency": lambda: over_colours(Saliency(model).attribute(image.requires_grad_(), TARGET)),
        "input_x_gradient": lambda: over_colours(
            InputXGradient(model).attribute(image.requires_grad_(), TARGET)
        ),
        "integrated_gradients": lambda: over_colours(
            IntegratedGradients(model).attribute(image, black, TARGET, n_steps=STEPS)
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


OURS = {
    "hires_cam",
    "grad_cam_plus_plus",
    "finer_cam",
    "rise",
    "hsic",
    "expected_gradients",
    "layer_cam",
    "score_cam",
    "attention_rollout",
    "attn_lrp",
    "random",
    "edges",
}  # Captum has none
RULED = {"deep_lift", "deep_lift_shap", "lrp"}  # not every model can be followed
# Of these Captum has no rule for ReLU6; `test_relu6.py` compares them with their definitions.
BY_RELUS = {"deep_lift", "deep_lift_shap", "guided_backprop", "deconvolution", "guided_grad_cam"}


@pytest.mark.filterwarnings("ignore:Setting")
@pytest.mark.parametrize("method", [name for name in METHODS if name not in OURS | {"lrp"}])
def test_a_finished_map_is_captums(model, image, plain, method):
    try:
        expected = plain[method]()
    except RuntimeError:
        assert method in RULED
        with pytest.raises(RuntimeError):
            final(model, image.double(), method)
        return
    asked = {"steps": STEPS} if method == "integrated_gradients" else {}
    found = final(model, image.double(), method, **asked)
    if method in BY_RELUS and any(isinstance(module, nn.ReLU6) for module in model.modules()):
        assert not expected.any() or np.abs(found.values - expected).max() > 1e-3 * np.abs(expected).max()
        return
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
def test_a_method_keeps_its_promises_or_says_why_it_is_refused(model, image, method):
    """Parts count up to the whole, nothing is left in the model between two, the gap is told."""
    verdict = preflight(model, PREPROCESS, method, torch.device("cpu"))
    assert bool(verdict.reason) == (verdict.level != "valid")
    if verdict.level == "meaningless":
        assert re.fullmatch(r".{20,}\.", verdict.reason)
        return
    before = run(model, image).logits
    parts = []
    for part in attributions(model, image, PREPROCESS, method=method, target=TARGET):
        assert not any(module._forward_hooks for module in model.modules()), "left between two parts"
        assert torch.is_grad_enabled(), "the next part may be made by another thread"
        parts.append(part)
    assert torch.equal(run(model, image).logits, before)
    assert all(parameter.grad is None for parameter in model.parameters())
    check_parts(parts)
    check_gap(model, image, parts[-1])


def check_parts(parts) -> None:
    done = [part.done for part in parts]
    assert done == sorted(set(done))
    assert done[-1] == parts[-1].total
    assert all(part.done < part.total for part in parts[:-1])
    assert all(part.seconds > 0 and np.isfinite(part.values).all() for part in parts)
    assert all(part.values.dtype == np.float32 for part in parts)


def check_gap(model, image, found) -> None:
    assert (found.completeness_gap is not None) == METHODS[found.method].complete
    if found.completeness_gap is not None:
        black = baseline_of(image, PREPROCESS, "black")
        with torch.no_grad():
            change = (model(image) - model(black))[0, TARGET].item()
        assert found.completeness_gap == pytest.approx(found.values.sum() - change, abs=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_a_method_stopped_after_its_first_part_leaves_nothing(method, image):
    torch.manual_seed(0)
    model = TINY["FasterNet"]().eval()
    before = run(model, image).logits
    parts = attributions(model, image, PREPROCESS, method=method, target=TARGET)
    if not refused(model, method):
        next(parts)
    parts.close()
    assert not any(module._forward_hooks for module in model.modules())
    assert torch.equal(run(model, image).logits, before)


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


class Curved(nn.Module):
    """Its logits change within a stretch of the path, the narrower the sharper; a few steps miss it."""

    def __init__(self, sharpness: float) -> None:
        super().__init__()
        self.sharpness = sharpness

    def forward(self, image):
        return torch.sigmoid(self.sharpness * (image.mean(dim=(1, 2, 3)) + 0.9))[:, None].expand(-1, 4)


@pytest.mark.parametrize(("sharpness", "steps"), [(20, 25), (60, 50), (120, 100), (300, 200), (5_000, 400)])
def test_a_path_takes_steps_until_its_gap_is_small_or_there_are_no_more(sharpness, steps):
    """And its map is then the one Captum gives for that many steps."""
    model, image = Curved(sharpness).double(), torch.ones(1, 3, 32, 32, dtype=torch.float64)
    assert Options().steps is None
    parts = list(attributions(model, image, PREPROCESS, method="integrated_gradients", target=TARGET))
    check_parts(parts)
    assert parts[-1].steps == steps
    gaps = {part.steps: part.gap for part in parts if part.done == sum(r for r in ROUNDS if r <= part.steps)}
    assert list(gaps) == [one for one in ROUNDS if one <= steps]
    assert all(gap > 0.01 for taken, gap in gaps.items() if taken < steps)
    assert (gaps[steps] <= 0.01) == (sharpness < 1000)
    assert ("misses the logit's change" in (parts[-1].warning or "")) == (gaps[steps] > 0.05)
    black = baseline_of(image, PREPROCESS, "black")
    expected = over_colours(IntegratedGradients(model).attribute(image, black, TARGET, n_steps=steps))
    np.testing.assert_allclose(parts[-1].values, expected, rtol=0, atol=1e-6 * np.abs(expected).max())


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
        ({"options": Options(steps=1)}, "steps goes from 2 to 500; 1 is outside"),
        ({"options": Options(samples=10_000)}, "samples goes from 1 to 500"),
        ({"options": Options(baseline="pink")}, "The baseline is one of black, mean, blur, noise"),
        ({"method": "grad_cam", "options": Options(layer="stem")}, "no feature map 'stem'"),
    ],
)
def test_what_makes_no_sense_gets_one_sentence(model, image, asked, message):
    asked = {"method": "integrated_gradients", "target": 0} | asked
    with pytest.raises(ChoiceError, match=message):
        list(attributions(model, image, PREPROCESS, **asked))


@pytest.mark.parametrize("cells", [4, 7, 16])
def test_windows_are_covered_all_over_the_picture_first_and_each_once(cells):
    order = spread_out(cells).tolist()
    assert sorted(order) == list(range(cells**2))
    every = [
        [row * cells + column for row in at for column in at]
        for at in (range(0, cells, step) for step in (4, 2))
    ]
    for numbers in every:
        assert set(order[: len(numbers)]) == set(numbers)


def test_a_window_shows_one_near_it_until_its_turn():
    values, known = torch.arange(64.0).reshape(8, 8), torch.zeros(8, 8, dtype=torch.bool)
    known[::4, ::4] = known[2, 2] = known[7, 7] = True
    seen = of_the_nearest(torch.where(known, values, 0.0), known)
    assert seen[3, 3] == values[2, 2]
    assert seen[1, 3] == values[0, 0]
    assert seen[6, 5] == values[4, 4]
    assert seen[7, 7] == values[7, 7]


# Methods of our own, against their definitions


def last_map(model, image):
    """The last feature map `[c, h, w]` and its gradient, by autograd alone."""
    *_, probe = probes(model, Kind.FEATURE_MAP).values()
    kept = {}

    def keep(probe, _args, value):
        kept["value"] = value
        value.retain_grad()

    with hooked({probe: keep}):
        model(image.clone().requires_grad_())[0, TARGET].backward()
    turned = "1 h w c -> c h w"
    value, slope = probe.canonical(kept["value"]), probe.canonical(kept["value"].grad)
    return rearrange(value, turned).detach(), rearrange(slope, turned)


def test_layer_cam_is_its_definition(model, image):
    value, slope = last_map(model, image)
    expected = (value * slope.clamp_min(0)).sum(dim=0).numpy()
    found = final(model, image, "layer_cam").values
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * np.abs(expected).max() + 1e-12)


def test_score_cam_is_its_definition(model, image):
    value, _ = last_map(model, image)
    order = value.abs().mean(dim=(1, 2)).argsort(descending=True, stable=True)[:6]
    black, logits = baseline_of(image, PREPROCESS, "black"), []
    for channel in order:
        one = value[channel]
        mask = ((one - one.min()) / (one.max() - one.min()).clamp_min(1e-12))[None, None]
        mask = nn.functional.interpolate(mask, size=image.shape[-2:], mode="bilinear")
        with torch.no_grad():
            logits.append(model(black + mask * (image - black))[0, TARGET])
    weights = torch.stack(logits).softmax(dim=0)
    expected = torch.einsum("n,nhw->hw", weights, value[order]).numpy()
    found = final(model, image, "score_cam", channels=6).values
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4 * np.abs(expected).max())


def test_rollout_multiplies_attention_half_mixed_with_the_place_itself():
    torch.manual_seed(0)
    model = TINY["MobileViT"]().eval()
    image = torch.rand(1, 3, 64, 64)
    found = final(model, image, "attention_rollout").values
    expected = np.zeros((8, 8))
    blocks = [one.value for one in run(model, image).of(Kind.ATTENTION)]
    assert [attention.shape[-1] for attention in blocks] == [16, 4, 1]  # places of one offset
    for attention in blocks[:2]:  # a single place says nothing
        step = 0.5 * attention.mean(dim=1) + 0.5 * torch.eye(attention.shape[-1])
        side = int(attention.shape[-1] ** 0.5)
        looked = rearrange(
            step.mean(dim=1), "(ph pw) (nh nw) -> (nh ph) (nw pw)", ph=2, pw=2, nh=side, nw=side
        ).numpy()
        scale = 8 // (2 * side)
        expected += np.kron(looked, np.ones((scale, scale))) / scale**2 / 2
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert found.sum() == pytest.approx(4, abs=1e-5)  # one for each offset in a patch


def test_edges_are_where_the_picture_is_steep(model):
    image = torch.zeros(1, 3, 32, 32)
    image[..., 16:] = 1
    found = final(model, image, "edges").values
    assert np.all(found[:, 15:17] == pytest.approx(0.5))
    assert np.all(found[:, :15] == 0)
    assert np.all(found[:, 17:] == 0)


def test_the_controls_know_nothing_of_the_model(image):
    one, other = Linear(), TINY["FasterNet"]().eval()
    for method in ("random", "edges"):
        np.testing.assert_array_equal(final(one, image, method).values, final(other, image, method).values)


# Segments


def test_methods_on_segments_of_a_linear_model_are_its_sums(image):
    """Off or on, a segment changes a linear logit by one number, which every one of them must find."""
    model = Linear()
    weights = model.weights[TARGET].detach()
    change = (weights * (image[0] - baseline_of(image, PREPROCESS, "black")[0])).sum(0)
    labels = segments_of(case_of(model, image, segments=16))
    sums = torch.zeros(16).index_add(0, labels.flatten(), change.flatten())
    expected = (sums / torch.bincount(labels.flatten()))[labels].numpy()
    for method in ("feature_ablation", "shapley_sampling", "kernel_shap"):
        found = final(model, image, method, segments=16)
        np.testing.assert_allclose(found.values, expected, atol=2e-3 * np.abs(expected).max(), err_msg=method)
        if found.completeness_gap is not None:
            assert found.completeness_gap == pytest.approx(0, abs=0.05)
    sparse = final(model, image, "lime", segments=16).values
    assert np.corrcoef(sparse.ravel(), expected.ravel())[0, 1] > 0.9


@pytest.mark.parametrize("scale", [1e-4, 1.0, 1e4])
def test_the_fit_of_lime_is_a_lasso_that_leaves_something_however_small_the_logits(scale):
    """The conditions of its optimum, and the same coefficients whatever the logits are measured in."""
    dice = np.random.default_rng(0)
    switches = dice.integers(0, 2, (120, 9)).astype(float)
    weights = dice.uniform(0.1, 1, 120)
    logits = scale * (switches @ np.array([3, -2, 0, 0, 1, 0, 0, 0, 0.0]) + 0.1 * dice.normal(size=120))
    data = [tuple(map(torch.from_numpy, (switches, logits, weights)))]
    fit = SparseFit()
    fit.fit(data)
    found = fit.representation()[0].double().numpy() / scale
    assert found[[0, 1, 4]] == pytest.approx([3, -2, 1], abs=0.15)
    shares = weights / weights.sum()
    centred, wanted = switches - shares @ switches, logits / scale - shares @ logits / scale
    slopes = centred.T @ (shares * (wanted - centred @ found))
    penalty = LASSO_SHARE * np.abs(centred.T @ (shares * wanted)).max()
    assert slopes[found != 0] == pytest.approx(penalty * np.sign(found[found != 0]), abs=1e-3 * penalty)
    assert (np.abs(slopes[found == 0]) <= penalty * 1.001).all()


@pytest.mark.parametrize("shape", ["grid", "slic"])
def test_segments_cover_the_picture_without_gaps(shape):
    drawn = scenes.draw(3, 32, scenes.CLASSES.index("star")).picture
    image = as_image(rearrange(torch.from_numpy(drawn), "h w c -> 1 c h w"))
    labels = segments_of(case_of(Linear(), image, segments=25, shape=shape))
    assert labels.shape == image.shape[-2:]
    assert labels.unique().tolist() == list(range(int(labels.max()) + 1))
    assert 9 <= int(labels.max()) + 1 <= 49


# A class rather than another


def test_a_contrast_is_the_difference_of_two_logits(image):
    model = Linear()
    weights = (model.weights[TARGET] - model.weights[0]).detach()
    change = (weights * (image[0] - baseline_of(image, PREPROCESS, "black")[0])).sum(0).numpy()
    found = final(model, image, "integrated_gradients", against=0)
    np.testing.assert_allclose(found.values, change, atol=1e-4)
    assert found.completeness_gap == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize("method", ["grad_cam", "occlusion", "lime", "score_cam", "layer_cam"])
def test_a_contrast_with_itself_is_nothing(method, image):
    torch.manual_seed(0)
    found = final(TINY["FasterNet"]().eval(), image, method, against=TARGET)
    assert np.ptp(found.values) == pytest.approx(0, abs=1e-6) or method == "score_cam"


# Preflight


class Rectified(nn.Module):
    """A small network of layers all rules know."""

    def __init__(self, act=nn.ReLU) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.conv = nn.Conv2d(3, 8, 3, padding=1, bias=False)
        self.act = act()
        self.map = Probe(Kind.FEATURE_MAP, "b c h w -> b h w c")
        self.head = nn.Linear(8, 4, bias=False)

    def forward(self, image):
        return self.head(reduce(self.map(self.act(self.conv(image))), "b c h w -> b c", "mean"))


@pytest.mark.parametrize("method", ["guided_backprop", "deconvolution", "guided_grad_cam", "deep_lift"])
def test_preflight_lets_pass_what_the_rules_cover(method):
    assert preflight(Rectified(), PREPROCESS, method, torch.device("cpu")).level == "valid"


@pytest.mark.parametrize("method", ["guided_backprop", "deconvolution", "guided_grad_cam"])
def test_preflight_finds_the_plain_gradient_under_another_name(method):
    verdict = preflight(Rectified(nn.GELU), PREPROCESS, method, torch.device("cpu"))
    assert verdict.level == "meaningless"
    assert "No ReLU in this model" in verdict.reason


def test_preflight_measures_what_deep_lift_misses():
    class Squared(nn.Module):
        def forward(self, x):
            return (3 * x).sin()

    verdict = preflight(Rectified(Squared), PREPROCESS, "deep_lift", torch.device("cpu"))
    assert verdict.level != "valid"
    assert "misses the logit's change by" in verdict.reason
    assert "Squared" in verdict.reason


def test_lrp_is_offered_exactly_where_it_works(image):
    model = Rectified().eval()
    verdict = preflight(model, PREPROCESS, "lrp", torch.device("cpu"))
    (part,) = METHODS["lrp"].stream(case_of(model, image))
    logit = float(model(image)[0, TARGET].detach())
    kept = float(part.values.detach().sum()) / logit
    assert (verdict.level == "valid") == (abs(kept - 1) <= 0.05)
    refused = preflight(Rectified(nn.GELU), PREPROCESS, "lrp", torch.device("cpu"))
    assert refused.level == "meaningless"
    assert "no rule for 1 GELU" in refused.reason


def test_preflight_leaves_no_hook(model):
    for method in METHODS:
        preflight(model, PREPROCESS, method, torch.device("cpu"))
    for module in model.modules():
        assert not module._forward_hooks
        assert not module._forward_pre_hooks
        assert not module._backward_hooks
        assert "rule" not in vars(module)


# Memory


class Hungry(Linear):
    """Takes no more than two images at a time."""

    def forward(self, image):
        if len(image) > 2:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes.")
        return super().forward(image)


@pytest.mark.parametrize("method", ["integrated_gradients", "smooth_grad", "occlusion", "lime"])
def test_short_memory_halves_the_batch_and_says_so(method, image):
    found = final(Hungry(), image, method)
    expected = final(Linear(), image, method)
    np.testing.assert_allclose(found.values, expected.values, atol=1e-3 * np.abs(expected.values).max())
    assert "Memory was short" in found.warning


def test_no_memory_at_all_is_one_sentence(image):
    class Starving(Linear):
        def forward(self, image):
            raise torch.OutOfMemoryError

    with pytest.raises(ChoiceError, match="not enough memory"):
        final(Starving(), image, "saliency")
