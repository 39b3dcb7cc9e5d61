"""Models that were written to be difficult: how a gate may be applied, and what a model may do on the way."""

from collections import namedtuple

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812 - as others write it
from torch.nn.utils import parametrizations
from torch.utils.checkpoint import checkpoint

from tests.foreign import Net, Residual, SqueezeExcite, StackedBranches, made


class Decides(nn.Module):
    """A number for each channel, from the mean over the places."""

    def __init__(self, width: int, many: int = 1) -> None:
        super().__init__()
        self.fc = nn.Linear(width, many * width)

    def decided(self, x):
        return self.fc(x.mean((2, 3)))


class GateByEinsum(Decides):
    def forward(self, x):
        return torch.einsum("bchw,bc->bchw", x, torch.sigmoid(self.decided(x)))


class BranchesByEinsum(Decides):
    def __init__(self, width: int) -> None:
        super().__init__(width, many=2)
        self.one, self.two = nn.Conv2d(width, width, 1), nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x):
        stack = torch.stack([self.one(x), self.two(x)], 1)
        shares = F.softmax(self.decided(x).view(len(x), 2, -1) / 0.5, 1)
        return torch.einsum("bkchw,bkc->bchw", stack, shares)


class PoolsOverPlaces(nn.Module):
    """A softmax over a long axis whose result weighs all places, as a global context."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.key, self.value = nn.Conv2d(width, 1, 1), nn.Conv2d(width, width, 1)

    def forward(self, x):
        shares = self.key(x).flatten(1).softmax(-1)
        return x + self.value(torch.einsum("bn,bcn->bc", shares, x.flatten(2))[:, :, None, None])


class SoftmaxOverChannels(Decides):
    """Eight channels that compete; nothing is added up over them."""

    def forward(self, x):
        return x * torch.softmax(self.decided(x), 1)[:, :, None, None]


class MaskAsBias(nn.Module):
    """A mask and a learned bias before the softmax of an attention."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.qkv, self.bias = nn.Linear(width, 3 * width), nn.Parameter(torch.randn(64, 64))

    def forward(self, x):
        q, k, v = self.qkv(x.flatten(2).transpose(1, 2)).chunk(3, -1)
        seen = torch.ones(64, 64, dtype=torch.bool, device=x.device).tril()
        shares = (q @ k.transpose(1, 2) + self.bias).masked_fill(~seen, -torch.inf).softmax(-1)
        return (shares @ v).transpose(1, 2).reshape(x.shape)


class MultipliesInPlace(Decides):
    def forward(self, x):
        gate = self.decided(x)[:, :, None, None].sigmoid_()
        return x.mul_(gate)


class WritesParts(Decides):
    """Half of the channels are gated by assignment, half in place."""

    def forward(self, x):
        y, gate = x.clone(), torch.sigmoid(self.decided(x))[:, :, None, None]
        y[:, :4] = y[:, :4] * gate[:, :4]
        y[:, 4:] *= gate[:, 4:]
        return y


class FromSecondBranch(nn.Module):
    """The gate is decided on a smaller grid by a branch of its own."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.value, self.gate = nn.Conv2d(width, width, 1), nn.Conv2d(width, width, 3, 2, 1)

    def forward(self, x):
        return self.value(x) * F.interpolate(torch.sigmoid(self.gate(x)), size=x.shape[2:])


class Views(nn.Module):
    """Every tensor is a view with other steps; half of the channels are gated."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc = nn.Linear(width, width)

    def forward(this, x):  # noqa: N805 - nobody has to call it self
        turned = x.permute(0, 2, 3, 1)[:, ::1].transpose(1, 2)
        gated = turned[..., ::2] * torch.sigmoid(this.fc(turned))[..., ::2]
        return torch.cat([gated, turned[..., 1::2]], -1).transpose(1, 2).permute(0, 3, 1, 2)


class Counts(Decides):
    """It remembers how often it ran, and its last gate."""

    def __init__(self, width: int) -> None:
        super().__init__(width)
        self.register_buffer("count", torch.zeros(()))
        self.last = None

    def forward(self, x):
        self.count += 1
        self.last = torch.sigmoid(self.decided(x))
        return x * self.last[:, :, None, None]


class Random(Decides):
    """Drops half of its map in eval mode, too."""

    def forward(self, x):
        return F.dropout(x * torch.sigmoid(self.decided(x))[:, :, None, None], 0.5, training=True)


class GatedUnit(nn.Module):
    """A gate and what it multiplies in one call of PyTorch."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.both = nn.Conv2d(width, 2 * width, 1)

    def forward(self, x):
        return F.glu(self.both(x), dim=1)


class OneSizeOnly(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc = nn.Linear(64 * width, width)

    def forward(self, x):
        assert x.shape[2:] == (8, 8), "this takes maps of 8 × 8 only"
        return x * torch.sigmoid(self.fc(x.flatten(1)))[:, :, None, None]


class Checkpointed(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.inner = SqueezeExcite(width)

    def forward(self, x):
        return checkpoint(self.inner, x, use_reentrant=False)


class OnNumpy(Decides):
    """The gate is computed where nobody can watch."""

    def forward(self, x):
        gate = 1 / (1 + np.exp(-self.decided(x).detach().numpy()))
        return x * torch.from_numpy(gate)[:, :, None, None]


class Reads(nn.Module):
    """A sequence model over the places."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(width, width, batch_first=True)

    def forward(self, x):
        return self.lstm(x.flatten(2).transpose(1, 2))[0].transpose(1, 2).reshape(x.shape)


class Spectrum(nn.Module):
    """A filter in the frequencies, whose weights are complex."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.filter = nn.Parameter(torch.randn(width, 8, 5, 2))

    def forward(self, x):
        return torch.fft.irfft2(torch.fft.rfft2(x) * torch.view_as_complex(self.filter), s=x.shape[2:])


class Routes(nn.Module):
    """Two of four experts a picture, chosen by their shares."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.router = nn.Linear(width, 4)
        self.experts = nn.ModuleList(nn.Conv2d(width, width, 1) for _ in range(4))

    def forward(self, x):
        shares, which = F.softmax(self.router(x.mean((2, 3))), -1).topk(2, -1)
        out = torch.zeros_like(x)
        for one in range(len(x)):
            for number in range(2):
                chosen = self.experts[int(which[one, number])]
                out[one] += shares[one, number] * chosen(x[one : one + 1])[0]
        return out


class Wrapped(nn.Module):
    """A model inside another, which gives its logits in some structure."""

    def __init__(self, give, inner: nn.Module | None = None) -> None:
        super().__init__()
        self.net, self.give = made(SqueezeExcite) if inner is None else inner, give

    def forward(self, x):
        return self.give(self.net(x), x)


Outputs = namedtuple("Outputs", "logits picture")


def a_pair(logits, x):
    return logits, x


def a_list(logits, _x):
    return [logits]


def a_dict(logits, _x):
    return {"logits": logits, "auxiliary": 2 * logits}


def a_named_tuple(logits, x):
    return Outputs(logits, x)


class AtTheTop(nn.Module):
    """Its gates stand in the model's own forward, a step three times; one part has normalised weights."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = parametrizations.weight_norm(nn.Conv2d(3, 8, 4, 4))
        self.gate, self.made = (nn.Conv2d(16, 8, 3, padding=1) for _ in range(2))
        self.head = nn.Linear(8, 5)

    def forward(self, x):
        x = self.stem(x)
        state = torch.zeros_like(x)
        for _ in range(3):
            both = torch.cat([x, state], 1)
            gate = torch.sigmoid(self.gate(both))
            state = (1 - gate) * state + gate * torch.tanh(self.made(both))
        return self.head(state.mean((2, 3)))


class BlendedAtTheTop(nn.Module):
    """Three parts of a dict, added up by their shares in one line."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.head = nn.Conv2d(3, 8, 4, 4), nn.Linear(8, 5)
        self.parts = nn.ModuleDict({f"of_{n}": nn.Conv2d(8, 8, n, padding=n // 2) for n in (1, 3, 5)})
        self.decide = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 3))

    def forward(self, x):
        x = self.stem(x)
        shares = F.softmax(self.decide(x), -1)
        x = sum(shares[:, n].view(-1, 1, 1, 1) * part(x) for n, part in enumerate(self.parts.values()))
        return self.head(x.mean((2, 3)))


class BlocksOfDicts(nn.Module):
    """Its blocks are given and give dicts, by keyword."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.head = nn.Conv2d(3, 8, 4, 4), nn.Linear(8, 5)
        self.blocks = nn.ModuleList(BlockOfDict() for _ in range(3))

    def forward(self, x):
        state = {"x": self.stem(x), "kept": []}
        for block in self.blocks:
            state = block(state=state)
        return self.head(state["x"].mean((2, 3)))


class TwoScales(nn.Module):
    """Its blocks are given and give two maps at once, of which one is half as wide."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.head = nn.Conv2d(3, 8, 4, 4), nn.Linear(16, 5)
        self.blocks = nn.ModuleList(BlockOfTwo() for _ in range(3))

    def forward(self, x):
        maps = self.stem(x)
        maps = [maps, F.avg_pool2d(maps, 2)]
        for block in self.blocks:
            maps = block(maps)
        return self.head(torch.cat([one.mean((2, 3)) for one in maps], 1))


class BlockOfTwo(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.wide, self.narrow = Residual(SqueezeExcite(8), 8), nn.Conv2d(8, 8, 3, padding=1)

    def forward(self, maps):
        wide = self.wide(maps[0])
        return [wide, maps[1] + F.relu(self.narrow(maps[1] + F.avg_pool2d(wide, 2)))]


class BlockOfDict(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = Residual(SqueezeExcite(8), 8)

    def forward(self, *, state):
        x = self.inner(state["x"])
        return {"x": x, "kept": [*state["kept"], x]}


class WithoutGradient(Wrapped):
    def __init__(self) -> None:
        super().__init__(None, made(StackedBranches))

    @torch.no_grad()
    def forward(self, x):
        return self.net(x)


class OnePicture(Wrapped):
    def __init__(self) -> None:
        super().__init__(None)

    def forward(self, x):
        assert len(x) == 1, "one picture at a time"
        return self.net(x)


class Rows(nn.Module):
    """Reads a picture as a sequence of its rows, and asks it four questions."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.asked = nn.Linear(96, 16), nn.Parameter(torch.randn(4, 16))
        self.layers = nn.ModuleList(nn.TransformerEncoderLayer(16, 2, 32, batch_first=True) for _ in range(2))
        self.cross = nn.MultiheadAttention(16, 2, batch_first=True)
        self.head = nn.Linear(64, 5)

    def forward(self, x):
        rows = self.embed(x.permute(0, 2, 1, 3).flatten(2))
        for layer in self.layers:
            rows = layer(rows)
        found, _ = self.cross(self.asked.expand(len(x), -1, -1), rows, rows)
        return self.head(found.flatten(1))


def shared() -> nn.Module:
    """One gate that stands in two blocks."""
    gate = SqueezeExcite(8)
    return Net(lambda _width: gate)


def inner(make):
    return lambda: Net(make)


SE = [("channel", (8,), "sigmoid")]
ODD = {  # how it is made, and the gates in it: kind, shape, activation
    "einsum": (inner(GateByEinsum), SE * 2),
    "branches by einsum": (inner(BranchesByEinsum), [("branch", (2, 8), "softmax")] * 2),
    "pooled over places": (inner(PoolsOverPlaces), [("attention", (1, 1, 64), "softmax")] * 2),
    "softmax of channels": (inner(SoftmaxOverChannels), [("channel", (8,), "softmax")] * 2),
    "mask as bias": (inner(MaskAsBias), [("attention", (1, 64, 64), "softmax")] * 2),
    "in place": (inner(MultipliesInPlace), SE * 2),
    "parts written": (inner(WritesParts), SE * 2),
    "second branch": (inner(FromSecondBranch), [("modulation", (4, 4, 8), "sigmoid")] * 2),
    "views": (inner(Views), [("modulation", (8, 8, 8), "sigmoid")] * 2),
    "counts": (inner(Counts), SE * 2),
    "random": (inner(Random), SE * 2),
    "glu": (inner(GatedUnit), [("modulation", (8, 8, 8), "sigmoid")] * 2),
    "one size": (inner(OneSizeOnly), SE * 2),
    "checkpoint": (inner(Checkpointed), SE * 2),
    "numpy": (inner(OnNumpy), []),
    "sequence": (inner(Reads), []),
    "spectrum": (inner(Spectrum), []),
    "experts": (inner(Routes), [("branch", (4,), "softmax")] * 2),
    "shared": (shared, SE * 2),
    "pair": (lambda: Wrapped(a_pair), SE * 2),
    "list": (lambda: Wrapped(a_list), SE * 2),
    "dict": (lambda: Wrapped(a_dict), SE * 2),
    "named tuple": (lambda: Wrapped(a_named_tuple), SE * 2),
    "dicts between blocks": (BlocksOfDicts, SE * 3),
    "two scales": (TwoScales, SE * 3),
    "at the top": (AtTheTop, [("modulation", (8, 8, 8), "sigmoid")] * 3),
    "blended at the top": (BlendedAtTheTop, [("branch", (3,), "softmax")]),
    "frozen": (lambda: made(SqueezeExcite).requires_grad_(False), SE * 2),
    "no gradient": (WithoutGradient, [("branch", (3, 8), "softmax")] * 2),
    "one picture": (OnePicture, SE * 2),
    "rows": (Rows, [("attention", (2, 32, 32), "softmax")] * 2 + [("attention", (2, 4, 32), "softmax")]),
    "half": (lambda: made(SqueezeExcite).half(), SE * 2),
    "double": (lambda: made(SqueezeExcite).double(), SE * 2),
    "traced by fx": (lambda: torch.fx.symbolic_trace(made(SqueezeExcite)), SE * 2),
    "compiled": (lambda: torch.compile(made(SqueezeExcite), backend="eager"), SE * 2),
    "flat": (lambda: nn.Sequential(nn.Flatten(), nn.Linear(3072, 16), nn.ReLU(), nn.Linear(16, 5)), []),
    "no weights": (lambda: Wrapped(lambda x, _given: x.mean((2, 3)), nn.Identity()), []),
}


def odd(name: str) -> nn.Module:
    """A model with random weights, always the same."""
    torch.manual_seed(0)
    return ODD[name][0]().eval()
