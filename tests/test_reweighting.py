"""The reweighting lab: what blocks learned, where their branches act, and what becomes of a change."""

from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import torch
from einops import rearrange
from PIL import Image

from explorer.capture import editing, hooked, module_of, probes, run
from explorer.engine.replay import Replay
from explorer.errors import ChoiceError
from explorer.explorer import Explorer
from explorer.familiarity.pictures import drawn
from explorer.reweighting.ablation import MODES, knock_out
from explorer.reweighting.branch_weights import (
    blends,
    branch_weights,
    contributions,
    differences,
    size_shares,
)
from explorer.reweighting.interventions import (
    Frozen,
    Moved,
    Scaled,
    Taken,
    Uniform,
    Without,
    edits,
    equal,
    only,
)
from explorer.reweighting.reference_shares import over, shipped, typical, unusual
from models import card, create, scenes
from models.probe import Kind
from models.registry import ASSETS
from tests.golden_data import Golden
from tests.tiny import TINY

WEIGHED = ["Vision Permutator", "S2-MLPv2"]


@pytest.fixture(params=WEIGHED)
def weighed(request):
    """A tiny model with split attention, in float64."""
    torch.manual_seed(0)
    return TINY[request.param]().double().eval()


@pytest.fixture
def exact(image):
    return image.double()


def picture(name: str, seed: int = 3) -> Image.Image:
    return Image.fromarray(scenes.draw(seed, 128, scenes.CLASSES.index(name)).picture)


def weights_of(model) -> dict:
    return probes(model, Kind.BRANCH_WEIGHTS)


# Reading


@pytest.mark.parametrize("name", ["vip_s7", "s2mlpv2_small"])
def test_the_lab_reads_the_published_branch_weights(name, tmp_path):
    golden = Golden.read({"s2mlpv2_small": "s2mlp_v2_small_7_c4"}.get(name, name))
    found = run(create(name, golden.checkpoint(tmp_path)), golden.image)
    for index, stored in ((0, "branch_first"), (-1, "branch_last")):
        expected = rearrange(golden.arrays[stored], "branches b c -> b branches c")
        for picture in range(len(expected)):
            block = branch_weights(found, picture)[index]
            np.testing.assert_allclose(block.values, expected[picture], rtol=0, atol=1e-5)


def test_signed_maps_add_up_to_blended_times_gradient(weighed, exact):
    names = [f"{module_of(name)}.blended" for name in weights_of(weighed)]
    found = run(weighed, exact, target=1, gradients_at=names)
    assert len(found.gradients) == len(names)
    for name in names:
        maps = contributions(found, module_of(name))
        assert maps.signed.shape[0] == len(maps.branches) == 3
        np.testing.assert_allclose(maps.signed.sum(axis=0), maps.blended, rtol=1e-10, atol=1e-14)
        assert np.abs(maps.blended).max() > 0


def test_a_signed_map_is_the_effect_of_a_little_more_of_its_branch(weighed, exact):
    """Summed over the places it is the derivative of the logit with respect to a factor before the branch."""
    for name in weights_of(weighed):
        block = module_of(name)
        found = run(weighed, exact, target=1, gradients_at=[f"{block}.blended"])
        seen = contributions(found, block)
        for branch in range(3):
            step = 1e-5

            def logit(factor: float, found=found, block=block, branch=branch) -> float:
                def more(blended):
                    weights = found.activations[f"{block}.branch_weights"].value[:, branch]
                    brought = found.activations[f"{block}.branches"].value[:, branch]
                    return blended + factor * weights[:, None, None] * brought

                return float(run(weighed, exact, edits={f"{block}.blended": more}).logits[0, 1])

            slope = (logit(step) - logit(-step)) / (2 * step)
            assert slope == pytest.approx(seen.signed[branch].sum(), rel=1e-5, abs=1e-9)


def test_the_gradient_changes_nothing_of_the_run(weighed, exact):
    plain = run(weighed, exact)
    name = f"{module_of(next(iter(weights_of(weighed))))}.blended"
    assert torch.equal(run(weighed, exact, target=0, gradients_at=[name]).logits, plain.logits)


def test_as_mlp_shares_its_size_and_says_that_nothing_is_learned(image):
    torch.manual_seed(0)
    found = run(TINY["AS-MLP"]().eval(), image)
    assert branch_weights(found) == ()
    for block in size_shares(found):
        assert block.branches == ("horizontal", "vertical")
        assert not block.learned
        np.testing.assert_allclose(block.values.sum(axis=0), 1, rtol=1e-5)
    assert blends(found)[0].block == size_shares(found)[0].block


@pytest.mark.parametrize("family", ["MLP-Mixer", "S2-MLP", "MobileViT", "FasterNet"])
def test_other_families_blend_nothing(family, image):
    torch.manual_seed(0)
    assert blends(run(TINY[family]().eval(), image)) == ()


def test_two_pictures_differ_block_by_block_and_channel_by_channel(explorer):
    one, other = (explorer.inspect("vip_nano", picture(name), "scenes") for name in ("star", "disk"))
    for found, first, second in zip(
        differences(one, other), branch_weights(one), branch_weights(other), strict=True
    ):
        np.testing.assert_array_equal(found.values, second.values - first.values)
        np.testing.assert_allclose(found.values.sum(axis=0), 0, atol=1e-6)
    assert max(found.size for found in differences(one, other)) > 0.02
    assert all(found.size == 0 for found in differences(one, one))


# Typical shares


@pytest.fixture(scope="module")
def held_out():
    """Drawing them takes as long as looking at them."""
    return list(drawn(scenes.HELD_OUT[:1_000], 64))


@pytest.mark.parametrize("name", ["vip_nano", "s2mlpv2_nano"])
def test_the_shipped_typical_shares_can_be_computed_again(name, held_out):
    model, preprocess = create(name, "scenes"), card(name).weights["scenes"].preprocess
    anew = typical(over(model, preprocess, held_out), "scenes")
    for found, again in zip(shipped(name), anew, strict=True):
        assert (found.block, found.branches, found.pictures) == (again.block, again.branches, 1_000)
        for part in ("mean", "low", "high"):
            np.testing.assert_allclose(getattr(found, part), getattr(again, part), atol=1e-5)
        np.testing.assert_allclose(found.channels, again.channels, atol=1e-3)
        assert np.all(found.low <= found.high)


def test_typical_shares_of_other_weights_are_computed_on_demand():
    explorer = Explorer(device="cpu")
    assert explorer.typical("vip_nano", "random") is None
    pictures = [picture("star"), picture("disk")]
    found = explorer.typical("vip_nano", "random", pictures)
    assert (found[0].pictures, found[0].source) == (2, "pictures")
    means = [branch_weights(explorer.inspect("vip_nano", one, "random"))[0].mean for one in pictures]
    np.testing.assert_allclose(found[0].mean, np.mean(means, axis=0))
    assert explorer.typical("vip_nano", "random") is found
    (other, *_) = explorer.typical("vip_nano", "random", pictures[1:])
    np.testing.assert_allclose(other.mean, means[1])
    assert explorer.typical("vip_nano", "random")[0] is other


# Interventions


def after(model, image, *interventions):
    return run(model, image, edits=edits(model, interventions))


def test_uniform_shares_are_what_every_channel_uses(weighed, exact):
    name, probe = next(iter(weights_of(weighed).items()))
    found = after(weighed, exact, Uniform(module_of(name), (1, 3, 0)))

    def by_hand(_probe, _args, value):
        return torch.stack([torch.full_like(value[0], share) for share in (0.25, 0.75, 0.0)])

    with torch.no_grad(), hooked({probe: by_hand}):
        torch.testing.assert_close(found.logits, weighed(exact))


def test_without_a_branch_the_others_keep_their_proportion(weighed, exact):
    name = next(iter(weights_of(weighed)))
    learned = run(weighed, exact).activations[name].value
    branches = weights_of(weighed)[name].branches
    found = after(weighed, exact, Without(module_of(name), branches[1])).activations[name].value
    assert torch.all(found[:, 1] == 0)
    torch.testing.assert_close(found.sum(dim=1), torch.ones_like(found[:, 0]))
    torch.testing.assert_close(found[:, 0] * learned[:, 2], found[:, 2] * learned[:, 0])


def test_a_frozen_branch_has_an_equal_share(weighed, exact):
    name = next(iter(weights_of(weighed)))
    branches = weights_of(weighed)[name].branches
    found = after(weighed, exact, Frozen(module_of(name), branches[2])).activations[name].value
    torch.testing.assert_close(found[:, 2], torch.full_like(found[:, 2], 1 / 3))
    torch.testing.assert_close(found.sum(dim=1), torch.ones_like(found[:, 0]))


@pytest.mark.parametrize("shares", [(0.5, 0.3, 0.2), (0.05, 0.05, 0.9), (0, 0.5, 0.5), (0, 1, 0)])
def test_moved_weights_have_the_mean_asked_for_and_keep_their_pattern(weighed, exact, shares):
    name = next(iter(weights_of(weighed)))
    learned = run(weighed, exact).activations[name].value
    found = after(weighed, exact, Moved(module_of(name), shares)).activations[name].value
    torch.testing.assert_close(found.sum(dim=1), torch.ones_like(found[:, 0]))
    np.testing.assert_allclose(found.mean(dim=2)[0], shares, atol=1e-6)
    # Odds between two branches are multiplied by one factor in all channels that use both.
    if min(shares) > 0:
        used = (learned > 1e-9).all(dim=1)
        odds = (found[:, 0] / found[:, 1] / (learned[:, 0] / learned[:, 1]))[used]
        torch.testing.assert_close(odds, odds[:1].expand_as(odds))


def test_weights_moved_to_their_own_mean_stay(weighed, exact):
    name = next(iter(weights_of(weighed)))
    learned = run(weighed, exact).activations[name].value
    mean = tuple(learned.mean(dim=2)[0].tolist())
    found = after(weighed, exact, Moved(module_of(name), mean)).activations[name].value
    torch.testing.assert_close(found, learned)


def test_its_own_weights_taken_give_the_learned_result_bit_for_bit(explorer):
    star = picture("star")
    learned = explorer.inspect("vip_nano", star, "scenes")
    taken = [Taken(b.block, tuple(map(tuple, b.values.tolist()))) for b in branch_weights(learned)]
    assert torch.equal(
        explorer.inspect("vip_nano", star, "scenes", interventions=taken).logits, learned.logits
    )


def test_weights_of_another_picture_are_the_ones_used(explorer):
    star, disk = picture("star"), picture("disk")
    theirs = branch_weights(explorer.inspect("vip_nano", disk, "scenes"))
    taken = [Taken(b.block, tuple(map(tuple, b.values.tolist()))) for b in theirs]
    found = explorer.inspect("vip_nano", star, "scenes", interventions=taken)
    for block, other in zip(branch_weights(found), theirs, strict=True):
        np.testing.assert_array_equal(block.values, other.values)


def test_as_mlp_branches_can_be_scaled_and_equal_shares_change_nothing(image):
    torch.manual_seed(0)
    model = TINY["AS-MLP"]().eval()
    plain = run(model, image)
    block = blends(plain)[0].block
    assert torch.equal(after(model, image, Scaled(block, (0.5, 0.5))).logits, plain.logits)
    found = after(model, image, Scaled(block, (1, 0)))
    assert torch.all(found.activations[f"{block}.branches"].value[:, 1] == 0)
    assert not torch.equal(found.logits, plain.logits)


def test_later_blocks_respond(explorer):
    star = picture("star")
    learned = branch_weights(explorer.inspect("vip_nano", star, "scenes"))
    change = [Uniform(learned[0].block, only(1, 3))]
    found = branch_weights(explorer.inspect("vip_nano", star, "scenes", interventions=change))
    np.testing.assert_allclose(found[0].mean, [0, 1, 0])
    assert np.abs(found[1].values - learned[1].values).max() > 1e-3


def parameters(model) -> list:
    return [value.clone() for value in model.state_dict().values()]


def test_afterwards_the_model_is_as_before_bit_for_bit(weighed, exact):
    before, kept = run(weighed, exact).logits, parameters(weighed)
    block = module_of(next(iter(weights_of(weighed))))
    after(weighed, exact, Uniform(block, equal(3)), Moved(block, (1, 2, 3)))
    list(knock_out(weighed, exact, target=0))
    with pytest.raises(RuntimeError, match="boom"):
        run(weighed, exact, edits={f"{block}.branch_weights": crash})
    stopped = knock_out(weighed, exact, target=0)
    next(stopped)
    stopped.close()
    assert torch.equal(run(weighed, exact).logits, before)
    for value, was in zip(weighed.state_dict().values(), kept, strict=True):
        assert torch.equal(value, was)
    assert not any(module._forward_hooks or "forward" in vars(module) for module in weighed.modules())


def crash(_weights):
    raise RuntimeError("boom")


def test_a_crash_in_the_middle_of_a_replay_leaves_nothing(weighed, exact):
    before = run(weighed, exact).logits
    name, probe = list(weights_of(weighed).items())[-1]
    replay = Replay(weighed, exact, [name])
    with pytest.raises(RuntimeError, match="boom"), hooked({probe: editing(crash)}):
        replay.logits(name)
    assert torch.equal(run(weighed, exact).logits, before)
    assert not any("forward" in vars(module) for module in weighed.modules())


# Knocking out


@pytest.mark.parametrize("mode", MODES)
def test_the_table_equals_full_recomputation_exactly(mode):
    model, image = create("vip_nano", "scenes"), torch.rand(1, 3, 64, 64)
    *_, table = knock_out(model, image, target=3, mode=mode)
    learned = run(model, image).logits[0, 3]
    assert table.delta.shape == (6, 3)
    for row, block in enumerate(table.blocks):
        for column, branch in enumerate(table.branches):
            found = after(model, image, MODES[mode](block, branch)).logits[0, 3]
            assert table.delta[row, column] == float(found) - float(learned)
    assert np.abs(table.delta).max() > 0.1


def test_the_table_comes_row_by_row(weighed, exact):
    tables = list(knock_out(weighed, exact, target=0))
    assert [table.done for table in tables] == list(range(1, tables[0].total + 1))
    np.testing.assert_array_equal(tables[0].delta, tables[-1].delta[:1])


def test_what_comes_before_is_not_computed_again(weighed, exact):
    names = list(weights_of(weighed))
    replay = Replay(weighed, exact, names)
    ran = []
    watched = dict.fromkeys((part for part in weighed.modules() if isinstance(part, torch.nn.Linear)), None)
    originals = {part: part.forward for part in watched}
    for part in watched:
        part.forward = lambda x, part=part: (ran.append(part), originals[part](x))[1]
    with torch.no_grad():
        weighed(exact)
    whole, ran[:] = len(ran), []
    for part in watched:
        del part.forward
    last = Replay(weighed, exact, names[-1:])
    assert last.before[names[-1]] == replay.before[names[-1]]
    for part in watched:
        part.forward = lambda x, part=part: (ran.append(part), originals[part](x))[1]
    last.logits(names[-1])
    assert len(ran) < whole / 3


def test_any_probe_of_any_family_can_be_replayed_from(model, image):
    with torch.no_grad():
        expected = model(image)
    names = list(probes(model))
    replay = Replay(model, image, names)
    for name in names:
        assert torch.equal(replay.logits(name), expected), name


# Explaining the shares


def test_gradient_times_share_is_its_definition(weighed, exact):
    """By autograd alone: the sum over the channels of a share times the slope of the logit along it."""
    *_, table = knock_out(weighed, exact, target=1, mode="gradient")
    for row, (name, probe) in enumerate(weights_of(weighed).items()):
        value = run(weighed, exact).activations[name].value.clone().requires_grad_()
        with hooked({probe: lambda p, _a, _v, value=value: p.native(value)}):
            weighed(exact)[0, 1].backward()
        expected = (value * value.grad).detach()[0].sum(dim=1)
        np.testing.assert_allclose(table.delta[row], expected, rtol=1e-8, atol=1e-12)


def test_integrated_shares_add_up_to_what_they_change(weighed, exact):
    black = -torch.ones_like(exact)
    *_, table = knock_out(weighed, exact, target=1, mode="integrated", baseline=black)
    there = run(weighed, black)
    for row, (name, probe) in enumerate(weights_of(weighed).items()):
        with (
            torch.no_grad(),
            hooked({probe: lambda p, _a, _v, name=name: p.native(there.activations[name].value)}),
        ):
            before = float(weighed(exact)[0, 1])
        change = float(run(weighed, exact).logits[0, 1]) - before
        assert table.delta[row].sum() == pytest.approx(change, rel=0.02, abs=1e-4)


@pytest.mark.parametrize("mode", ["gradient", "integrated"])
def test_an_explained_table_leaves_nothing(weighed, exact, mode):
    before = run(weighed, exact).logits
    next(knock_out(weighed, exact, target=0, mode=mode))
    assert not any(module._forward_hooks for module in weighed.modules())
    assert torch.equal(run(weighed, exact).logits, before)


# Mistakes


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (Uniform("stages.9", (1, 1, 1)), "no block 'stages.9' to change; there are stages.0.blocks.0"),
        (
            Uniform("stages.0.blocks.0.token_mixing", (1, 1)),
            "so 3 shares are needed; 2 were given",
        ),
        (Moved("stages.0.blocks.0.token_mixing", (-1, 1, 1)), "numbers from zero up; given were -1, 1, 1"),
        (Uniform("stages.0.blocks.0.token_mixing", (0, 0, 0)), "At least one share must be above zero"),
        (Uniform("stages.0.blocks.0.token_mixing", (float("nan"), 0, 1)), "numbers from zero up"),
        (Without("stages.0.blocks.0.token_mixing", "depth"), "no 'depth'"),
        (Scaled("stages.0.blocks.0.token_mixing", (1, 1)), "3 branches"),
        (Taken("stages.0.blocks.0.token_mixing", ((1.0,), (0.0,), (0.0,))), "3 branches of 64 channels"),
    ],
)
def test_a_change_that_cannot_be_is_refused_with_one_sentence(explorer, change, words):
    before = explorer.inspect("vip_nano", picture("star"), "scenes").logits
    with pytest.raises(ChoiceError, match=words):
        explorer.inspect("vip_nano", picture("star"), "scenes", interventions=[change])
    model = explorer.load("vip_nano", "scenes").model
    assert not any(module._forward_hooks for module in model.modules())
    image, _ = explorer.image("vip_nano", picture("star"), "scenes")
    assert torch.equal(run(model, image).logits, before)


def test_a_model_without_shares_has_no_table(explorer):
    with pytest.raises(ChoiceError, match="no split attention"):
        next(explorer.knock_out("mixer_nano", picture("star"), "scenes"))


# What the bundled model shows


def test_stripes_a_star_and_a_disk_are_blended_differently(explorer):
    means = [
        branch_weights(explorer.inspect("vip_nano", picture(name), "scenes"))[-1].mean
        for name in ("vertical stripes", "star", "disk")
    ]
    for one in range(3):
        for other in range(one):
            assert np.abs(means[one] - means[other]).max() > 0.05


def test_without_width_the_star_is_no_star_any_more(explorer):
    star = ASSETS / "examples" / "2-star.png"
    assert explorer.predict("vip_nano", star, "scenes")[0].label == "star"
    learned = branch_weights(explorer.inspect("vip_nano", star, "scenes"))
    change = [Without(block.block, "width") for block in learned]
    logits = explorer.inspect("vip_nano", star, "scenes", interventions=change).logits
    assert scenes.CLASSES[int(logits.argmax())] != "star"


@pytest.mark.parametrize("change", [Without("", "b"), Frozen("", "b")])
def test_a_share_is_replaced_where_a_float_cannot_hold_the_others(change):
    logits = torch.tensor([[[300.0, 0.0], [500.0, 400.0], [299.0, -3.0]]])
    shares = change.apply(logits, 1).softmax(dim=1)
    held = 0.0 if isinstance(change, Without) else 1 / 3
    exact = logits.double()[:, [0, 2]].softmax(dim=1) * (1 - held)
    assert torch.allclose(shares[:, 1], torch.tensor(held))
    assert torch.allclose(shares[:, [0, 2]].double(), exact, rtol=1e-6)


@pytest.mark.parametrize("name", ["vip_nano", "s2mlpv2_nano"])
def test_a_knock_out_keeps_the_proportion_of_the_others_to_double_precision(explorer, star, name):
    """Computed again from the gates of a float64 copy, whose shares do not vanish."""
    block = explorer.layers(name, Kind.BRANCH_WEIGHTS)[-1].rpartition(".")[0]
    branches = explorer.inspect(name, star).inside(block, Kind.BRANCH_WEIGHTS).branches
    image, _ = explorer.image(name, star)
    exact = deepcopy(explorer.load(name).model).double()
    logits = run(exact, image.double()).inside(block, Kind.BRANCH_LOGITS).value
    for index, branch in enumerate(branches):
        found = explorer.inspect(name, star, interventions=(Without(block, branch),))
        shares = found.inside(block, Kind.BRANCH_WEIGHTS).value
        others = [other for other in range(len(branches)) if other != index]
        assert torch.allclose(shares.sum(dim=1), torch.ones(()), atol=1e-6)
        assert torch.allclose(shares[:, others].double(), logits[:, others].softmax(dim=1), atol=1e-3)


def test_a_table_says_how_many_channels_are_saturated(explorer, star):
    *_, found = explorer.knock_out("s2mlpv2_nano", star, "random")  # a gate takes a sum over all places
    shares = explorer.inspect("s2mlpv2_nano", star, "random").of(Kind.BRANCH_WEIGHTS)
    largest = np.concatenate([one.value[0].amax(dim=0).numpy() for one in shares])
    assert found.saturated == pytest.approx(np.mean(largest > 0.99))
    assert found.saturated > 0.5
    *_, trained = explorer.knock_out("s2mlpv2_nano", star, "scenes")
    assert trained.saturated < 0.05  # it was trained with a penalty on that


def test_unusual_is_what_lies_beyond_ninety_nine_of_a_hundred_after_counting_the_dots():
    """Over the scenes the band was made of, about as many dots are unusual as would be by chance."""
    known = shipped("vip_nano")
    model, preprocess = create("vip_nano", "scenes"), card("vip_nano").weights["scenes"].preprocess
    drawn, _ = scenes.batch(range(200), preprocess.size)
    seen = run(model, torch.from_numpy(drawn).float() / 127.5 - 1)
    counts = [unusual(branch_weights(seen, picture), known) for picture in range(200)]
    assert {(dots, round(chance, 2)) for _, dots, chance in counts} == {(18, 0.36)}
    assert np.mean([outside for outside, _, _ in counts]) < 0.5
    one = replace(branch_weights(seen)[0], values=np.tile([[1.0], [0.0], [0.0]], (1, 8)))
    assert unusual([one], known[:1])[0] == 3
