"""Models as others write them, small: every kind of gate, and what looks like one and is none."""

from types import SimpleNamespace

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812 - as others write it

from explorer.any_model import timm_models

SIDE = 32


class Net(nn.Module):
    """A stem, two blocks with something in them, a head."""

    def __init__(self, make, width: int = 8) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, width, 4, 4), nn.ReLU(inplace=True))
        self.blocks = nn.Sequential(Residual(make(width), width), Residual(make(width), width))
        self.head = nn.Linear(width, 5)

    def forward(self, x):
        return self.head(self.blocks(self.stem(x)).mean((2, 3)))


class Residual(nn.Module):
    def __init__(self, inner: nn.Module, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, padding=1)
        self.inner = inner

    def forward(self, x):
        return F.relu(x + self.inner(self.conv(x)), inplace=True)


class FunctionalBranches(nn.Module):
    """Three branches and a softmax, all inside `forward`, as a split attention."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.randn(3, width, width) / width**0.5)
        self.fc = nn.Linear(width, 3 * width)

    def forward(self, x):
        a, b, c = (torch.einsum("oi,bihw->bohw", weight, x) for weight in self.weights)
        gate = self.fc((a + b + c).mean((2, 3))).view(len(x), 3, -1, 1, 1)
        gate = torch.softmax(gate, dim=1)
        return gate[:, 0] * a + gate[:, 1] * b + gate[:, 2] * c


class StackedBranches(FunctionalBranches):
    """The same with the branches in one tensor, summed over their axis."""

    def forward(self, x):
        stack = torch.stack([torch.einsum("oi,bihw->bohw", weight, x) for weight in self.weights], dim=1)
        gate = self.fc(stack.sum(1).mean((2, 3))).reshape(len(x), 3, -1)
        return (stack * F.softmax(gate, dim=1)[..., None, None]).sum(dim=1)


class SqueezeExcite(nn.Module):
    """The gate is the last part of an `nn.Sequential`."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc = nn.Sequential(nn.Conv2d(width, 4, 1), nn.ReLU(), nn.Conv2d(4, width, 1), nn.Sigmoid())

    def forward(self, x):
        return x * self.fc(x.mean((2, 3), keepdim=True))


class HardByHand(nn.Module):
    """A hard sigmoid written out, of a vector, over channels that come last."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc = nn.Linear(width, width)

    def forward(self, x):
        x = x.permute(0, 2, 3, 1)
        gate = F.relu6(self.fc(x.mean((1, 2))) + 3.0) / 6.0
        return (x * gate[:, None, None, :]).permute(0, 3, 1, 2)


class TwoInputs(nn.Module):
    """A gate decided by two maps together, which opens one and closes the other."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.left, self.right = nn.Conv2d(width, width, 1), nn.Conv2d(width, width, 1)
        self.decide = nn.Conv2d(2 * width, width, 1)

    def forward(self, x):
        left, right = self.left(x), self.right(x)
        gate = torch.sigmoid(self.decide(torch.cat([left, right], 1)))
        return gate * left + (1 - gate) * right


class Reused(nn.Module):
    """One activation for two gates of one forward."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.one, self.two = nn.Conv2d(width, width, 1), nn.Conv2d(width, width, 1)
        self.act = nn.Sigmoid()

    def forward(self, x):
        pooled = x.mean((2, 3), keepdim=True)
        return x * self.act(self.one(pooled)) + x.flip(1) * self.act(self.two(pooled))


class Star(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.one, self.two = nn.Conv2d(width, width, 1), nn.Conv2d(width, width, 1)

    def forward(self, x):
        return F.relu6(self.one(x)) * self.two(x)


class GlobalResponse(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1, width, 1, 1))

    def forward(self, x):
        norm = x.norm(p=2, dim=(2, 3), keepdim=True)
        return x + self.scale * (x * (norm / (norm.mean(dim=1, keepdim=True) + 1e-6)))


class Attention(nn.Module):
    """Self-attention over the places, fused or step by step."""

    def __init__(self, width: int, fused: bool = False) -> None:
        super().__init__()
        self.qkv = nn.Linear(width, 3 * width)
        self.fused = fused

    def forward(self, x):
        b, c, h, w = x.shape
        q, k, v = (
            self.qkv(x.flatten(2).transpose(1, 2)).reshape(b, h * w, 3, 2, c // 2).permute(2, 0, 3, 1, 4)
        )
        if self.fused:
            y = F.scaled_dot_product_attention(q, k, v)
        else:
            y = (q @ k.transpose(-2, -1) * (c // 2) ** -0.5).softmax(-1) @ v
        return y.transpose(1, 2).reshape(b, h * w, c).transpose(1, 2).reshape(b, c, h, w)


class MultiHead(nn.Module):
    """Self-attention as PyTorch has it, which is computed in one call."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(width, 2, batch_first=True)

    def forward(self, x):
        tokens = x.flatten(2).transpose(1, 2)
        made, _ = self.attention(tokens, tokens, tokens, need_weights=False)
        return made.transpose(1, 2).reshape(x.shape)


class EncoderLayer(nn.Module):
    """A whole layer of PyTorch's own transformer, of which not even that call is made."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layer = nn.TransformerEncoderLayer(width, 2, 16, batch_first=True)

    def forward(self, x):
        return self.layer(x.flatten(2).transpose(1, 2)).transpose(1, 2).reshape(x.shape)


class Activations(nn.Module):
    """Swish and its kin by hand, a norm by hand, a scale that is learned once: none of them a gate."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(width, 1, 1))

    def forward(self, x):
        x = x * torch.sigmoid(1.7 * x)
        x = 0.5 * x * (1 + torch.tanh(0.8 * (x + 0.04 * x**3)))
        x = x * torch.tanh(F.softplus(x))
        x = x * F.relu6(x + 3) / 6
        x = x * torch.rsqrt(x.pow(2).mean(1, keepdim=True) + 1e-6)
        return self.scale * F.silu(F.gelu(x))


class Tokens(nn.Module):
    """Tokens with a class token, of one size of picture only."""

    def __init__(self, width: int = 8, heads: bool = False) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, width, 4, 4)
        self.cls = nn.Parameter(torch.randn(1, 1, width))
        self.place = nn.Parameter(torch.randn(1, 65, width))
        self.blocks = nn.ModuleList([TokenBlock(width) for _ in range(3)])
        self.head = nn.Linear(width, 5)

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls.expand(len(x), -1, -1), x], 1) + self.place
        for block in self.blocks:
            x = block(x)
        return {"features": x, "logits": self.head(x[:, 0])}


class TokenBlock(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.mix = nn.Linear(65, 65)
        self.mlp = nn.Sequential(nn.Linear(width, width), nn.GELU())

    def forward(self, x):
        x = x + self.mix(self.norm(x).transpose(1, 2)).transpose(1, 2)
        return x + self.mlp(x)


GATES = {  # what is found in each of the two blocks: kind, axes, shape, activation
    FunctionalBranches: [("branch", ("branches", "channels"), (3, 8), "softmax")],
    StackedBranches: [("branch", ("branches", "channels"), (3, 8), "softmax")],
    SqueezeExcite: [("channel", ("channels",), (8,), "sigmoid")],
    HardByHand: [("channel", ("channels",), (8,), "hard_sigmoid")],
    TwoInputs: [("modulation", ("rows", "columns", "channels"), (8, 8, 8), "sigmoid")],
    Reused: [("channel", ("channels",), (8,), "sigmoid")] * 2,
    Star: [("modulation", ("rows", "columns", "channels"), (8, 8, 8), "relu6")],
    GlobalResponse: [("modulation", ("channels",), (8,), "response norm")],
    Attention: [("attention", ("heads", "queries", "keys"), (2, 64, 64), "softmax")],
    MultiHead: [("attention", ("heads", "queries", "keys"), (2, 64, 64), "softmax")],
    EncoderLayer: [("attention", ("heads", "queries", "keys"), (2, 64, 64), "softmax")],
    Activations: [],
}


CONFIG = {"input_size": (3, SIDE, SIDE), "crop_pct": 0.9, "interpolation": "bilinear", "num_classes": 5}
CONFIG |= {"mean": (0.1, 0.2, 0.3), "std": (0.4, 0.5, 0.6), "hf_hub_id": "timm/tiny"}


def like_timm() -> SimpleNamespace:
    """What of timm is called, with two models."""

    def create_model(name: str, pretrained: bool = False, num_classes: int = 5):
        assert not pretrained, "nothing is fetched here"
        model = made({"tiny": StackedBranches, "small": SqueezeExcite}[name])
        model.head = nn.Linear(8, num_classes)
        model.pretrained_cfg = CONFIG
        return model

    return SimpleNamespace(
        __version__="0",
        is_model=lambda name: name in ("tiny", "small"),
        list_models=lambda: ["small", "tiny"],
        get_pretrained_cfg=lambda *_args, **_more: SimpleNamespace(to_dict=lambda: CONFIG),
        create_model=create_model,
    )


def beside_timm(monkeypatch) -> None:
    """For the length of a test timm is here, as `like_timm`."""
    monkeypatch.setattr(timm_models, "find_spec", lambda _name: True)
    monkeypatch.setattr(timm_models, "import_module", lambda _name: like_timm())


def without_timm(monkeypatch) -> None:
    """For the length of a test timm is not here, whether it is or not."""
    monkeypatch.setattr(timm_models, "find_spec", lambda _name: None)


def small() -> nn.Module:
    """A model as `--model tests.foreign:small` asks for it."""
    return made(SqueezeExcite)


def made(make=SqueezeExcite, **settings) -> nn.Module:
    """A model with random weights, always the same."""
    torch.manual_seed(0)
    return (Tokens() if make is Tokens else Net(lambda width: make(width, **settings))).eval()
