"""Gates of any model: how far they are open, what takes their place, and what each is worth."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from explorer.any_model.find import find
from explorer.any_model.foreign import Foreign
from explorer.capture import probes, run
from explorer.engine.replay import Replay
from explorer.errors import ChoiceError, NoMapError
from explorer.reading import known
from explorer.reweighting.gate_changes import MODES, Closed, Flattened, Opened, fits
from explorer.reweighting.gate_effects import gate_effects, usual_gates
from explorer.reweighting.gates import CLOSED, KINDS, Gate, gate_of, gates, usual
from explorer.reweighting.interventions import edits
from explorer.reweighting.size_maps import size_map
from explorer.ui.tabs.overview.gate_bars import gates_of
from models.probe import Kind
from tests.foreign import (
    GATES,
    SIDE,
    Activations,
    Attention,
    EncoderLayer,
    FunctionalBranches,
    GlobalResponse,
    MultiHead,
    SqueezeExcite,
    Star,
    made,
)
from tests.tiny import IMAGE_SIDE, TINY

GATED = [make for make in GATES if GATES[make] and GATES[make][0][0] != "branch"]


def named(make):
    return make.__name__


@pytest.fixture(scope="module")
def picture():
    return torch.randn(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))


def foreign(make):
    model = made(make)
    found = find(model, (SIDE, SIDE))
    return Foreign(model, found.stations, found)


def after(model, image, *changes):
    return run(model, image, edits=edits(model, changes))


# Read


@pytest.mark.parametrize("make", [SqueezeExcite, Attention, Star], ids=named)
def test_bars_of_gates_are_how_far_they_are_open_where_that_has_bounds(make, picture):
    seen = run(foreign(make), picture)
    told = gates_of(seen)
    if make is Star:
        assert told["bars"] == []
        assert "see Reweighting" in told["instead"]
    else:
        expected = [one.mean if make is SqueezeExcite else one.size.mean() for one in gates(seen)]
        assert [one["share"] for one in told["bars"]] == pytest.approx(expected)
        assert told["bars"][0]["words"].startswith("block 0 inner")


def test_a_model_without_gates_has_no_bars(picture):
    assert gates_of(run(foreign(Activations), picture)) is None


def test_a_channel_gate_is_what_multiplies_the_map(picture):
    model = foreign(SqueezeExcite)
    kept = {}
    part = model.inner.blocks[0].inner.fc
    hook = part.register_forward_hook(lambda _m, _a, value: kept.update(gate=value))
    found = gates(run(model, picture))
    hook.remove()
    assert [gate.name for gate in found] == ["blocks.0.inner.fc.3.gate", "blocks.1.inner.fc.3.gate"]
    np.testing.assert_array_equal(found[0].values, kept["gate"][0, :, 0, 0].numpy())
    assert found[0].mean == pytest.approx(float(kept["gate"].mean()), rel=1e-5)


def test_what_is_nearly_zero_is_closed_and_channels_are_ordered():
    gate = Gate("a.gate", Kind.CHANNEL_GATE, np.array([0.5, CLOSED / 2, 1.0, -CLOSED / 3]))
    assert gate.closed == (1, 3)
    assert gate.order("openness").tolist() == [2, 0, 1, 3]
    assert gate.order("deviation", np.array([0.5, 0.9, 0.9, 0.0])).tolist() == [1, 2, 3, 0]
    assert gate.order("deviation").tolist() == gate.order("number").tolist() == [0, 1, 2, 3]
    parts, low, high = gate.histogram(4)
    assert (low, high) == (pytest.approx(-CLOSED / 3), 1.0)
    assert parts.tolist() == [0.5, 0, 0.25, 0.25]


def test_the_size_of_a_modulation_is_over_its_places_and_of_attention_how_sharp_it_is():
    modulation = Gate("a.modulation", Kind.MODULATION, np.stack([np.full((2, 2), 3.0), np.eye(2)], axis=-1))
    np.testing.assert_allclose(modulation.size, [3, np.sqrt(0.5)])
    attention = Gate("a.attention", Kind.ATTENTION, np.stack([np.eye(4), np.full((4, 4), 0.25)]))
    np.testing.assert_allclose(attention.size, [1, 0.25])
    assert modulation.has_places
    assert not Gate("a.modulation", Kind.MODULATION, np.ones((1, 1, 8))).has_places


def test_what_is_usual_tells_channels_that_are_always_closed():
    seen = [
        [Gate("a.gate", Kind.CHANNEL_GATE, np.array(values))]
        for values in ([0.01, 0.0, 0.9], [0.02, 0.5, 0.7])
    ]
    (found,) = usual(seen)
    assert found.always_closed == (0,)
    np.testing.assert_allclose(
        [found.low, found.mean, found.high], [[0.01, 0, 0.7], [0.015, 0.25, 0.8], [0.02, 0.5, 0.9]]
    )


def test_gates_over_pictures_are_those_of_each_pass(picture):
    model = foreign(SqueezeExcite)
    pictures = [picture, picture.flip(3), picture.roll(5, 2)]
    *_, found = usual_gates(model, pictures)
    assert (found.done, found.total) == (3, 3)
    first = np.stack([gates(run(model, one))[0].values for one in pictures])
    np.testing.assert_allclose(found.gates[0].mean, first.mean(axis=0), rtol=1e-6)
    np.testing.assert_array_equal(found.gates[0].low, first.min(axis=0))


def test_a_name_that_is_no_gate_is_told_with_those_there_are(picture):
    model = foreign(SqueezeExcite)
    with pytest.raises(ChoiceError, match=r"blocks\.0\.inner\.fc\.3\.gate"):
        gate_of(gates(run(model, picture)), "x")
    with pytest.raises(ChoiceError, match=r"no gate 'x' to change; there are blocks\.0"):
        after(model, picture, Flattened("x"))
    with pytest.raises(ChoiceError, match="channels 0 to 7"):
        after(model, picture, Closed("blocks.0.inner.fc.3.gate", 8))
    attention = foreign(Attention)
    with pytest.raises(ChoiceError, match="flattened or closed"):
        after(attention, picture, Opened("blocks.0.inner.attention"))
    with pytest.raises(ChoiceError, match="no channel gates"):
        next(gate_effects(foreign(FunctionalBranches), picture, target=0, kinds=(Kind.CHANNEL_GATE,)))


def test_a_modulation_has_a_map_of_its_size_and_a_gate_by_channel_has_none(picture):
    seen = run(foreign(Star), picture)
    gate = gates(seen)[0]
    found = size_map(seen, gate)
    np.testing.assert_allclose(found.values, np.sqrt((gate.values**2).mean(axis=2)), rtol=1e-6)
    assert found.has_places
    for make in (SqueezeExcite, GlobalResponse):
        seen = run(foreign(make), picture)
        with pytest.raises(NoMapError, match="each of 8 channels"):
            size_map(seen, gates(seen)[0])


def test_the_map_of_attention_is_what_each_place_gets_beside_an_even_share(picture):
    seen = run(foreign(Attention), picture)
    gate = gates(seen)[0]
    found = size_map(seen, gate)
    np.testing.assert_allclose(found.values, gate.values.mean(axis=(0, 1)).reshape(8, 8) * 64, rtol=1e-5)
    assert found.values.mean() == pytest.approx(1, rel=1e-5)
    windows = Gate(gate.name, Kind.ATTENTION, np.full((8, 16, 16), 1 / 16))
    kept = replace(seen.activations[gate.name], kept=known(torch.full((1, 8, 16, 16), 1 / 16)))
    other = replace(seen, activations={**seen.activations, gate.name: kept})
    assert not size_map(other, windows).has_places
    np.testing.assert_allclose(size_map(other, windows).values, 1 / 16)


# Changed


def test_changes_of_a_channel_gate_are_their_definitions(picture):
    model = foreign(SqueezeExcite)
    learned = gates(run(model, picture))[0]
    seen = {
        mode: gate_of(gates(after(model, picture, make(learned.name))), learned.name).values
        for mode, make in MODES.items()
    }
    np.testing.assert_allclose(seen["flattened"], learned.values.mean(), rtol=1e-6)
    assert (seen["opened"] == 1).all()
    assert (seen["closed"] == 0).all()
    one = gate_of(gates(after(model, picture, Closed(learned.name, 3))), learned.name).values
    np.testing.assert_array_equal(one, np.where(np.arange(8) == 3, 0, learned.values))


def test_a_modulation_is_flattened_over_its_places_or_else_over_its_channels(picture):
    for make, axes in ((Star, (0, 1)), (GlobalResponse, (2,))):
        model = foreign(make)
        learned = gates(run(model, picture))[0]
        flat = gate_of(gates(after(model, picture, Flattened(learned.name))), learned.name).values
        expected = np.broadcast_to(learned.values.mean(axis=axes, keepdims=True), learned.values.shape)
        np.testing.assert_allclose(flat, expected, rtol=1e-5, atol=1e-6)


def test_attention_is_flattened_over_what_is_looked_at_and_closed_by_head(picture):
    model = foreign(Attention)
    name = gates(run(model, picture))[0].name
    flat = gate_of(gates(after(model, picture, Flattened(name))), name).values
    np.testing.assert_allclose(flat, 1 / 64, rtol=1e-5)
    closed = gate_of(gates(after(model, picture, Closed(name, 1))), name).values
    assert (closed[1] == 0).all()
    np.testing.assert_allclose(closed[0].sum(axis=-1), 1, rtol=1e-5)


@pytest.mark.parametrize("make", GATED, ids=named)
def test_the_table_equals_whole_passes_and_the_original_comes_back(make, picture):
    model = foreign(make)
    before = run(model, picture).logits
    *_, table = gate_effects(model, picture, target=2)
    kinds = {name: probe.kind for name, probe in probes(model).items() if probe.kind in KINDS}
    opened = make in (MultiHead, EncoderLayer)  # in steps, which round otherwise than the one call
    assert table.gates == tuple(kinds)
    assert table.done == table.total == len(kinds)
    for row, name in enumerate(table.gates):
        for column, mode in enumerate(table.modes):
            if not fits(MODES[mode](name), kinds[name]):
                assert np.isnan(table.delta[row, column])
                continue
            whole = after(model, picture, MODES[mode](name)).logits[0, 2]
            expected = float(whole) - float(before[0, 2])
            assert table.delta[row, column] == (pytest.approx(expected, abs=1e-6) if opened else expected)
    assert np.nanmax(np.abs(table.delta)) > 1e-4
    assert torch.equal(run(model, picture).logits, before)


def test_attention_of_our_own_models_is_a_gate_like_that_of_others():
    torch.manual_seed(0)
    model = TINY["MobileViT"]().eval()
    image = torch.rand(1, 3, IMAGE_SIDE, IMAGE_SIDE)
    *_, table = gate_effects(model, image, target=0, kinds=(Kind.ATTENTION,))
    assert table.gates
    whole = after(model, image, Closed(table.gates[0])).logits[0, 0]
    assert table.delta[0, 2] == float(whole) - table.logit


class WritesAndRepeats(torch.nn.Module):
    """A gate after a part that runs twice, in a model that adds into what its parts gave."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = torch.nn.Conv2d(3, 8, 4, 4)
        self.twice = torch.nn.Conv2d(8, 8, 1)
        self.norm = torch.nn.BatchNorm2d(8)
        self.gate = SqueezeExcite(8)
        self.head = torch.nn.Linear(8, 5)

    def forward(self, x):
        x = self.stem(x)
        y = self.norm(self.twice(self.twice(x)))
        y += x
        y += self.norm.weight[:, None, None]
        return self.head(self.gate(y).mean((2, 3)))


def test_a_model_that_writes_into_its_tensors_is_run_as_a_whole(picture):
    torch.manual_seed(0)
    model = WritesAndRepeats().eval()
    found = Foreign(model, find(model, (SIDE, SIDE)).stations)
    (name,) = [name for name, probe in probes(found).items() if probe.kind is Kind.CHANNEL_GATE]
    *_, table = gate_effects(found, picture, target=0)
    expected = [
        float(after(found, picture, mode(name)).logits[0, 0]) - table.logit for mode in MODES.values()
    ]
    assert table.delta[0].tolist() == expected
    replay = Replay(found, picture, [name])
    replay.check(name)
    assert torch.equal(replay.logits(name), replay.whole())
