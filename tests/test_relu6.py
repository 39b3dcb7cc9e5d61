"""Rules of backpropagation through ReLU6, which Captum does not know, against what they are defined as."""

import pytest
import torch
from einops import rearrange
from torch import nn
from torch.nn.functional import interpolate

from explorer.attribution.applicability import preflight
from explorer.attribution.methods.case import Case
from explorer.attribution.methods.rules import CutReLU, TwoReLUs, told_as
from explorer.attribution.options import Options
from explorer.attribution.registry import METHODS
from explorer.attribution.running import case_of
from models.probe import Kind, Probe
from models.registry import Preprocess
from tests.tiny import TINY

PREPROCESS = Preprocess(size=32, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))
TARGET = 1
RULES = ("guided_backprop", "deconvolution", "guided_grad_cam", "deep_lift", "deep_lift_shap")


class Small(nn.Module):
    """Two layers of ReLU6 on an image of one pixel, whose units lie below zero, between, and above six."""

    def __init__(self) -> None:
        super().__init__()
        dice = torch.Generator().manual_seed(1)
        self.first, self.second = nn.Linear(3, 16), nn.Linear(16, 16)
        self.head = nn.Linear(16, 3)
        for layer, size in ((self.first, 8.0), (self.second, 2.0), (self.head, 1.0)):
            layer.weight = nn.Parameter(size * torch.randn(layer.weight.shape, generator=dice))
            layer.bias = nn.Parameter(torch.randn(layer.bias.shape, generator=dice) / 4)
        self.act1, self.act2 = nn.ReLU6(), nn.ReLU6()
        self.map = Probe(Kind.FEATURE_MAP, "b c h w -> b h w c")

    def forward(self, image):
        x = rearrange(self.map(image), "b c 1 1 -> b c")
        return self.head(self.act2(self.second(self.act1(self.first(x)))))

    def units(self, image):
        """What the two ReLU6 receive."""
        first = self.first(rearrange(image, "1 c 1 1 -> c"))
        return first, self.second(first.clamp(0, 6))


@pytest.fixture
def small():
    """The network in float64, and a case of it."""
    model = Small().double().eval()
    image = torch.tensor([0.9, -0.4, 0.7], dtype=torch.float64)
    return model, case_of(model, rearrange(image, "c -> 1 c 1 1"), PREPROCESS, TARGET, Options())


def found(method, case):
    *_, part = METHODS[method].stream(case)
    return part.values.detach()


def test_the_small_network_needs_all_three_pieces_of_a_relu6(small):
    for values in small[0].units(small[1].image):
        assert (values < 0).any()
        assert ((values > 0) & (values < 6)).any()
        assert (values > 6).any()


def test_both_stand_ins_are_a_relu6():
    x = torch.linspace(-10, 10, 401, dtype=torch.float64)
    for made in (TwoReLUs(), CutReLU()):
        torch.testing.assert_close(made(x), nn.ReLU6()(x), rtol=0, atol=1e-14)


@torch.no_grad()
def test_deep_lift_is_the_rescale_rule_by_hand(small):
    """From a unit to its input go (change of output) / (change of input), layer by layer."""
    model, case = small
    relevance = model.head.weight[TARGET]
    first, second = zip(model.units(case.image), model.units(case.baseline), strict=True)
    for layer, (at_image, at_baseline) in ((model.second, second), (model.first, first)):
        change = at_image.clamp(0, 6) - at_baseline.clamp(0, 6)
        relevance = (relevance * change / (at_image - at_baseline)) @ layer.weight
    expected = relevance * rearrange(case.image - case.baseline, "1 c 1 1 -> c")
    torch.testing.assert_close(rearrange(found("deep_lift", case), "1 c 1 1 -> c"), expected)


def test_one_unit_shares_what_was_cut_off_in_proportion():
    """4 and 8 into one unit: 12 is cut to 6, of which the shares are 2 and 4."""

    class Unit(Small):
        def forward(self, image):
            x = self.act1(self.map(image).sum(dim=(1, 2, 3)))
            return torch.stack([x, x, x], dim=1)

    image = rearrange(torch.tensor([4.0, 8.0, 0.0]), "c -> 1 c 1 1")
    case = Case(Unit(), image, torch.zeros_like(image), TARGET, Options())
    assert found("deep_lift", case).flatten().tolist() == pytest.approx([2, 4, 0])


@torch.no_grad()
@pytest.mark.parametrize("method", ["guided_backprop", "deconvolution"])
def test_guided_backprop_and_deconvolution_are_their_backward_pass_by_hand(small, method):
    model, case = small
    slope = model.head.weight[TARGET]
    for layer, values in zip((model.second, model.first), reversed(model.units(case.image)), strict=True):
        passes = (values > 0) & (values < 6) if method == "guided_backprop" else torch.tensor(True)
        slope = (slope.clamp_min(0) * passes) @ layer.weight
    torch.testing.assert_close(rearrange(found(method, case), "1 c 1 1 -> c"), slope)


@pytest.fixture
def tiny(image):
    torch.manual_seed(0)
    model = TINY["EfficientNet-Lite"]().double().eval()
    stem = model.stem.conv
    stem.weight = nn.Parameter(20 * stem.weight.detach())  # so that something is cut off at six
    assert (model.stem(image.double()) == 6).any()
    return model, case_of(model, image.double(), PREPROCESS, TARGET, Options())


def test_deep_lift_adds_up_to_the_logits_change(tiny):
    model, case = tiny
    with torch.no_grad():
        change = (model(case.image) - model(case.baseline))[0, TARGET]
    torch.testing.assert_close(found("deep_lift", case).sum(), change, rtol=1e-9, atol=0)


def test_guided_grad_cam_is_grad_cam_times_guided_backprop(tiny):
    _, case = tiny
    coarse = found("grad_cam", case).clamp_min(0)
    expected = interpolate(coarse, case.image.shape[-2:]) * found("guided_backprop", case)
    assert expected.any()
    torch.testing.assert_close(found("guided_grad_cam", case), expected)


@pytest.mark.parametrize("method", RULES)
def test_the_rules_mean_something_on_efficientnet_lite(tiny, method):
    assert preflight(tiny[0].float(), PREPROCESS, method, torch.device("cpu")).level == "valid"


def test_lrp_is_refused_with_the_layer_it_has_no_rule_for(tiny):
    verdict = preflight(tiny[0].float(), PREPROCESS, "lrp", torch.device("cpu"))
    assert verdict.level == "meaningless"
    assert verdict.reason == "LRP has no rule for 15 ReLU6 in this model."


@pytest.mark.parametrize("method", [*RULES, "lrp"])
def test_the_network_itself_stays_as_it_is(small, method):
    model, case = small
    before = repr(model), {key: value.clone() for key, value in model.state_dict().items()}
    try:
        found(method, case)
    except TypeError:
        assert method == "lrp"
    assert repr(model) == before[0]
    assert all(torch.equal(value, before[1][key]) for key, value in model.state_dict().items())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())


def test_a_network_without_relu6_is_not_copied(image):
    case = case_of(TINY["FasterNet"](), image, PREPROCESS, TARGET, Options())
    assert told_as(case, CutReLU) is case
