"""Gates and what looks like one, written in ways that `tests.foreign` does not have."""

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812 - as others write it


class Decides(nn.Module):
    """A number for each channel, or several, from the mean over the places; and two maps."""

    def __init__(self, width: int, many: int = 1) -> None:
        super().__init__()
        self.fc = nn.Linear(width, many * width)
        self.one, self.two = nn.Conv2d(width, width, 1), nn.Conv2d(width, width, 3, padding=1)

    def decided(self, x):
        return self.fc(x.mean((2, 3)))


class Interpolates(Decides):
    """Two maps, of which the gate takes more or less."""

    def forward(self, x):
        return torch.lerp(self.one(x), self.two(x), torch.sigmoid(self.decided(x))[:, :, None, None])


class Repeats(Decides):
    """The gate of a channel, written out for every place."""

    def forward(self, x):
        return x * torch.sigmoid(self.decided(x))[:, :, None, None].repeat(1, 1, *x.shape[2:])


class MixesWeights(nn.Module):
    """A convolution whose weights are mixed of four by shares."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.router, self.width = nn.Linear(width, 4), width
        self.weights = nn.Parameter(0.1 * torch.randn(4, width, width, 3, 3))

    def forward(self, x):
        shares = F.softmax(self.router(x.mean((2, 3))), 1)
        weight = (shares[:, :, None, None, None, None] * self.weights[None]).sum(1)
        made = F.conv2d(x.reshape(1, -1, *x.shape[2:]), weight.flatten(0, 1), padding=1, groups=len(x))
        return made.reshape(x.shape)


class SoftmaxByHand(Decides):
    def __init__(self, width: int) -> None:
        super().__init__(width, many=2)

    def forward(self, x):
        logits = self.decided(x).view(len(x), 2, -1, 1, 1)
        shares = torch.exp(logits - logits.amax(1, keepdim=True))
        shares = shares / shares.sum(1, keepdim=True)
        return shares[:, 0] * self.one(x) + shares[:, 1] * self.two(x)


class LogShares(SoftmaxByHand):
    """Shares kept as logarithms, and raised again where they are needed."""

    def forward(self, x):
        shares = F.log_softmax(self.decided(x).view(len(x), 2, -1, 1, 1), 1).exp()
        return shares[:, 0] * self.one(x) + shares[:, 1] * self.two(x)


class Chooses(Decides):
    """One branch of two for all channels; only the gradient is that of a softmax."""

    def __init__(self, width: int) -> None:
        super().__init__(width)
        self.choose = nn.Linear(width, 2)

    def forward(self, x):
        soft = self.choose(x.mean((2, 3))).softmax(-1)
        hard = F.one_hot(soft.argmax(-1), 2).to(soft)
        shares = (hard - soft.detach() + soft)[:, :, None, None, None]
        return shares[:, 0] * self.one(x) + shares[:, 1] * self.two(x)


class LogisticByHand(Decides):
    def forward(self, x):
        gate = self.decided(x)[:, :, None, None]
        once, again = 1 / (1 + torch.exp(-gate)), torch.exp(gate) / (1 + torch.exp(gate))
        return x * once + self.one(x) * again + self.two(x) * F.logsigmoid(gate).exp()


class Named(Decides):
    """Every function is given its tensor by name."""

    def __init__(self, width: int) -> None:
        super().__init__(width, many=2)

    def forward(self, x):
        shares = torch.softmax(input=self.decided(x).view(len(x), 2, -1, 1, 1), dim=1)
        return shares[:, 0] * self.one(x) + shares[:, 1] * self.two(x)


class BlendsTwoAttentions(nn.Module):
    """Of one attention and another, added up by a share that is learned once."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.one, self.two = nn.Linear(width, width), nn.Linear(width, width)
        self.share = nn.Parameter(torch.zeros(()))

    def forward(self, x):
        tokens = x.flatten(2).transpose(1, 2)
        one, two = ((part(tokens) @ tokens.transpose(1, 2)).softmax(-1) for part in (self.one, self.two))
        share = torch.sigmoid(self.share)
        blended = (1 - share) * one + share * two
        return (blended @ tokens).transpose(1, 2).reshape(x.shape)


class PoolsByShares(Decides):
    """All places added up by their shares, channel by channel, without a product of matrices."""

    def forward(self, x):
        shares = self.one(x)[:, :1].flatten(2).softmax(-1)
        return x + self.two((x.flatten(2) * shares).sum(-1)[..., None, None])


class FewPlaces(PoolsByShares):
    """The same over no more places than a gate may have branches."""

    def forward(self, x):
        few = F.avg_pool2d(x, 2)
        return x + super().forward(few).mean((2, 3), keepdim=True)


class GatedByHook(Decides):
    """The gate stands in a hook of the model's own."""

    def __init__(self, width: int) -> None:
        super().__init__(width)
        self.two.register_forward_hook(lambda _m, _a, made: made * made.flip(1).mean((2, 3), True).sigmoid())

    def forward(self, x):
        return self.two(x)


class ByRowAndColumn(Decides):
    """A gate for each row and channel, and one for each column and channel."""

    def forward(self, x):
        rows, columns = self.one(x.mean(3, keepdim=True)), self.two(x.mean(2, keepdim=True))
        return x * torch.sigmoid(rows) * torch.sigmoid(columns)


class OverTokens(Decides):
    """A gate of states and places, of tensors that no image of another size and no spot tells apart."""

    def forward(self, x):
        states = self.one(x).flatten(2).mean(2, keepdim=True) * torch.ones(6, device=x.device).to(x)
        return x + (states * torch.sigmoid(states.roll(1, 1))).mean(2)[:, :, None, None]


class Masks(Decides):
    """Activations by comparison, norms, masks, turned channels: none of them a gate."""

    def __init__(self, width: int) -> None:
        super().__init__(width)
        self.register_buffer("mask", (torch.rand(8, 8) > 0.3).float())

    def forward(self, x):
        x = self.one(x * (x > 0)) * self.mask
        x = x * torch.heaviside(x, torch.zeros(()).to(x)) + F.normalize(x, dim=1)
        variance, mean = torch.var_mean(x, dim=1, keepdim=True)
        x = (x - mean) * (variance + 1e-6).rsqrt()
        x = x * F.softmax(x.mean(1, keepdim=True), dim=1)  # the only share of one is all of it
        x = x * (1 / (x.norm(dim=1, keepdim=True) + 1e-6)) + F.log_softmax(x, 1)
        turn = torch.arange(8, device=x.device).to(x)
        return self.two(x * turn.cos() + x.roll(1, 1) * turn.sin())


CHANNEL = [("channel", ("channels",), (8,), "sigmoid")]


class LinearAttention(nn.Module):
    """Attention without a softmax; what it is divided by multiplies two maps as well."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.qkv = nn.Conv2d(width, 3 * width, 1)

    def forward(self, x):
        q, k, v = self.qkv(x).flatten(2).chunk(3, 1)
        q, k = F.elu(q) + 1, F.elu(k) + 1
        made = (v @ k.transpose(1, 2)) @ q
        alike = (q * k).sum(1, keepdim=True)  # of each place with itself
        return ((made + alike) / (k.sum(2)[:, :, None] * q).sum(1, keepdim=True)).reshape(x.shape)


UNUSUAL = {  # as in `tests.foreign.GATES`
    Interpolates: CHANNEL,
    Repeats: CHANNEL,
    GatedByHook: CHANNEL,
    ByRowAndColumn: [
        ("modulation", ("rows", "channels"), (8, 8), "sigmoid"),
        ("modulation", ("columns", "channels"), (8, 8), "sigmoid"),
    ],
    OverTokens: [("modulation", ("axis 1", "axis 2"), (8, 6), "sigmoid")],
    MixesWeights: [("branch", ("branches",), (4,), "softmax")],
    SoftmaxByHand: [("branch", ("branches", "channels"), (2, 8), "softmax")],
    LogShares: [("branch", ("branches", "channels"), (2, 8), "softmax")],
    Named: [("branch", ("branches", "channels"), (2, 8), "softmax")],
    Chooses: [("branch", ("branches",), (2,), "softmax")],
    LogisticByHand: CHANNEL,
    BlendsTwoAttentions: [("attention", ("heads", "queries", "keys"), (1, 64, 64), "softmax")] * 2
    + [("channel", ("channels",), (1,), "sigmoid")],
    PoolsByShares: [("attention", ("heads", "queries", "keys"), (1, 1, 64), "softmax")],
    FewPlaces: [("attention", ("heads", "queries", "keys"), (1, 1, 16), "softmax")],
    Masks: [],
    LinearAttention: [],
}
