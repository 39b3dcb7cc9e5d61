"""Hyper-parameters are whole numbers, fractions, switches and words; a wrong one hears what is allowed."""

import pytest

from explorer.ui.further_settings import asked_for, example, told
from models import card
from models.block_settings import Choice, Fraction, NotAllowedError, Switch, Whole, Wholes, printed
from models.blocks import BLOCKS, BlockError, block_card, complete, create_block, spelled
from models.single import read_name

KINDS = {
    Whole(8, least=2, most=64): {"2": 2, " 64 ": 64},
    Fraction(): {"0": 0.0, "0.25": 0.25, ".5": 0.5, "1e-05": 1e-05, "0.99": 0.99},
    Switch(): {"0": False, "1": True, "False": False, "true": True},
    Choice(("bn", "ln", "none")): {"bn": "bn", "LN": "ln", "None": "none"},
    Wholes((1, 2, 8, 2)): {"3": (3,), "1-2-8-2": (1, 2, 8, 2)},
}
WRONG = {
    "Whole": ["", "1", "65", "-3", "2.0", "two", "9" * 50, "1_0"],
    "Fraction": ["", "1", "-0.1", "nan", "inf", "1e9", "0,5", "0." + "1" * 60, "half"],
    "Switch": ["", "2", "on", "10", "-1"],
    "Choice": ["", "gn", "bn|ln", "b", "bn ln"],
    "Wholes": ["", "0-1", "1-2-8-2-1", "1--2", "25", "-1", "1.5-2"],
}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: type(kind).__name__)
def test_a_kind_reads_what_it_allows_and_reads_again_what_it_prints(kind):
    for text, value in KINDS[kind].items():
        read = kind.read(text)
        assert (read, type(read)) == (value, type(value))
        assert kind.read(printed(read)) == read
    for text in WRONG[type(kind).__name__]:
        with pytest.raises(NotAllowedError):
            kind.read(text)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("WeightedPermuteMLP(qkv_bias=2)", "qkv_bias of WeightedPermuteMLP is 0 or 1, not 2."),
        (
            "WeightedPermuteMLP(proj_drop=1.5)",
            "proj_drop of WeightedPermuteMLP is a number from 0 to 0.99, not 1.5.",
        ),
        (
            "WeightedPermuteMLP(dim=0.5)",
            "dim of WeightedPermuteMLP is a whole number from 1 to 2048, not 0.5.",
        ),
        (
            "WeightedPermuteMLP(dim=)",
            "dim of WeightedPermuteMLP is a whole number from 1 to 2048, not empty.",
        ),
        ("MLPBlock(norm_layer=gn)", "norm_layer of MLPBlock is bn, ln or none, not gn."),
        (
            "FasterNet(depths=0-1)",
            "depths of FasterNet is one to 4 whole numbers from 1 to 24 joined by -, such as 1-2-8-2, "
            "not 0-1.",
        ),
        ("MLPBlock(dim=8, 4)", "Hyper-parameters are written as dim=64, qkv_bias=1, not as 4."),
        ("MLPBlock(dim=8, dim=16)", "The hyper-parameter dim is given twice."),
        (
            "PermuteMLP(drop=1)",
            "PermuteMLP has no hyper-parameter 'drop'; it has dim, seg_dim, qkv_bias, proj_drop.",
        ),
        (
            "MobileViT_Attention(num_heads=7)",
            "MobileViT_Attention(dim=3, transformer_dim=144, patch=2, depth=4, num_heads=7) cannot be built: "
            "transformer dim 144 cannot be shared by 7 heads.",
        ),
        (
            "MobileViT_Attention(kernel=2)",
            "MobileViT_Attention(dim=3, transformer_dim=144, patch=2, depth=4, num_heads=16, kernel=2) "
            "cannot be built: a kernel of 2 has no middle and would change the size of the map.",
        ),
        (
            "PatchEmbed(in_dim=3, dim=8, patch_size=2000)",
            "PatchEmbed(in_dim=3, dim=8, patch_size=2000) needs a picture of 2000 pixels; the limit is 1024.",
        ),
    ],
)
def test_a_wrong_hyper_parameter_is_refused_in_one_sentence_that_says_what_is_allowed(name, sentence):
    with pytest.raises(BlockError) as refused:
        card(name)
    assert str(refused.value) == sentence


def test_a_refusal_quotes_little_of_what_it_was_given():
    with pytest.raises(BlockError) as refused:
        card(f"PermuteMLP(dim={'9' * 5000})")
    assert len(str(refused.value)) < 200


def test_a_name_says_the_usual_hyper_parameters_and_the_further_ones_that_are_not_as_usual():
    short = "WeightedPermuteMLP(dim=64, seg_dim=16)"
    assert card("WeightedPermuteMLP(dim=64,seg_dim=16,qkv_bias=0, proj_drop=0.0)").name == short
    assert next(iter(card(short).weights)) == "scenes"
    long = "WeightedPermuteMLP(dim=64, seg_dim=16, qkv_bias=1, proj_drop=0.1)"
    assert card("WeightedPermuteMLP( proj_drop=.1, seg_dim=16, dim=64, qkv_bias=True )").name == long
    assert not card(long).weights
    assert card("MLPBlock(dim=32, act_layer=RELU)").name.endswith("mlp_ratio=2, act_layer=relu)")


@pytest.mark.parametrize("name", BLOCKS)
def test_a_name_with_every_hyper_parameter_said_names_the_same_block(name):
    found = block_card(name)
    said = {key: kind.default for key, kind in found.more.items() if kind.default is not None}
    assert read_name(spelled(name, {**found.settings, **said})) == (found, found.settings)


@pytest.mark.parametrize("name", [name for name, found in BLOCKS.items() if found.more])
def test_the_example_beside_the_fold_is_a_block_that_differs_from_the_usual_one(name):
    found = block_card(name)
    name_told = asked_for(found, example(found), found.settings.values())
    _, settings = read_name(name_told)
    assert len(settings) == len(found.settings) + min(2, len(found.more))
    assert card(name_told).name == spelled(name, settings)


def test_a_text_of_further_hyper_parameters_goes_into_the_name_and_comes_out_of_it():
    found = block_card("PermuteMLP")
    name = asked_for(found, " proj_drop=.5 ,\nqkv_bias=1, ", (12, 3))
    _, settings = read_name(name)
    assert told(found, settings) == "qkv_bias=1, proj_drop=0.5"
    assert asked_for(found, None, (12, 3)) == "PermuteMLP(dim=12, seg_dim=3)"
    with pytest.raises(BlockError, match="dim is given twice"):
        card(asked_for(found, "dim=24", (12, 3)))


def test_python_and_names_say_hyper_parameters_alike():
    found = block_card("FasterNet")
    given = {"depths": (1, 1), "fork_feat": True, "drop_path_rate": 0.1, "patch_stride": 2}
    assert read_name(spelled("FasterNet", given)) == (found, complete(found, given))
    with pytest.raises(BlockError, match="patch_stride of FasterNet is a whole number"):
        create_block("FasterNet", patch_stride=2.5)
