"""A product is a product however it is written: each way is seen, read and changed like `x * gate`."""

import pytest
import torch
from torch import nn

from explorer.any_model.find import find
from explorer.any_model.foreign import Foreign
from explorer.capture import probes, run
from explorer.features.ranking import relevance
from models.probe import Kind
from tests.foreign import SIDE, Net

CHANNEL = ("channel", (8,), "sigmoid")
BRANCH = ("branch", (2, 8), "softmax")
ATTENTION = ("attention", (1, 64, 64), "softmax")
GATED = {  # a map, and a gate `[b, c, 1, 1]`
    "names": lambda x, gate: torch.mul(input=x, other=gate),
    "names, the gate first": lambda x, gate: torch.mul(other=x, input=gate),
    "multiply": lambda x, gate: torch.multiply(input=x, other=gate),
    "a method": lambda x, gate: x.multiply(other=gate),
    "in place": lambda x, gate: x.clone().mul_(other=gate),
    "an operator in place": lambda x, gate: imul(x.clone(), gate),
    "addcmul": lambda x, gate: torch.addcmul(x, x, gate),
    "addcmul by names": lambda x, gate: torch.addcmul(input=x, tensor1=gate, tensor2=x, value=0.5),
    "addcmul in place": lambda x, gate: x.clone().addcmul_(tensor1=x, tensor2=gate),
    "lerp by names": lambda x, gate: torch.lerp(input=torch.zeros_like(x), end=x, weight=gate),
    "a choice": lambda x, gate: torch.where(condition=x > 0, input=x * gate, other=x),
    "einsum": lambda x, gate: torch.einsum("bc,bchw->bchw", gate.flatten(1), x),
    "einsum of a list": lambda x, gate: torch.einsum("bchw,bc->bchw", [x, gate.flatten(1)]),
    "einsum with dots": lambda x, gate: torch.einsum("bc...,bc->bc...", x, gate.flatten(1)),
}
BLENDED = {  # two maps, and their shares `[b, 2, c, 1, 1]`
    "names": lambda a, b, s: torch.add(
        input=torch.mul(input=a, other=s[:, 0]), other=torch.mul(input=s[:, 1], other=b)
    ),
    "addcmul by names": lambda a, b, s: torch.addcmul(
        input=torch.mul(input=a, other=s[:, 0]), tensor1=s[:, 1], tensor2=b
    ),
    "addcmul in place": lambda a, b, s: (a * s[:, 0]).addcmul_(tensor1=b, tensor2=s[:, 1]),
    "in place": lambda a, b, s: (a.clone().mul_(s[:, 0])).add_(b.clone().mul_(s[:, 1])),
    "a sum": lambda a, b, s: torch.sum(input=torch.multiply(torch.stack([a, b], 1), other=s), dim=1),
    "einsum": lambda a, b, s: torch.einsum("bkchw,bkc->bchw", [torch.stack([a, b], 1), s.flatten(2)]),
}
ATTENDED = {  # shares `[b, q, k]`, and values `[b, k, c]`
    "names": lambda shares, values: torch.matmul(input=shares, other=values),
    "bmm": lambda shares, values: torch.bmm(input=shares, mat2=values),
    "baddbmm": lambda shares, values: torch.baddbmm(values, batch1=shares, batch2=values),
    "einsum": lambda shares, values: torch.einsum("bqk,bkc->bqc", [shares, values]),
}


def imul(x, gate):
    x *= gate
    return x


class Gated(nn.Module):
    def __init__(self, width: int, how) -> None:
        super().__init__()
        self.fc, self.conv, self.how = nn.Linear(width, 2 * width), nn.Conv2d(width, width, 3, padding=1), how

    def decided(self, x):
        return self.fc(x.mean((2, 3)))

    def forward(self, x):
        x = self.conv(x)
        return self.how(x, torch.sigmoid(self.decided(x)[:, : x.shape[1], None, None]))


class Blended(Gated):
    def forward(self, x):
        shares = self.decided(x).view(len(x), 2, -1, 1, 1).softmax(1)
        return self.how(self.conv(x), x, shares)


class Attended(Gated):
    def forward(self, x):
        tokens = x.flatten(2).transpose(1, 2)
        shares = torch.softmax(input=torch.matmul(tokens, other=tokens.transpose(1, 2)), dim=-1)
        return self.how(shares, tokens).transpose(1, 2).reshape(x.shape)


WAYS = {
    f"{told[0]}: {name}": (block, how, told)
    for block, ways, told in (
        (Gated, GATED, CHANNEL),
        (Blended, BLENDED, BRANCH),
        (Attended, ATTENDED, ATTENTION),
    )
    for name, how in ways.items()
}


@pytest.mark.parametrize(("block", "how", "told"), WAYS.values(), ids=WAYS)
def test_a_product_is_seen_and_changed_however_it_is_written(block, how, told):
    torch.manual_seed(0)
    model = Net(lambda width: block(width, how)).eval()
    image = torch.randn(1, 3, SIDE, SIDE)
    found = find(model, (SIDE, SIDE))
    assert [(gate.kind, gate.shape, gate.activation) for gate in found.gates] == [told] * 2
    foreign = Foreign(model, found.stations, found)
    seen = run(foreign, image)
    with torch.no_grad():
        assert torch.equal(seen.logits, model(image))
    kinds = (Kind.CHANNEL_GATE, Kind.BRANCH_WEIGHTS, Kind.ATTENTION)
    gated = [name for name, probe in probes(foreign).items() if probe.kind in kinds]
    assert len(gated) == 2
    for name in gated:
        assert not torch.equal(
            run(foreign, image, edits={name: lambda value: 0.3 * value}).logits, seen.logits
        )
    assert torch.equal(run(foreign, image).logits, seen.logits)
    if block is Blended:
        assert len(seen.of(Kind.BRANCHES)) == len([one for one in seen.activations if "blended" in one]) == 2


class Learned(Gated):
    """A gate that does not depend on the picture."""

    def forward(self, x):
        return self.how(self.conv(x), torch.sigmoid(self.fc.bias[: x.shape[1]])[None, :, None, None])


def test_a_gate_that_is_a_constant_has_a_gradient_like_any_other():
    torch.manual_seed(0)
    model = Net(lambda width: Learned(width, torch.mul)).eval().requires_grad_(False)
    image = torch.randn(1, 3, SIDE, SIDE)
    found = find(model, (SIDE, SIDE))
    foreign = Foreign(model, found.stations, found)
    (first, last) = [name for name, probe in probes(foreign).items() if probe.kind is Kind.CHANNEL_GATE]
    seen = run(foreign, image, target=2, gradients_at=list(probes(foreign)))
    assert set(relevance(seen)) == {one.name for one in seen.of(Kind.FEATURE_MAP)}
    for name, block in ((first, model.blocks[0]), (last, model.blocks[1])):
        gate = torch.sigmoid(block.inner.fc.bias[:8]).requires_grad_()
        block.inner.how = lambda x, _, gate=gate: x * gate[None, :, None, None]
        (expected,) = torch.autograd.grad(model(image)[0, 2], gate)
        torch.testing.assert_close(seen.gradients[name][0], expected)
        block.inner.how = torch.mul
