"""ViP, S2-MLPv2 and MobileViT said again as papers and repositories say them: reshape, permute, no probes.

What `benchmarks.forward` compares with. The parameters are those of our models, so both compute the same.
"""

import torch
from torch import Tensor
from torch.nn.functional import gelu, interpolate, layer_norm, linear, silu

from models.mobilevit import InvertedResidual, MobileViT, MobileViTBlock
from models.s2_mlp_v2 import S2MlpV2
from models.vision_permutator import VisionPermutator


def mlp(part, x: Tensor) -> Tensor:
    return part.fc2(gelu(part.fc1(x)))


def patches(part, x: Tensor) -> Tensor:
    """On a table of tokens."""
    return part.norm(part.proj(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1))


def vision_permutator(model: VisionPermutator, image: Tensor) -> Tensor:
    x = patches(model.stem, image.permute(0, 2, 3, 1))
    for stage in model.stages:
        if hasattr(stage.downsample, "proj"):
            x = patches(stage.downsample, x)
        for block in stage.blocks:
            x = x + permute_mlp(block.token_mixing, block.norm1(x))
            x = x + mlp(block.channel_mixing, block.norm2(x))
    return model.head(model.norm(x).mean(dim=(1, 2)))


def permute_mlp(part, x: Tensor) -> Tensor:
    b, height, width, c = x.shape
    g = part.segments
    s = c // g
    h = x.reshape(b, height, width, g, s).permute(0, 3, 2, 1, 4).reshape(b, g, width, height * s)
    h = part.mlp_h(h).reshape(b, g, width, height, s).permute(0, 3, 2, 1, 4).reshape(b, height, width, c)
    w = x.reshape(b, height, width, g, s).permute(0, 1, 3, 2, 4).reshape(b, height, g, width * s)
    w = part.mlp_w(w).reshape(b, height, g, width, s).permute(0, 1, 3, 2, 4).reshape(b, height, width, c)
    channel = part.mlp_c(x)
    a = (h + w + channel).permute(0, 3, 1, 2).flatten(2).mean(2)
    a = mlp(part.reweight, a).reshape(b, c, 3).permute(2, 0, 1).softmax(dim=0).unsqueeze(2).unsqueeze(2)
    return part.proj(h * a[0] + w * a[1] + channel * a[2])


def s2_mlp_v2(model: S2MlpV2, image: Tensor) -> Tensor:
    x = image.permute(0, 2, 3, 1)
    for stage in model.stages:
        x = patches(stage.downsample, x)
        for block in stage.blocks:
            x = x + s2_attention(block.token_mixing, block.norm1(x))
            x = x + mlp(block.channel_mixing, block.norm2(x))
    return model.head(x.mean(dim=(1, 2)))


def shifted(x: Tensor, first: int) -> Tensor:
    """Out of place, quarter by quarter; the first two along axis `first`, the others along the other."""
    made, c = x.clone(), x.shape[3]
    second = 3 - first
    for quarter, axis, step in ((0, first, 1), (1, first, -1), (2, second, 1), (3, second, -1)):
        part = slice(quarter * c // 4, (quarter + 1) * c // 4)
        length = x.shape[axis]
        here, there = (1, 0) if step == 1 else (0, 1)
        target = made[..., part].narrow(axis, here, length - 1)
        target.copy_(x[..., part].narrow(axis, there, length - 1))
    return made


def s2_attention(part, x: Tensor) -> Tensor:
    b, height, width, c = x.shape
    x = part.expand(x)
    one, two, three = shifted(x[..., :c], 1), shifted(x[..., c : 2 * c], 2), x[..., 2 * c :]
    branches = torch.stack([one, two, three], 1).reshape(b, 3, -1, c)
    attention = part.split_attention.reweight
    pooled = branches.sum(dim=1).sum(dim=1)
    a = linear(gelu(linear(pooled, attention.fc1.weight)), attention.fc2.weight)
    a = a.reshape(b, 3, c).softmax(dim=1).unsqueeze(2)
    return part.proj((a * branches).sum(dim=1).reshape(b, height, width, c))


def mobilevit(model: MobileViT, image: Tensor) -> Tensor:
    x = conv(model.stem, image)
    for stage in model.stages:
        for block in stage:
            x = inverted(block, x) if isinstance(block, InvertedResidual) else mobilevit_block(block, x)
    return model.head(conv(model.final_conv, x).mean(dim=(2, 3)))


def conv(part, x: Tensor) -> Tensor:
    return part.act(part.bn(part.conv(x)))


def inverted(part: InvertedResidual, x: Tensor) -> Tensor:
    made = conv(part.conv3_1x1, conv(part.conv2_kxk, conv(part.conv1_1x1, x)))
    return x + made if part.residual else made


def mobilevit_block(part: MobileViTBlock, x: Tensor) -> Tensor:
    local = part.conv_1x1(conv(part.conv_kxk, x))
    b, c, height, width = local.shape
    p = part.patch
    even = [-(-height // p) * p, -(-width // p) * p]
    if even != [height, width]:
        local = interpolate(local, size=even, mode="bilinear")
    nh, nw = even[0] // p, even[1] // p
    tokens = local.reshape(b * c * nh, p, nw, p).transpose(1, 2).reshape(b, c, nh * nw, p * p)
    tokens = tokens.transpose(1, 3).reshape(b * p * p, nh * nw, c)
    for layer in part.transformer:
        tokens = tokens + attention(layer.attn, layer.norm1(tokens))
        tokens = tokens + layer.fc2(silu(layer.fc1(layer.norm2(tokens))))
    tokens = layer_norm(tokens, (c,), part.norm.weight, part.norm.bias)
    folded = tokens.reshape(b, p * p, nh * nw, c).transpose(1, 3).reshape(b * c * nh, nw, p, p)
    folded = folded.transpose(1, 2).reshape(b, c, nh * p, nw * p)
    if even != [height, width]:
        folded = interpolate(folded, size=(height, width), mode="bilinear")
    return conv(part.conv_fusion, torch.cat([x, conv(part.conv_proj, folded)], dim=1))


def attention(part, x: Tensor) -> Tensor:
    b, n, c = x.shape
    qkv = part.qkv(x).reshape(b, n, 3, part.num_heads, c // part.num_heads).permute(2, 0, 3, 1, 4)
    weights = ((qkv[0] * qkv.shape[-1] ** -0.5) @ qkv[1].transpose(-2, -1)).softmax(dim=-1)
    return part.proj((weights @ qkv[2]).transpose(1, 2).reshape(b, n, c))
