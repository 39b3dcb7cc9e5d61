"""What a training adds to its loss for gates whose logits are far apart."""

import math

import pytest
import torch

from models import create
from models.gate_spread import FREE, penalty, spread, spreads


def test_logits_near_their_mean_cost_nothing_and_beyond_it_the_square():
    near = torch.tensor([[FREE, 0.0], [-FREE, 0.0], [0.0, 0.0]])
    assert spread(near) == 0
    far = torch.tensor([[6.0], [-3.0], [-3.0]])  # 4, 1 and 1 too far
    assert spread(far) == pytest.approx((16 + 1 + 1) / 3)
    assert spread(far + 100) == pytest.approx(float(spread(far)))  # a softmax does not see what all share


def test_what_costs_nothing_is_not_saturated():
    shares = torch.tensor([FREE, -FREE / 2, -FREE / 2]).softmax(dim=0)
    assert float(shares.max()) == pytest.approx(math.exp(FREE) / (math.exp(FREE) + 2 * math.exp(-FREE / 2)))
    assert float(shares.max()) < 0.92


@pytest.mark.parametrize(("name", "gates"), [("vip_nano", 6), ("s2mlpv2_nano", 6), ("mixer_nano", 0)])
def test_every_gate_of_a_pass_is_noted_once_and_forgotten_with_the_penalty(name, gates):
    model = create(name, seed=1)
    with spreads(model) as found, torch.no_grad():
        model(torch.randn(2, 3, 64, 64))
        assert len(found) == gates
        total = 0.5 * sum(map(float, found))
        assert float(penalty(found, 0.5)) == pytest.approx(total)
        assert found == []
    model(torch.randn(1, 3, 64, 64))
    assert found == []  # no hook is left


def test_a_step_down_the_penalty_brings_the_logits_of_a_gate_together():
    model = create("s2mlpv2_nano", seed=1)
    gates = [weight for key, weight in model.named_parameters() if "reweight" in key]
    image = torch.randn(2, 3, 64, 64)
    with spreads(model) as found:
        model(image)
        before = penalty(found, 1.0)
        before.backward()
        with torch.no_grad():
            for weight in gates:
                weight -= 1e-4 * weight.grad
            model(image)
            assert float(penalty(found, 1.0)) < float(before.detach())
