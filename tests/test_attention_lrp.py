"""AttnLRP: each rule is its published formula, written out here, and what may be conserved is."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812 - as others write it

from explorer.attribution.applicability import preflight
from explorer.attribution.methods.attention_lrp import attn_lrp
from explorer.attribution.options import Options
from explorer.attribution.running import case_of
from models.registry import Preprocess
from tests.foreign import Attention, GlobalResponse, MultiHead, SqueezeExcite, made
from tests.tiny import IMAGE_SIDE, TINY

WIDTH = 6


def preprocess(side: int) -> Preprocess:
    return Preprocess(size=side, mean=(0.5,) * 3, std=(0.5,) * 3)


def relevance(model, image, target=0):
    """The map `[c, h, w]`."""
    case = case_of(model, image, preprocess(image.shape[-1]), target, Options())
    (part,) = attn_lrp(case)
    return part.values[0].detach()


class Tokens(nn.Module):
    """One layer of attention over the places of an image, in double precision and without biases."""

    def __init__(self, how: str = "written") -> None:
        super().__init__()
        dice = torch.Generator().manual_seed(0)
        self.how = how
        self.maps = [torch.randn(WIDTH, 3, generator=dice, dtype=torch.float64) for _ in range(3)]
        self.head = torch.randn(2, WIDTH, generator=dice, dtype=torch.float64)

    def forward(self, image):
        x = image.flatten(2).transpose(1, 2)  # [b, places, 3]
        q, k, v = (x @ one.T for one in self.maps)
        if self.how == "fused":
            o = F.scaled_dot_product_attention(q, k, v, scale=1.0)
        else:
            o = torch.softmax(q @ k.transpose(1, 2), dim=-1) @ v
        return o.sum(dim=1) @ self.head.T


@pytest.fixture(scope="module")
def image():
    return torch.randn(1, 3, 2, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def by_formula(model: Tokens, image: torch.Tensor, target: int) -> np.ndarray:
    """The relevance of `[3, places]`, rule by rule, with numpy alone."""
    x = image[0].flatten(1).T.numpy()  # [places, 3]
    q, k, v = (x @ one.numpy().T for one in model.maps)
    s = q @ k.T
    a = np.exp(s) / np.exp(s).sum(axis=1, keepdims=True)
    o = a @ v
    r_o = o * model.head[target].numpy()  # the head is linear, eq. 8
    part = a[:, :, None] * v[None] * (r_o / (2 * o))[:, None, :]  # prop. 3.3, [j, i, p]
    r_a, r_v = part.sum(axis=2), part.sum(axis=0)
    assert r_a.sum() + r_v.sum() == pytest.approx(r_o.sum())
    r_s = s * (r_a - a * r_a.sum(axis=1, keepdims=True))  # prop. 3.1
    part = q[:, None, :] * k[None] * (r_s / (2 * s))[:, :, None]
    r_q, r_k = part.sum(axis=1), part.sum(axis=0)
    made = 0.0
    for weight, z, r in zip(model.maps, (q, k, v), (r_q, r_k, r_v), strict=True):
        made = made + x * ((r / z) @ weight.numpy())  # eq. 8
    return made.T


@pytest.mark.parametrize("how", ["written", "fused"])
def test_attention_hands_relevance_back_by_the_published_formulas(image, how):
    model = Tokens(how)
    for target in (0, 1):
        found = relevance(model, image, target).flatten(1).numpy()
        np.testing.assert_allclose(found, by_formula(model, image, target), rtol=1e-9)


class Conserving(nn.Module):
    """Convolution, norm, activation, gate: none with a bias, so that nothing may be lost."""

    def __init__(self, act: nn.Module) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 2, 2, bias=False)
        self.norm = nn.GroupNorm(1, 8, eps=0)
        self.act, self.mix = act, nn.Conv2d(8, 8, 1, bias=False)
        self.last = nn.LayerNorm(8, eps=0, bias=False)
        self.head = nn.Linear(8, 2, bias=False)

    def forward(self, image):
        x = self.act(self.norm(self.stem(image)))
        return self.head(self.last((x * self.mix(x)).mean((2, 3))))


@pytest.mark.parametrize("act", [nn.GELU(), nn.SiLU(), nn.ReLU6(), nn.Hardswish(), nn.SiLU(inplace=True)])
def test_without_biases_and_softmaxes_the_map_adds_up_to_the_logit(act):
    torch.manual_seed(0)
    model = Conserving(act).double().eval().requires_grad_(False)
    picture = torch.randn(1, 3, 8, 8, dtype=torch.float64)
    assert float(relevance(model, picture).sum()) == pytest.approx(float(model(picture)[0, 0]), rel=1e-9)


class Cut(nn.Module):
    def forward(self, image):
        return F.relu6(image).flatten(1).sum(dim=1, keepdim=True)


def test_a_relu6_hands_back_what_it_got_also_where_it_cuts():
    picture = torch.tensor([-1.0, 3.0, 9.0]).view(1, 3, 1, 1)
    assert relevance(Cut(), picture).flatten().tolist() == [0, 3, 6]


class Normed(nn.Module):
    weight = torch.tensor([[1.0, -2.0, 0.5]])

    def forward(self, image):
        return F.layer_norm(image.flatten(1), (3,)) @ self.weight.T


def test_a_layer_norm_hands_back_to_what_is_left_without_the_mean_what_it_got():
    x = torch.tensor([1.0, 2.0, 6.0])
    got = F.layer_norm(x, (3,)) * Normed.weight[0]  # relevance of what the norm gives
    slope = got / (x - 3)  # of x less its mean, by the identity rule
    expected = x * (slope - slope.mean())  # the mean is taken off as a linear map does
    np.testing.assert_allclose(relevance(Normed(), x.view(1, 3, 1, 1)).flatten(), expected, rtol=1e-5)


def test_weights_that_want_gradients_are_no_part_of_a_product_and_nothing_stays_behind():
    torch.manual_seed(0)
    model = made(SqueezeExcite)  # its activations write into their input, its weights want gradients
    picture = torch.randn(1, 3, IMAGE_SIDE, IMAGE_SIDE)
    before = model(picture)
    still = made(SqueezeExcite)
    still.load_state_dict(model.state_dict())
    found = relevance(model, picture)
    assert torch.allclose(found, relevance(still.requires_grad_(False), picture), atol=1e-7)
    assert torch.equal(model(picture), before)
    assert all(one.requires_grad and one.grad is None for one in model.parameters())


@pytest.mark.parametrize(
    ("make", "level", "said"),
    [
        (lambda: made(Attention), "warning", "the rest stays in biases and at softmaxes"),
        (lambda: made(MultiHead), "warning", "the rest stays in biases"),
        (lambda: made(GlobalResponse), "meaningless", "AttnLRP has no rule for norm in this model"),
        (lambda: nn.Sequential(nn.Conv2d(3, 4, 8, 8), nn.ReLU(), nn.Flatten(), nn.Linear(64, 2)),
         "meaningless", "it would equal Input × Gradient"),
        (TINY["MobileViT"], "warning", "of the logit"),
        (TINY["MLP-Mixer"], "warning", "of the logit"),
    ],
)  # fmt: skip
def test_it_is_offered_where_every_call_has_a_rule_and_one_changes_something(make, level, said):
    torch.manual_seed(0)
    found = preflight(make().eval(), preprocess(IMAGE_SIDE), "attn_lrp", torch.device("cpu"))
    assert found.level == level
    assert said in found.reason
