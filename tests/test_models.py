"""Promises of every registered model."""

import pytest
import torch
from safetensors.torch import save_file

from models import card, create, list_models
from models.__main__ import main
from models.as_mlp import AsMlpConfig, axial_shift
from models.costs import block_costs, multiply_adds
from models.counted import counted
from models.fasternet import PartialConv
from models.mlp_mixer import MixerConfig
from models.mobilevit import MobileViTConfig
from models.registry import UnknownModelError, register
from models.s2_mlp import S2MlpConfig, spatial_shift
from models.s2_mlp_v2 import S2MlpV2Config, spatial_shift_2
from models.vision_permutator import VipConfig, WeightedPermuteMlp
from models.weights import WeightsError

PARAMETERS = {
    "vip_s14": 29_892_904,
    "vip_s7": 25_114_984,
    "vip_m7": 55_272_488,
    "vip_l7": 87_784_936,
    "mixer_s32": 19_104_624,
    "mixer_s16": 18_528_264,
    "mixer_b16": 59_880_472,
    "mixer_l16": 208_196_168,
    "s2mlp_wide": 72_241_384,
    "s2mlp_deep": 53_916_520 + 2 * 384,  # the table counts it without the norm of the patch embedding
    "s2mlpv2_small": 25_112_680,
    "s2mlpv2_medium": 55_268_840,
    "as_mlp_t": 28_282_696,
    "as_mlp_s": 49_594_696,
    "as_mlp_b": 87_752_808,
    "mobilevit_xxs": 1_272_024,
    "mobilevit_xs": 2_317_848,
    "mobilevit_s": 5_578_632,
    "fasternet_t0": 3_905_500,
    "fasternet_t1": 7_595_368,
    "fasternet_t2": 14_982_888,
    "fasternet_s": 31_181_032,
    "fasternet_m": 53_521_464,
    "fasternet_l": 93_465_192,
    "efficientnet_lite0": 4_652_008,
    "efficientnet_lite1": 5_416_680,
    "efficientnet_lite2": 6_092_072,
    "efficientnet_lite3": 8_197_096,
    "efficientnet_lite4": 13_006_568,
}


@pytest.mark.parametrize(("name", "expected"), PARAMETERS.items())
def test_parameters_are_as_many_as_published(name, expected):
    assert counted(name)[0] == expected


@pytest.mark.parametrize(
    ("name", "billions"),
    [("s2mlpv2_small", 6.9), ("s2mlpv2_medium", 16.3), ("s2mlp_wide", 14.0), ("s2mlp_deep", 10.5)],
)
def test_multiply_adds_are_as_many_as_published(name, billions):
    assert multiply_adds(name) / 1e9 == pytest.approx(billions, rel=0.01)


def test_multiply_adds_are_the_same_in_inference_mode():
    multiply_adds.cache_clear()
    block_costs.cache_clear()
    with torch.inference_mode():
        inside = multiply_adds("mixer_nano")
    multiply_adds.cache_clear()
    block_costs.cache_clear()
    assert inside == multiply_adds("mixer_nano") > 0


def test_the_table_of_models_is_printed(capsys):
    main()
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + len(list_models())
    assert any("vip_s7" in line and "25,114,984" in line and "6.90 G" in line for line in lines)


@pytest.mark.parametrize("name", list_models())
def test_a_card_says_where_the_model_comes_from(name):
    found = card(name)
    assert found.paper.startswith("https://arxiv.org/abs/")
    assert found.source.startswith("https://github.com/")
    assert found.preprocess.size == found.image_size


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(UnknownModelError, match=r"no model 'vip_x'.*vip_nano, vip_s14, vip_s7"):
        create("vip_x")


def test_a_model_cannot_be_registered_twice():
    with pytest.raises(ValueError, match="registered twice"):
        register(card("vip_nano"))


def test_the_seed_decides_the_random_weights_and_nothing_else():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    one, same, other = create("vip_nano", seed=1), create("vip_nano", seed=1), create("vip_nano", seed=2)
    assert torch.equal(torch.rand(3), expected)
    assert torch.equal(one.head.weight, same.head.weight)
    assert not torch.equal(one.head.weight, other.head.weight)
    assert not one.training


def test_every_parameter_gets_a_gradient(model, image):
    model(image).square().sum().backward()
    assert [name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()] == []


def test_a_batch_of_two_is_two_batches_of_one(model, image):
    two = torch.cat([image, image.flip(-1)])
    with torch.no_grad():
        apart = torch.cat([model(two[:1]), model(two[1:])])
        torch.testing.assert_close(model(two), apart, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("config", "sizes", "message"),
    [
        (VipConfig, {"image_size": 225}, "image_size 225 is no multiple of patch_size 7"),
        (VipConfig, {"dims": (100, 384, 384, 384)}, "dim 100 cannot be cut into 32 segments"),
        (VipConfig, {"depths": (4, 3)}, "4 dims and 2 depths"),
        (MixerConfig, {"image_size": 225}, "image_size 225 is no multiple of patch_size 16"),
        (S2MlpConfig, {"dim": 6}, "dim 6 cannot be cut into four groups"),
        (S2MlpV2Config, {"dims": (192,)}, "2 patch_sizes, 1 dims and 2 depths"),
        (AsMlpConfig, {"shift_size": 4}, "shift_size 4 is even"),
        (MobileViTConfig, {"num_heads": 7}, "transformer dim 144 cannot be shared by 7 heads"),
    ],
)
def test_an_impossible_configuration_is_refused_with_its_numbers(config, sizes, message):
    with pytest.raises(ValueError, match=message):
        config(**sizes)


# The shifts, against their definitions


def numbered(*shape: int) -> torch.Tensor:
    return torch.arange(torch.Size(shape).numel(), dtype=torch.float32).reshape(shape)


@pytest.mark.parametrize(
    ("shift", "moves"),
    [
        (spatial_shift, [(1, 0), (-1, 0), (0, 1), (0, -1)]),
        (spatial_shift_2, [(0, 1), (0, -1), (1, 0), (-1, 0)]),
    ],
)
@pytest.mark.parametrize("size", [(5, 5), (4, 7), (2, 3)])
def test_a_spatial_shift_is_its_definition(shift, moves, size):
    """Quarter q of the channels comes from one place before; at the edge a place keeps its own value."""
    height, width = size
    x = numbered(2, height, width, 8)
    found = shift(x)
    for quarter, (down, right) in enumerate(moves):
        channels = slice(2 * quarter, 2 * quarter + 2)
        for row in range(height):
            for column in range(width):
                source = min(max(row - down, 0), height - 1), min(max(column - right, 0), width - 1)
                assert torch.equal(found[:, row, column, channels], x[:, *source, channels])


@pytest.mark.parametrize("channels", [5, 7, 96, 128])
@pytest.mark.parametrize("dim", [2, 3])
def test_an_axial_shift_is_the_kernels_definition(channels, dim):
    """out[i] = in[i - (g - s // 2)] for group g = c // ceil(C / s), zero outside."""
    x = numbered(1, channels, 6, 7) + 1
    found = axial_shift(x, 5, dim)
    for channel in range(channels):
        move = channel // -(-channels // 5) - 2
        for place in range(x.shape[dim]):
            source = place - move
            there = found[0, channel].select(dim - 2, place)
            if 0 <= source < x.shape[dim]:
                assert torch.equal(there, x[0, channel].select(dim - 2, source))
            else:
                assert not there.any()


def test_both_forms_of_the_partial_convolution_give_the_same_bits():
    cut, sliced = PartialConv(64, 4), PartialConv(64, 4, "slicing")
    sliced.load_state_dict(cut.state_dict())
    x = torch.randn(2, 64, 14, 14)
    before = x.clone()
    with torch.no_grad():
        assert torch.equal(cut(x), sliced(x))
        assert torch.equal(cut(x)[:, 16:], x[:, 16:])
    assert torch.equal(x, before)


def test_height_mixing_moves_along_columns_only():
    """A change at one place reaches, through the height branch, its own column and no other."""
    block = WeightedPermuteMlp(dim=16, segments=4).eval()
    x = torch.zeros(1, 4, 4, 16)
    moved = x.index_put(tuple(torch.tensor([i]) for i in (0, 1, 2)), torch.ones(16))
    found = {}

    def keep(_probe, _args, value):
        found.update(zip(("height", "width", "channel"), value, strict=True))

    handle = block.branches.register_forward_hook(keep)
    with torch.no_grad():
        block(moved)
    handle.remove()
    reached = {branch: value.abs().sum(dim=-1)[0] > 0 for branch, value in found.items()}
    assert reached["height"].any(dim=0).tolist() == [False, False, True, False]
    assert reached["width"].any(dim=1).tolist() == [False, True, False, False]
    assert reached["channel"].nonzero().tolist() == [[1, 2]]


# Checkpoints


@pytest.fixture
def state():
    return create("vip_nano", seed=3).state_dict()


@pytest.mark.parametrize("wrapper", [None, "state_dict", "model", "state_dict_ema"])
@pytest.mark.parametrize("suffix", [".pth", ".pt", ".bin", ".safetensors"])
def test_a_checkpoint_loads_whatever_wraps_it(state, wrapper, suffix, tmp_path):
    path = tmp_path / f"file{suffix}"
    if suffix == ".safetensors":
        save_file(state, path)
    else:
        torch.save({wrapper: {f"module.{k}": v for k, v in state.items()}} if wrapper else state, path)
    assert torch.equal(create("vip_nano", weights=path).head.weight, state["head.weight"])


def test_a_misfit_names_model_file_and_keys(state, tmp_path):
    del state["head.bias"]
    state |= {"surplus": torch.ones(1), "norm.weight": torch.ones(7)}
    save_file(state, tmp_path / "wrong.safetensors")
    with pytest.raises(WeightsError) as refused:
        create("vip_nano", weights=tmp_path / "wrong.safetensors")
    for part in ("wrong.safetensors does not fit vip_nano", "1 missing: head.bias", "1 unexpected: surplus"):
        assert part in str(refused.value)
    assert "1 misshaped: norm.weight (7,) for (128,)" in str(refused.value)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1e300])
def test_weights_that_are_no_numbers_are_refused_by_name(tmp_path, value):
    tensors = dict(create("mixer_nano").state_dict())
    tensors["head.bias"] = torch.full_like(tensors["head.bias"], value, dtype=torch.float64)
    save_file(tensors, tmp_path / "bad.safetensors")
    with pytest.raises(WeightsError, match=r"no numbers \(NaN or infinite\): head.bias\."):
        create("mixer_nano", tmp_path / "bad.safetensors")


@pytest.mark.parametrize("dtype", [torch.int8, torch.float8_e4m3fn, torch.bool])
def test_weights_of_another_kind_of_number_are_refused_by_name(tmp_path, dtype):
    tensors = dict(create("mixer_nano").state_dict())
    tensors["head.bias"] = tensors["head.bias"].to(dtype)
    save_file(tensors, tmp_path / "bad.safetensors")
    with pytest.raises(WeightsError, match=r"of another kind of number: head\.bias"):
        create("mixer_nano", tmp_path / "bad.safetensors")


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_weights_of_other_precisions_are_read(tmp_path, dtype):
    tensors = {key: one.to(dtype) for key, one in create("mixer_nano").state_dict().items()}
    save_file(tensors, tmp_path / "good.safetensors")
    read = create("mixer_nano", tmp_path / "good.safetensors").state_dict()
    assert all(torch.equal(value, tensors[key].float()) for key, value in read.items())


def test_a_pickle_that_would_run_code_is_refused(tmp_path):
    class Evil:
        def __reduce__(self):
            return (print, ("run",))

    torch.save({"head.weight": Evil()}, tmp_path / "evil.pth")
    with pytest.raises(WeightsError, match=r"evil\.pth holds more than tensors"):
        create("vip_nano", weights=tmp_path / "evil.pth")


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ("imagenet", "vip_nano has no weights called 'imagenet'; it has scenes"),
        ("nowhere.pth", "no file nowhere.pth"),
        ("picture.png", "is no checkpoint this can read"),
    ],
)
def test_weights_that_are_not_there_are_never_replaced_by_random_ones(weights, message):
    with pytest.raises(WeightsError, match=message):
        create("vip_nano", weights=weights)


def test_a_broken_file_is_refused(tmp_path):
    for name in ("broken.safetensors", "broken.pth"):
        (tmp_path / name).write_bytes(b"not a checkpoint")
        with pytest.raises(WeightsError, match=f"{name} could not be read"):
            create("vip_nano", weights=tmp_path / name)
