"""Every further hyper-parameter of a single block does what its definition, written here, says."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from explorer.capture import probes, run
from explorer.mixing.theoretical_field import theoretical_field
from models import card, create
from models.block_settings import printed
from models.blocks import BLOCKS, create_block, default_input
from models.probe import Kind

PERMUTE = {"dim": 12, "seg_dim": 3}  # three segments of four channels
MAP = torch.randn(2, 12, 6, 6, generator=torch.Generator().manual_seed(0))
MLP = {"dim": 12, "n_div": 4, "mlp_ratio": 2}
PLAIN = {"dim": 4, "depths": (1, 2), "patch_size": 4}


def made(name: str, **settings) -> nn.Module:
    """A block with every weight and statistic drawn anew, so that norms and biases do something."""
    block = create_block(name, **settings)
    generator = torch.Generator().manual_seed(1)
    for key, tensor in block.state_dict().items():
        if tensor.is_floating_point():
            tensor.copy_(
                torch.rand(tensor.shape, generator=generator) + (0.5 if "running_var" in key else 0.0)
            )
    return block


def close(ours: torch.Tensor, defined: torch.Tensor) -> None:
    torch.testing.assert_close(ours, defined, rtol=1e-4, atol=1e-4)


def permuted(block: nn.Module, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """The three branches, a line at a time: one segment of a column, and of a row, through its layer."""
    segments, width = PERMUTE["seg_dim"], PERMUTE["dim"] // PERMUTE["seg_dim"]
    height, across = torch.empty_like(x), torch.empty_like(x)
    for line in range(segments):
        for segment in range(segments):
            cut = slice(segment * width, (segment + 1) * width)
            column = functional.linear(x[:, :, line, cut].flatten(1), block.mlp_h.weight, block.mlp_h.bias)
            row = functional.linear(x[:, line, :, cut].flatten(1), block.mlp_w.weight, block.mlp_w.bias)
            height[:, :, line, cut] = column.view(-1, segments, width)
            across[:, line, :, cut] = row.view(-1, segments, width)
    return height, across, functional.linear(x, block.mlp_c.weight, block.mlp_c.bias)


@pytest.mark.parametrize("bias", [False, True])
@torch.no_grad()
def test_the_layers_of_a_permute_mlp_have_biases_where_asked(bias):
    block = made("WeightedPermuteMLP", **PERMUTE, qkv_bias=bias)
    assert {f"mlp_{one}.bias" in block.state_dict() for one in "hwc"} == {bias}
    x = torch.randn(2, 3, 3, 12)
    branches = permuted(block, x)
    hidden = functional.gelu(block.reweight.fc1(sum(branches).mean(dim=(1, 2))))
    shares = block.reweight.fc2(hidden).view(2, 12, 3).softmax(dim=-1)
    blended = sum(shares[:, None, None, :, k] * branch for k, branch in enumerate(branches))
    close(block(x), functional.linear(blended, block.proj.weight, block.proj.bias))
    plain = made("PermuteMLP", **PERMUTE, qkv_bias=bias)
    close(plain(x), plain.proj(sum(permuted(plain, x))))


@pytest.mark.parametrize("name", ["WeightedPermuteMLP", "PermuteMLP"])
@torch.no_grad()
def test_a_permute_mlp_drops_a_share_of_its_result_while_training_only(name):
    block, x = made(name, **PERMUTE, proj_drop=0.25), torch.randn(40, 3, 3, 12)
    whole = block(x)
    close(whole, made(name, **PERMUTE)(x))
    torch.manual_seed(2)
    dropped = block.train()(x)
    kept = dropped != 0
    assert abs(kept.float().mean() - 0.75) < 0.03
    close(dropped[kept], whole[kept] / 0.75)


@pytest.mark.parametrize(("patch", "heads", "depth"), [(2, 16, 4), (3, 4, 1)])
@torch.no_grad()
def test_the_corrected_mobilevit_attention_is_what_its_article_means(patch, heads, depth):
    sizes = {"transformer_dim": 32, "patch": patch, "num_heads": heads, "depth": depth}
    block = made("MobileViT_Attention", **sizes)
    x = torch.randn(2, 3, 6, 6)
    local = functional.relu(
        block.local_conv[1](
            functional.conv2d(x, block.local_conv[0].weight, block.local_conv[0].bias, padding=1)
        )
    )
    mixed = torch.empty_like(local)
    for row in range(patch):
        for column in range(patch):
            places = local[:, :, row::patch, column::patch]
            tokens = block.embedding(places.flatten(2).transpose(1, 2))
            for layer in block.layers:
                attention = nn.MultiheadAttention(32, heads, batch_first=True).eval()
                attention.load_state_dict(
                    {
                        "in_proj_weight": layer[0].qkv.weight,
                        "in_proj_bias": layer[0].qkv.bias,
                        "out_proj.weight": layer[0].proj.weight,
                        "out_proj.bias": layer[0].proj.bias,
                    }
                )
                tokens = attention(tokens, tokens, tokens)[0]
            back = block.unembedding(tokens).transpose(1, 2).view_as(places)
            mixed[:, :, row::patch, column::patch] = back
    conv, norm, _ = block.fusion_conv
    joined = torch.cat([local, mixed], dim=1)
    close(block(x), functional.relu(norm(functional.conv2d(joined, conv.weight, conv.bias, padding=1))))


@torch.no_grad()
def test_the_corrected_mobilevit_attention_has_sixteen_heads_and_four_layers_unless_told_otherwise():
    block = create_block("MobileViT_Attention")
    attention = run(block, default_input("MobileViT_Attention")).of(Kind.ATTENTION)
    assert [layer.value.shape[1] for layer in attention] == [16] * 4
    kinds = [type(part) for part in (*block.local_conv, *block.fusion_conv)]
    assert kinds == [nn.Conv2d, nn.BatchNorm2d, nn.ReLU] * 2
    assert [part.p for part in block.modules() if isinstance(part, nn.Dropout)] == [0.1] * 4
    fewer = create_block("MobileViT_Attention", num_heads=6)
    assert run(fewer, torch.rand(1, 3, 8, 8)).of(Kind.ATTENTION)[0].value.shape == (4, 6, 16, 16)


@torch.no_grad()
def test_the_circulating_mobilevit_attention_takes_heads_and_widths():
    sizes = {"transformer_dim": 8, "depth": 1, "num_heads": 2, "head_dim": 5, "mlp_dim": 7}
    block = create_block("MobileViTAttention", **sizes)
    assert block.transformer[0].attn.qkv.weight.shape == (3 * 2 * 5, 8)
    assert block.transformer[0].fc1.weight.shape == (7, 8)
    assert run(block, torch.rand(1, 3, 14, 14)).of(Kind.ATTENTION)[0].value.shape == (49, 2, 4, 4)


def norm_by_definition(kind: str, norm: nn.Module, x: torch.Tensor) -> torch.Tensor:
    if kind == "none":
        return x
    if kind == "ln":
        mean, variance = x.mean(dim=1, keepdim=True), x.var(dim=1, keepdim=True, unbiased=False)
    else:
        mean, variance = norm.running_mean[:, None, None], norm.running_var[:, None, None]
    normed = (x - mean) / (variance + 1e-5).sqrt()
    return normed * norm.weight[:, None, None] + norm.bias[:, None, None]


@pytest.mark.parametrize("norm", ["bn", "ln", "none"])
@pytest.mark.parametrize("act", ["gelu", "relu"])
@pytest.mark.parametrize("scale", [0.0, 0.3])
@torch.no_grad()
def test_a_block_of_fasternet_has_the_norm_the_activation_and_the_scale_asked_for(norm, act, scale):
    block = made("MLPBlock", **MLP, norm_layer=norm, act_layer=act.upper(), layer_scale_init_value=scale)
    first, inner, _, last = block.mlp
    mixed = MAP.clone()
    mixed[:, :3] = functional.conv2d(MAP[:, :3], block.spatial_mixing.conv.weight, padding=1)
    hidden = {"gelu": functional.gelu, "relu": functional.relu}[act](
        norm_by_definition(norm, inner, first(mixed))
    )
    factors = block.layer_scale.factors[:, None, None] if scale else 1.0
    close(block(MAP), MAP + factors * last(hidden))


@torch.no_grad()
def test_layer_scale_starts_at_its_value_for_every_channel_and_is_learned():
    block = create_block("BasicStage", **MLP, depth=2, layer_scale_init_value=0.01)
    scales = [value for name, value in block.named_parameters() if "layer_scale" in name]
    assert [value.tolist() for value in scales] == [pytest.approx([0.01] * 12)] * 2
    assert not any("layer_scale" in name for name in create_block("BasicStage").state_dict())


@pytest.mark.parametrize(("name", "settings"), [("MLPBlock", MLP), ("BasicStage", {**MLP, "depth": 1})])
@torch.no_grad()
def test_a_block_of_fasternet_leaves_its_branch_out_for_a_share_of_pictures_while_training(name, settings):
    block = made(name, **settings, norm_layer="ln", drop_path=0.5)
    pictures = MAP[:1].repeat(200, 1, 1, 1)
    whole = block(pictures)
    torch.manual_seed(3)
    changed = block.train()(pictures)
    left_out = (changed == pictures).flatten(1).all(dim=1)
    assert 0.35 < left_out.float().mean() < 0.65
    close((changed - pictures)[~left_out], 2 * (whole - pictures)[~left_out])


@torch.no_grad()
def test_both_ways_to_write_a_partial_convolution_give_the_same_bits():
    for name, settings in (("MLPBlock", MLP), ("BasicStage", {**MLP, "depth": 2})):
        slicing, joining = (made(name, **settings, pconv_fw_type=form) for form in ("slicing", "split_cat"))
        forms = {part.form for part in slicing.modules() if hasattr(part, "form")}
        assert forms == {"slicing"}
        assert torch.equal(slicing(MAP), joining(MAP))


@pytest.mark.parametrize(
    ("name", "settings", "size", "stride"),
    [
        ("PatchEmbed", {"in_dim": 12, "dim": 5, "patch_size": 3, "patch_stride": 2}, 3, 2),
        ("PatchEmbed", {"in_dim": 12, "dim": 5, "patch_size": 3}, 3, 3),
        ("PatchMerging", {"in_dim": 12, "dim": 5, "patch_size2": 3, "patch_stride2": 1}, 3, 1),
        ("PatchMerging", {"in_dim": 12, "dim": 5}, 2, 2),
    ],
)
@torch.no_grad()
def test_patches_may_overlap_or_leave_gaps(name, settings, size, stride):
    block = made(name, **settings, norm_layer="none")
    places = (6 - size) // stride + 1
    defined = torch.empty(2, 5, places, places)
    for row in range(places):
        for column in range(places):
            patch = MAP[:, :, row * stride : row * stride + size, column * stride : column * stride + size]
            defined[:, :, row, column] = patch.flatten(1) @ block.proj.weight.flatten(1).T
    close(block(MAP), defined)
    close(
        made(name, **settings, norm_layer="ln").norm(defined),
        norm_by_definition("ln", block_norm(name, settings), defined),
    )


def block_norm(name: str, settings: dict) -> nn.Module:
    return made(name, **settings, norm_layer="ln").norm


@torch.no_grad()
def test_forked_features_are_the_normalised_maps_of_all_stages():
    forked, image = made("FasterNet", **PLAIN, fork_feat=True), torch.rand(2, 3, 32, 32)
    maps = forked(image)
    assert [each.shape for each in maps] == [(2, 4, 8, 8), (2, 8, 4, 4)]
    x = forked.stem(image)
    for stage, normed, ours in zip(forked.stages, forked.maps, maps, strict=True):
        x = stage(x)
        close(ours, norm_by_definition("bn", normed.norm, x))
    alone = create_block("FasterNet", **PLAIN)
    alone.load_state_dict({key: value for key, value in forked.state_dict().items() if "maps." not in key})
    assert torch.equal(alone(image), x)


def test_a_network_takes_all_of_it_from_stem_to_last_stage():
    block = create_block(
        "FasterNet",
        **PLAIN,
        patch_stride=2,
        patch_size2=3,
        patch_stride2=1,
        patch_norm=False,
        drop_path_rate=0.2,
        layer_scale_init_value=0.5,
        norm_layer="ln",
        act_layer="relu",
        pconv_fw_type="slicing",
    )
    merging = block.stages[1].downsample
    assert (block.stem.proj.kernel_size, block.stem.proj.stride) == ((4, 4), (2, 2))
    assert (merging.proj.kernel_size, merging.proj.stride) == ((3, 3), (1, 1))
    assert isinstance(block.stem.norm, nn.Identity)
    assert isinstance(merging.norm, nn.Identity)
    blocks = [each for stage in block.stages for each in stage.blocks]
    assert [each.drop_path.rate for each in blocks] == pytest.approx([0, 0.1, 0.2])
    assert {each.spatial_mixing.form for each in blocks} == {"slicing"}
    assert all(each.layer_scale.factors.eq(0.5).all() for each in blocks)
    assert {(type(each.mlp[1]).__name__, type(each.mlp[2])) for each in blocks} == {("PlaceNorm", nn.ReLU)}


FURTHER = [
    "WeightedPermuteMLP(dim=16, seg_dim=4, qkv_bias=1, proj_drop=0.1)",
    "MobileViT_Attention(dim=8, transformer_dim=16, patch=2, depth=1, num_heads=8, kernel=1)",
    "MLPBlock(dim=8, n_div=4, mlp_ratio=2, layer_scale_init_value=0.1, norm_layer=ln, act_layer=relu)",
    "PatchEmbed(in_dim=3, dim=8, patch_size=100, patch_stride=50)",
    "PatchMerging(in_dim=8, dim=8, patch_size2=30)",
    "FasterNet(dim=4, patch_size=7, n_div=4, mlp_ratio=2, depths=1-1-1-1, patch_stride=5, fork_feat=1)",
    "FasterNet(dim=4, patch_size=16, n_div=4, mlp_ratio=2, depths=1-1-1-1)",
]


@pytest.mark.parametrize("name", FURTHER)
def test_a_picture_reaches_a_block_with_further_hyper_parameters(name):
    assert card(name).name == name
    size = card(name).image_size
    model = create(name)
    seen = run(model, torch.rand(1, 3, size, size, generator=torch.Generator().manual_seed(4)))
    assert set(seen.activations) == set(probes(model))
    assert seen.logits.isfinite().all()
    assert seen.logits.std() > 0
    assert model(torch.rand(1, 3, size, size)).requires_grad


def test_the_vector_of_forked_features_holds_the_means_of_all_maps():
    name = FURTHER[-2]
    seen = run(create(name), torch.rand(1, 3, 64, 64))
    means = [seen.activations[f"block.maps.{stage}.output"].value.mean(dim=(1, 2)) for stage in range(4)]
    close(seen.logits, torch.cat(means, dim=1))


def test_a_scaled_branch_is_still_seen_by_the_theoretical_field():
    """Through a 3 x 3 on one channel in four, whatever the scale of the branch is."""
    scaled, plain = (
        theoretical_field(create(f"MLPBlock(dim=8{more})"), (64, 64), "block.output", (8, 8))
        for more in (", layer_scale_init_value=0.001", "")
    )
    assert torch.equal(scaled, plain)
    assert plain.sum() == 12 * 12


def test_every_default_of_a_further_hyper_parameter_is_allowed():
    kinds = [kind for found in BLOCKS.values() for kind in found.more.values()]
    assert len(kinds) > 30
    assert all(kind.default is None or kind.read(printed(kind.default)) == kind.default for kind in kinds)
