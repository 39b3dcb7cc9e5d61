"""A model of one's own, or of timm by name, is asked about like those that are listed."""

import json
from itertools import count

import numpy as np
import pytest
import torch
from PIL import Image

from explorer.any_model import timm_models
from explorer.capture import probes
from explorer.command_line import main
from explorer.engine.limits import Limits
from explorer.errors import ChoiceError
from explorer.explorer import Explorer
from explorer.features.feature_maps import feature_map, layers
from explorer.reweighting.branch_weights import branch_weights, contributions
from explorer.reweighting.interventions import Uniform, Without
from models.probe import Kind
from models.registry import Preprocess, UnknownModelError
from tests.foreign import (
    SIDE,
    FunctionalBranches,
    SqueezeExcite,
    StackedBranches,
    Tokens,
    beside_timm,
    like_timm,
    made,
)
from tests.odd import Wrapped
from tests.unusual import Chooses, LogShares, Named, SoftmaxByHand

SMALL = Preprocess(size=SIDE)
NUMBERS = count()


@pytest.fixture(scope="module")
def picture():
    dice = np.random.default_rng(0)
    return Image.fromarray(dice.integers(0, 255, (SIDE, SIDE, 3), np.uint8))


def added(explorer: Explorer, model, **more) -> str:
    name = f"mine_{next(NUMBERS)}"
    explorer.add(model, name, **{"preprocess": SMALL, **more})
    return name


def test_an_added_model_gives_its_own_logits_under_the_names_given(explorer, picture):
    model = made(SqueezeExcite)
    name = added(explorer, model, labels=["a", "b", "c", "d", "e"])
    image, _ = explorer.image(name, picture)
    with torch.no_grad():
        expected = model(image)[0]
    found = explorer.predict(name, picture)
    assert [one.logit for one in found] == pytest.approx(sorted(expected.tolist(), reverse=True), abs=1e-6)
    assert {one.label for one in found} == {"a", "b", "c", "d", "e"}
    assert explorer.labels(name) == ("a", "b", "c", "d", "e")


@pytest.mark.parametrize("make", [FunctionalBranches, StackedBranches], ids=lambda make: make.__name__)
def test_branch_weights_of_an_added_model_are_read_removed_and_told_apart_by_place(make, explorer, picture):
    name = added(explorer, made(make))
    seen = explorer.inspect(name, picture, target=0)
    blocks = branch_weights(seen)
    assert [block.block for block in blocks] == ["blocks.0.inner", "blocks.1.inner"]
    for block in blocks:
        np.testing.assert_allclose(block.values.sum(axis=0), 1, rtol=1e-5)
        maps = contributions(seen, block.block)
        np.testing.assert_allclose(maps.signed.sum(axis=0), maps.blended, atol=1e-5)
    *_, table = explorer.knock_out(name, picture, target=0)
    for row, block in zip(table.delta, blocks, strict=True):
        without = Without(block.block, "branch 2")
        logit = explorer.inspect(name, picture, interventions=[without]).logits[0, 0]
        assert row[1] == pytest.approx(float(logit - seen.logits[0, 0]), abs=1e-5)
    given = explorer.inspect(name, picture, interventions=[Uniform("blocks.0.inner", (1, 0, 0))])
    assert branch_weights(given)[0].mean == pytest.approx([1, 0, 0])


@pytest.mark.parametrize("make", [SoftmaxByHand, LogShares, Named, Chooses], ids=lambda make: make.__name__)
def test_a_branch_is_taken_away_however_its_shares_are_computed(make, explorer, picture):
    name = added(explorer, made(make))
    before = branch_weights(explorer.inspect(name, picture))[0]
    for branch, taken in enumerate(before.branches):
        seen = explorer.inspect(name, picture, interventions=[Without(before.block, taken)])
        expected = np.ones_like(before.values)
        expected[branch] = 0
        np.testing.assert_allclose(branch_weights(seen)[0].values, expected, atol=1e-6)


@pytest.mark.parametrize("make", [Tokens, SqueezeExcite], ids=lambda make: make.__name__)
def test_the_other_questions_are_answered_too(make, explorer, picture):
    name = added(explorer, made(make))
    seen = explorer.inspect(name, picture)
    layer = layers(seen)[-1]
    assert feature_map(seen, layer).values.shape == (8, 8, 8)
    *_, found = explorer.attribute(name, picture, method="saliency", target=1)
    assert np.abs(found.values).max() > 0
    assert explorer.effective_field(name, picture, layer=layer, place=(2, 3)).energy.sum() > 0
    assert explorer.theoretical_field(name, layer="blocks.0.output", place=(2, 3)).any()
    walk = explorer.code_walk(name, picture)
    assert walk.calls[0].listing.file == "tests/foreign.py"
    assert set(explorer.relevance(name, picture)) >= set(layers(seen))
    *_, costs = explorer.costs(name)
    assert costs.parameters.sum() == sum(one.numel() for one in explorer.load(name).model.parameters())


def test_the_parameters_of_an_added_model_stay_as_they_are(explorer, picture):
    model = made(SqueezeExcite)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    name = added(explorer, model)
    *_, _ = explorer.attribute(name, picture, method="saliency", target=0)
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    assert all(one.requires_grad for one in model.parameters())
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in model.modules())


def test_what_does_not_fit_is_said_in_a_sentence(explorer):
    name = added(explorer, made(SqueezeExcite))
    with pytest.raises(ChoiceError, match="already"):
        explorer.add(made(SqueezeExcite), name)
    with pytest.raises(ChoiceError, match="already"):
        explorer.add(made(SqueezeExcite), "vip_nano")
    with pytest.raises(ChoiceError, match="5 classes apart; 2 names"):
        added(explorer, made(SqueezeExcite), labels=["a", "b"])
    with pytest.raises(ChoiceError, match="takes no image of 48"):
        added(explorer, made(Tokens), preprocess=Preprocess(size=48))
    with pytest.raises(ChoiceError, match="has to give logits"):
        added(explorer, torch.nn.Conv2d(3, 4, 3))


def test_beside_features_the_logits_are_those_with_a_number_for_each_label(explorer, picture):
    model = Wrapped(lambda logits, x: (x.mean((2, 3)), logits))
    with pytest.raises(ChoiceError, match="Labels, one a class, say which"):
        added(explorer, model)
    with pytest.raises(ChoiceError, match="has to give logits"):
        added(explorer, model, labels=["a", "b"])
    name = added(explorer, model, labels=["a", "b", "c", "d", "e"])
    image, _ = explorer.image(name, picture)
    with torch.no_grad():
        torch.testing.assert_close(explorer.inspect(name, picture).logits, model.net(image))


def test_strangers_may_not_name_a_path_of_python_or_of_the_hub():
    hosted = Explorer(device="cpu", limits=Limits(hosted=True))
    for name in ("tests.foreign:made", "timm:hf-hub:owner/name"):
        for ask in (hosted.load, hosted.labels):
            with pytest.raises(ChoiceError, match="There is no model"):
                ask(name)


def test_without_timm_it_is_said_what_to_install(explorer, monkeypatch):
    for missing, said in (("timm", "requirements-timm.txt"), ("torchvision", "torchvision that fits")):
        error = ModuleNotFoundError(f"No module named {missing!r}", name=missing)
        monkeypatch.setattr(timm_models, "import_module", lambda _name, e=error: (_ for _ in ()).throw(e))
        with pytest.raises(ChoiceError, match=said):
            explorer.load("timm:never_built")


def test_beside_a_torchvision_that_does_not_fit_timm_is_imported_all_the_same(monkeypatch):
    """And where names of operators are not all that is missing, it is said what to install."""
    fails, asked = [True, False, True, True], []

    def imports(name: str):
        asked.append(name)
        if fails.pop(0):
            raise RuntimeError("operator torchvision::nms does not exist")
        return like_timm()

    monkeypatch.setattr(timm_models, "import_module", imports)
    monkeypatch.setattr(timm_models, "define_names", lambda: asked.append("names"))
    assert timm_models.timm().is_model("tiny")
    assert asked == ["timm", "names", "timm"]
    with pytest.raises(UnknownModelError, match="torchvision that fits torch"):
        timm_models.timm()


def test_a_name_of_timm_is_random_unless_asked_and_prepared_as_its_configuration_says(explorer, monkeypatch):
    beside_timm(monkeypatch)
    loaded = explorer.load("timm:tiny")
    assert (loaded.weights, loaded.labels[0], list(loaded.card.weights)) == (
        "random",
        "class 0",
        ["pretrained"],
    )
    expected = Preprocess(
        size=SIDE, crop=0.9, interpolation="bilinear", mean=(0.1, 0.2, 0.3), std=(0.4, 0.5, 0.6)
    )
    assert loaded.preprocess == expected
    assert len(probes(loaded.model, Kind.BRANCH_WEIGHTS)) == 2
    with pytest.raises(ChoiceError, match="timm 0 has no model 'other'"):
        explorer.load("timm:other")


def test_the_command_line_prints_the_gates_as_they_are_promised(capsys):
    assert main(["gates", "vip_nano", "--json", "--device", "cpu"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert len(rows) == 6
    assert {key: rows[0][key] for key in ("module", "kind", "axes", "shape", "activation", "applied_to")} == {
        "module": "stages.0.blocks.0.token_mixing",
        "kind": "branch",
        "axes": ["branches", "channels"],
        "shape": [3, 64],
        "activation": "softmax",
        "applied_to": "stages.0.blocks.0.token_mixing",
    }


@pytest.mark.parametrize("name", ["nothing.here:made", "tests.foreign:nothing", "no_model"])
def test_the_command_line_ends_with_2_and_a_sentence(name, capsys):
    assert main(["gates", name, "--device", "cpu"]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert name.partition(":")[2] in told.err
    assert told.err.count("\n") == 1
