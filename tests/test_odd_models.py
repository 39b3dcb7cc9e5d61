"""Difficult models of others: nothing is invented, and what cannot be answered is said in a sentence."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from PIL import Image

from explorer.any_model.foreign import logits_in
from explorer.capture import editing, hooked, probes, run
from explorer.engine.others_errors import sentence
from explorer.errors import ChoiceError, ExplorerError
from explorer.features.feature_maps import feature_map, layers
from explorer.reweighting.branch_weights import branch_weights
from explorer.reweighting.gate_effects import gate_effects
from explorer.reweighting.gates import gates
from explorer.ui.tabs.reweighting.gated import words
from models.probe import Kind
from models.registry import Preprocess
from tests.foreign import SIDE, SqueezeExcite, made
from tests.odd import ODD, odd

BESIDE = (Kind.FEATURE_MAP, Kind.BRANCHES, Kind.VECTOR)
METHODS = ("saliency", "integrated_gradients", "grad_cam", "layer_cam", "occlusion", "deep_lift", "lrp")
PICTURE = Image.fromarray(np.random.default_rng(0).integers(0, 255, (SIDE, SIDE, 3), np.uint8))
UNLIKE = {"random", "double", "half"}  # their own logits are others each time, or have other digits


@pytest.fixture(scope="module", params=ODD)
def joined(request, explorer):
    """The name of a model that joined, what was found in it, and the model as it was."""
    name = f"odd: {request.param}"
    return request.param, name, explorer.add(odd(request.param), name, Preprocess(size=SIDE))


def test_the_gates_that_are_there_are_found_and_no_other(joined):
    known, _, found = joined
    assert [(gate.kind, gate.shape, gate.activation) for gate in found.gates] == ODD[known][1]


def test_a_pass_with_every_probe_gives_the_logits_of_the_model(joined, explorer):
    known, name, _ = joined
    image, _ = explorer.image(name, PICTURE)
    facade = explorer.load(name).model
    seen = run(facade, image)
    if known not in UNLIKE:
        with torch.no_grad():
            expected = logits_in(odd(known)(image))
        torch.testing.assert_close(seen.logits, expected, rtol=1e-5, atol=1e-6)
    with torch.no_grad():
        torch.testing.assert_close(seen.logits, facade(image), rtol=1e-5, atol=1e-6)


def test_a_gate_that_is_changed_moves_the_logits_and_one_released_gives_them_back(joined, explorer):
    _, name, found = joined
    image, _ = explorer.image(name, PICTURE)
    facade = explorer.load(name).model
    gated = {one: probe for one, probe in probes(facade).items() if probe.kind not in BESIDE}
    assert bool(gated) == bool(found.gates)
    with torch.no_grad():
        before = facade(image)
        for one, probe in gated.items():
            with hooked({probe: editing(lambda value: value * 0.2 + value.mean(1, keepdim=True).exp())}):
                assert not torch.equal(facade(image), before), one
            assert torch.equal(facade(image), before), one


def questions(explorer, name: str) -> dict[str, Callable[[], object]]:
    """All that is asked about a model, the answers as they come."""
    seen = explorer.inspect(name, PICTURE)
    last = {"layer": layers(seen)[-1], "place": (1, 1)} if layers(seen) else None
    facade, image = explorer.load(name).model, explorer.image(name, PICTURE)[0]
    asked = {
        "maps": lambda: [feature_map(seen, layer) for layer in layers(seen)],
        "shares": lambda: branch_weights(seen),
        "gates": lambda: gates(seen),
        "walk": lambda: explorer.code_walk(name, PICTURE),
        "whole walk": lambda: explorer.code_walk(name, PICTURE, block=""),
        "costs": lambda: list(explorer.costs(name)),
        "relevance": lambda: explorer.relevance(name, PICTURE),
        "gradient": lambda: explorer.inspect(name, PICTURE, target=0),
        "knock-out": lambda: list(explorer.knock_out(name, PICTURE, target=0)),
        "effects": lambda: list(gate_effects(facade, image, target=0)),
    }
    if last:
        asked["field"] = lambda: explorer.effective_field(name, PICTURE, **last)
        asked["possible field"] = lambda: explorer.theoretical_field(name, **last)
    for method in METHODS:
        asked[method] = lambda method=method: list(explorer.attribute(name, PICTURE, method=method, target=0))
    return asked


def test_every_question_is_answered_or_refused_in_a_sentence(joined, explorer):
    known, name, _ = joined
    refused = {}
    for question, ask in questions(explorer, name).items():
        try:
            assert ask() is not None
        except ExplorerError as error:
            refused[question] = str(error)
    assert all(said.endswith(".") and "\n" not in said for said in refused.values()), refused
    may = MAY_REFUSE | MAY_REFUSE_TOO.get(known, set())
    assert set(refused) <= may, refused


MAY_REFUSE = {
    "knock-out",
    "effects",
    "lrp",
    "deep_lift",
    "walk",
    "whole walk",
}  # there is nothing, or no rule
GRADIENTS = {"saliency", "integrated_gradients", "grad_cam", "layer_cam", "relevance", "gradient", "field"}
MAY_REFUSE_TOO = {
    "no gradient": GRADIENTS | {"possible field"},
    "parts written": GRADIENTS | {"possible field"},
    "experts": {"possible field", "costs"},
    "spectrum": {"possible field"},
    "numpy": {"costs", "possible field"},
    "flat": {"grad_cam", "layer_cam"},
    "no weights": {"grad_cam", "layer_cam"},
    "rows": {"grad_cam", "layer_cam"},
}


@pytest.mark.filterwarnings("ignore:.torch.jit.trace:DeprecationWarning")
@pytest.mark.parametrize(
    ("model", "said"),
    [
        (lambda: torch.jit.trace(made(SqueezeExcite), torch.zeros(1, 3, SIDE, SIDE)), "TorchScript"),
        (lambda: torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Unflatten(1, (3, SIDE, SIDE))), "logits"),
    ],
)
def test_what_cannot_join_is_refused_in_a_sentence(model, said, explorer):
    with pytest.raises(ChoiceError, match=said):
        explorer.add(model(), "cannot join", Preprocess(size=SIDE))


def test_a_model_compiled_by_torch_is_looked_into_as_it_was_written(explorer):
    found = explorer.add(odd("compiled"), "compiled by torch", Preprocess(size=SIDE))
    plain = explorer.add(made(SqueezeExcite), "not compiled", Preprocess(size=SIDE))
    assert [one.module for one in found.layers] == [one.module for one in plain.layers]
    assert found.gates == plain.gates


def test_a_model_in_a_wrapper_has_the_layers_it_has_alone(explorer):
    wrapped = explorer.add(odd("dict"), "in a wrapper", Preprocess(size=SIDE))
    alone = explorer.add(made(SqueezeExcite), "alone", Preprocess(size=SIDE))
    assert [one.module for one in wrapped.layers] == [f"net.{one.module}" for one in alone.layers]


def test_what_makes_weights_is_no_layer(explorer):
    found = explorer.add(odd("at the top"), "normalised weights", Preprocess(size=SIDE))
    assert [one.module for one in found.layers] == ["stem"]


def test_gates_of_the_models_own_forward_have_names_to_choose_them_by(explorer):
    explorer.add(odd("at the top"), "gates at the top", Preprocess(size=SIDE))
    seen = explorer.inspect("gates at the top", PICTURE)
    assert [words(gate.name) for gate in gates(seen)] == ["modulation", "modulation 2", "modulation 3"]
    explorer.add(odd("blended at the top"), "blended at the top", Preprocess(size=SIDE))
    (block,) = branch_weights(explorer.inspect("blended at the top", PICTURE))
    assert block.block == "branch"


def test_random_models_answer_the_same_each_time_and_are_told_to_be_random(explorer):
    found = explorer.add(odd("random"), "drops", Preprocess(size=SIDE))
    assert found.is_random
    state = torch.get_rng_state()
    one, other = (explorer.load("drops").model(torch.ones(1, 3, SIDE, SIDE)) for _ in range(2))
    assert torch.equal(one, other)
    assert torch.equal(state, torch.get_rng_state())
    assert not explorer.add(made(SqueezeExcite), "does not drop", Preprocess(size=SIDE)).is_random


def test_what_code_of_others_says_becomes_one_sentence():
    assert sentence(AssertionError()) == "This model cannot be asked this; its code says: AssertionError."
    assert sentence(ValueError("too wide.\nmore")).endswith("its code says: too wide.")
    assert "occlusion" in sentence(RuntimeError("element 0 does not require grad and has no grad_fn"))
