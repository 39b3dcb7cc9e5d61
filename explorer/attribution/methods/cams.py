"""Class activation maps at any feature map of any layout, and the rollout of attention."""

import re
from collections.abc import Callable, Iterator

import torch
from einops import rearrange, reduce
from torch import Tensor
from torch.nn.functional import interpolate

from explorer.attribution.methods.case import Case, Part, channels_first, logits_of, refuse, wanting
from explorer.attribution.methods.rules import CutReLU, quietly, told_as
from explorer.capture import hooked, probes
from explorer.engine.late_imports import captum
from models.probe import Kind

NEAREST = 3  # classes that Finer-CAM compares with


def grad_cam(case: Case) -> Iterator[Part]:
    """Channels weighted by their mean gradient (Selvaraju et al., 2017), without its final ReLU.

    What speaks against the class stays visible as negative values.
    """
    value, slope = with_slope(case)
    weights = reduce(slope, "1 c h w -> 1 c 1 1", "mean")
    yield Part(1, 1, (weights * value).sum(dim=1, keepdim=True))


def guided_grad_cam(case: Case) -> Iterator[Part]:
    """Grad-CAM times Guided Backprop (Selvaraju et al., 2017)."""
    case = told_as(case, CutReLU)
    with channels_first(case.probe) as layer, quietly():
        values = captum.GuidedGradCam(case.model, layer).attribute(wanting(case.image), case.target)
    yield Part(1, 1, values)


def layer_cam(case: Case) -> Iterator[Part]:
    """Every place weighted by its own positive gradient (Jiang et al., 2021), without a final ReLU."""
    value, slope = with_slope(case)
    yield Part(1, 1, (value * slope.relu()).sum(dim=1, keepdim=True))


def hires_cam(case: Case) -> Iterator[Part]:
    """Every place weighted by its own gradient (HiResCAM, Draelos & Carin, 2020), without its final ReLU."""
    value, slope = with_slope(case)
    yield Part(1, 1, (value * slope).sum(dim=1, keepdim=True))


def grad_cam_plus_plus(case: Case) -> Iterator[Part]:
    """Channels weighted by their positive gradients, as far as each place needs (Chattopadhay et al., 2018).

    eq. 19, with the exponential of the logit as the score, whose second and third derivatives are powers of
    the gradient; the factor exp(logit), the same for all channels, is left out, and so is the final ReLU.
    """
    value, slope = with_slope(case)
    everywhere = reduce(value, "1 c h w -> 1 c 1 1", "sum")
    below = 2 * slope.square() + everywhere * slope.pow(3)
    alpha = slope.square() / torch.where(below == 0, torch.ones_like(below), below)
    weights = reduce(alpha * slope.relu(), "1 c h w -> 1 c 1 1", "sum")
    yield Part(1, 1, (weights * value).sum(dim=1, keepdim=True))


def finer_cam(case: Case) -> Iterator[Part]:
    """Grad-CAM of what sets the class apart from those most like it (Zhang et al., 2025), without a ReLU.

    The classes whose logits are nearest to its own, or the rival that was chosen; the mean of their logits is
    taken off whole, the paper's gamma being 1, so that a number added to all logits changes nothing.
    """
    value, slope = with_slope(case, None if case.options.against is not None else beyond_the_nearest)
    weights = reduce(slope, "1 c h w -> 1 c 1 1", "mean")
    yield Part(1, 1, (weights * value).sum(dim=1, keepdim=True))


def beyond_the_nearest(logits: Tensor, target: int) -> Tensor:
    """How much larger the logit of a class is than the mean of the nearest others, of logits `[classes]`."""
    refuse(len(logits) < 2, "Finer-CAM compares a class with others, and this model has one.")
    order = (logits - logits[target]).detach().abs().argsort(stable=True)
    nearest = order[order != target][:NEAREST]
    return logits[target] - logits[nearest].mean()


def with_slope(case: Case, explained: Callable[[Tensor, int], Tensor] | None = None) -> tuple[Tensor, Tensor]:
    """The chosen map and the gradient of what is explained, `[1, c, h, w]` each.

    Only what comes after the map is computed with a graph: the gradient goes no further back.

    explained: a number made of the logits `[classes]` and the class; None for the logit itself.
    """
    kept = {}

    def keep(_module, _args, value: Tensor) -> Tensor:
        kept["map"] = value.detach().requires_grad_()
        torch.set_grad_enabled(True)  # until the end of the block below
        return kept["map"].clone()  # which models of others may write into

    with channels_first(case.probe) as layer, hooked({layer: keep}), torch.no_grad():
        logits = case.model(case.image)[0]
        score = logits[case.target] if explained is None else explained(logits, case.target)
        (slope,) = torch.autograd.grad(score, kept["map"])
    return kept["map"].detach(), slope


def score_cam(case: Case) -> Iterator[Part]:
    """Channels weighted by what the model says of the picture seen through them (Wang et al., 2020).

    Every channel, scaled to [0, 1] and to the size of the image, lets the picture through and the baseline
    elsewhere; its weight is the softmax over the channels of the logits so reached. Of many channels the
    strongest `options.channels` are tried.
    """
    value, _ = with_slope(case)
    strongest = value[0].abs().mean(dim=(1, 2)).argsort(descending=True, stable=True)[: case.options.channels]
    maps = value[0, strongest]
    low, high = maps.amin(dim=(1, 2), keepdim=True), maps.amax(dim=(1, 2), keepdim=True)
    masks = rearrange((maps - low) / (high - low).clamp_min(1e-12), "n h w -> n 1 h w")
    masks = interpolate(masks, size=case.image.shape[-2:], mode="bilinear", align_corners=False)
    gains: list[Tensor] = []
    for start in range(0, len(masks), case.at_once):
        chunk = masks[start : start + case.at_once]
        gains.append(logits_of(case, case.baseline + chunk * (case.image - case.baseline)))
        known = torch.cat(gains)
        weights = known.softmax(dim=0)
        seen = torch.einsum("n,nhw->hw", weights, maps[: len(known)])
        yield Part(len(known), len(masks), rearrange(seen, "h w -> 1 1 h w"))


def attention_rollout(case: Case) -> Iterator[Part]:
    """How much each place is looked at, through all attention layers of a block, averaged over the blocks.

    Attention averaged over heads, half of it the place itself, multiplied layer by layer (Abnar & Zuidema,
    2020), averaged over the places that look. It knows nothing of the class. Blocks that attend to a single
    place say nothing and are left out.
    """
    layers = attention_layers(case.network)
    refuse(not layers, "This model has no attention to roll out.")
    seen: dict[str, Tensor] = {}
    names = {probe: name for name, probe in probes(case.network, Kind.ATTENTION).items()}

    def keep(probe, _args, value: Tensor) -> None:
        seen[names[probe]] = reduce(probe.canonical(value), "b heads q k -> b q k", "mean")

    with torch.no_grad(), hooked(dict.fromkeys(names, keep)):
        case.network(case.image)
    looked = [rolled([seen[name] for name in block]) for block in layers.values()]
    maps = [placed(one, case) for one in looked if one.shape[1] > 1]
    refuse(not maps, "Every block of this model attends to a single place at this size.")
    finest = max(one.shape[-2:] for one in maps)
    # A coarse place shares what it gets evenly among the fine ones in it.
    shared = [
        interpolate(one, size=finest, mode="nearest")
        * (one.shape[-1] * one.shape[-2])
        / (finest[0] * finest[1])
        for one in maps
    ]
    yield Part(1, 1, torch.stack(shared).mean(dim=0))


def rolled(attentions: list[Tensor]) -> Tensor:
    """Attention `[b, q, k]` of the layers of a block, multiplied up and averaged over who looks `[b, k]`."""
    flow = torch.eye(attentions[0].shape[-1]).to(attentions[0])
    for attention in attentions:
        flow = 0.5 * (attention + torch.eye(attention.shape[-1]).to(attention)) @ flow
    return flow.mean(dim=1)


def attention_layers(network) -> dict[str, list[str]]:
    """Names of the attention probes, by the block they are in."""
    found: dict[str, list[str]] = {}
    for name in probes(network, Kind.ATTENTION):
        found.setdefault(re.sub(r"\.transformer\..*", "", name), []).append(name)
    return found


def placed(looked: Tensor, case: Case) -> Tensor:
    """`[offsets, tokens]` of the unfolded patches back on the map `[1, 1, h, w]`."""
    side = round(len(looked) ** 0.5)
    height, width = case.image.shape[-2:]
    rows = round((looked.shape[1] * height / width) ** 0.5)
    return rearrange(looked, "(ph pw) (nh nw) -> 1 1 (nh ph) (nw pw)", ph=side, nh=rows)
