"""timm's own models, small and with random weights: what is found in them is what timm says they have."""

from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor

from benchmarks.any_model import agreeing, compared, edited, redrawn
from explorer.any_model.find import Found, find
from explorer.any_model.foreign import Foreign
from explorer.any_model.timm_models import timm, timm_names
from explorer.capture import Run, probes, run
from explorer.command_line import main
from explorer.engine.limits import Limits
from explorer.errors import ChoiceError
from explorer.explorer import Explorer
from models.preprocess import Preprocess
from models.probe import Kind
from tests.foreign import SIDE, made

SMALL = {"img_size": 64}
SWIN = {"window_size": 4, "depths": (1, 1, 2, 1), "embed_dim": 24, "num_heads": (1, 2, 3, 3)}
CASES = {  # the kinds of its gates, and what makes it small
    "resnest14d": ({"branch"}, {}),
    "skresnet18": ({"branch"}, {}),
    "tf_efficientnet_cc_b0_4e": ({"branch", "channel"}, {}),
    "mobilenetv3_small_050": ({"channel"}, {}),
    "eca_resnext26ts": ({"channel"}, {}),
    "test_byobnet": ({"channel"}, {}),
    "test_efficientnet": ({"channel"}, {}),
    "ghostnetv2_100": ({"channel", "modulation"}, {}),
    "starnet_s1": ({"modulation"}, {}),
    "convnextv2_atto": ({"modulation"}, {}),
    "mambaout_femto": ({"modulation"}, {}),
    "focalnet_tiny_srf": ({"modulation"}, {}),
    "gmlp_ti16_224": ({"modulation"}, SMALL),
    "eva02_tiny_patch14_224": ({"attention", "modulation"}, {"depth": 2, "img_size": 56}),
    "convit_tiny": ({"attention", "channel"}, {"depth": 4, "local_up_to_layer": 2, **SMALL}),
    "test_vit": ({"attention"}, SMALL),
    "cait_xxs24_224": ({"attention"}, {"depth": 2, **SMALL}),
    "edgenext_xx_small": ({"attention"}, {}),
    "volo_d1_224": ({"attention"}, SMALL),
    "swin_tiny_patch4_window7_224": ({"attention"}, SWIN | SMALL),
    "test_convnext": (set(), {}),
}
NAMED = {  # the modules of timm that decide gates, by their last names
    "resnest14d": {"rsoftmax"},
    "skresnet18": {"attn"},
    "mobilenetv3_small_050": {"gate"},
    "eca_resnext26ts": {"gate"},
    "tf_efficientnet_cc_b0_4e": {"gate", "routing_fn"},
    "focalnet_tiny_srf": {"f"},
    "convit_tiny": {"attn", "gating_param"},
    "volo_d1_224": {"attn", "attn_drop"},
}


@dataclass(frozen=True)
class Looked:
    """A model of timm with what was found in it."""

    name: str
    model: Any
    found: Found
    foreign: Foreign
    image: Tensor
    seen: Run
    side: int


@pytest.fixture(scope="module", params=CASES)
def looked(request):
    _, settings = CASES[request.param]
    side = settings.get("img_size", 64)
    torch.manual_seed(0)
    model = redrawn(timm().create_model(request.param, **settings)).eval().requires_grad_(False)
    image = torch.randn(1, 3, side, side)
    found = find(model, (side, side))
    foreign = Foreign(model, found.stations, found)
    return Looked(request.param, model, found, foreign, image, run(foreign, image), side)


def test_every_gate_of_timm_is_found_and_none_elsewhere(looked):
    (hits, all_of_them), elsewhere = compared(looked.model, looked.found, looked.image)
    assert (hits, elsewhere) == (all_of_them, ())
    assert {gate.kind for gate in looked.found.gates} == CASES[looked.name][0]


def test_gates_are_told_under_the_names_of_timm(looked):
    named = {gate.module.rpartition(".")[2] for gate in looked.found.gates}
    assert named == NAMED.get(looked.name, named)


def test_what_no_pass_tells_of_levit_is_told_by_hand():
    torch.manual_seed(0)
    model = redrawn(timm().create_model("levit_128s")).eval().requires_grad_(False)
    image = torch.randn(1, 3, 224, 224)
    for layout, undecided, agree in ((None, 11, (1, 3)), ({"stages.[12]*": "b (h w) c"}, 0, (3, 3))):
        found = find(model, (224, 224), layout)
        seen = run(Foreign(model, found.stations, found), image)
        assert (len(found.undecided), agreeing(model, image, seen)) == (undecided, agree)


def test_a_split_attention_of_one_branch_is_a_sigmoid_by_channel():
    split = timm().layers.SplitAttn
    found = find(made(split, radix=1), (SIDE, SIDE))
    assert [(gate.kind, gate.activation) for gate in found.gates] == [("channel", "sigmoid")] * 2


def test_layers_are_the_maps_that_timm_hands_out_laid_as_it_lays_them(looked):
    same, all_of_them = agreeing(looked.model, looked.image, looked.seen)
    assert all_of_them
    assert same == all_of_them
    assert looked.found.undecided == ()


def test_layers_have_the_grids_and_the_channels_that_timm_tells(looked):
    told = [(one["num_chs"], looked.side // one["reduction"]) for one in looked.model.feature_info]
    ours = {(one.value.shape[-1], one.value.shape[1]) for one in looked.seen.of(Kind.FEATURE_MAP)}
    missing = [one for one in told if one not in ours]
    assert told
    assert missing == []


def test_a_pass_with_every_probe_gives_the_logits_of_the_model_bit_for_bit(looked):
    with torch.no_grad():
        expected = looked.model(looked.image)
    assert torch.equal(looked.seen.logits, expected)
    assert torch.equal(looked.foreign(looked.image), expected)


def test_gates_that_are_changed_move_the_logits_and_released_give_them_back(looked):
    moved, tried = edited(looked.foreign, looked.image, most=3)
    assert moved == tried
    assert tried or not looked.found.gates


def test_a_model_of_timm_is_asked_for_by_its_name(explorer, star):
    assert {"timm:resnest14d", "timm:test_byobnet"} <= set(timm_names())
    loaded = explorer.load("timm:test_byobnet")
    config = loaded.model.inner.pretrained_cfg
    assert loaded.preprocess == Preprocess(
        size=160,
        crop=config["crop_pct"],
        interpolation=config["interpolation"],
        mean=config["mean"],
        std=config["std"],
    )
    assert loaded.weights == "random"
    assert "pretrained" in loaded.card.weights
    assert len(probes(loaded.model, Kind.CHANNEL_GATE)) == 4
    image, _ = explorer.image("timm:test_byobnet", star)
    with torch.no_grad():
        expected = loaded.model.inner(image)[0].max()
    assert explorer.predict("timm:test_byobnet", star)[0].logit == pytest.approx(float(expected))


def test_strangers_get_no_model_of_timm_that_is_too_large_for_the_machine():
    served = Explorer("cpu", limits=Limits(hosted=True, memory=1e6))
    with pytest.raises(ChoiceError, match=r"million parameters, .* GB and .* billion multiply-adds"):
        served.load("timm:test_resnet")


def test_the_command_line_prints_the_gates_of_a_model_of_timm(capsys):
    assert main(["gates", "timm:test_efficientnet", "--device", "cpu"]) == 0
    told = capsys.readouterr().out
    assert [line for line in told.splitlines() if "channel" in line and "sigmoid" in line]
