"""Promises every model keeps about its probes."""

import pytest
import torch

from explorer.capture import hooked, probes, run
from models import list_models
from models.probe import Kind, Probe, Role
from models.registry import card
from tests.tiny import TINY


def test_every_family_has_a_tiny_model():
    assert set(TINY) == {card(name).family for name in list_models()}


def test_every_probe_fires_in_the_axes_of_its_kind(model, image):
    seen = run(model, image).activations
    assert set(seen) == set(probes(model))
    for activation in seen.values():
        assert activation.value.ndim == len(activation.kind.value.split()), activation.name


def test_capture_does_not_change_the_logits(model, image):
    with torch.no_grad():
        expected = model(image)
    torch.testing.assert_close(run(model, image).logits, expected, rtol=0, atol=0)


def test_an_edit_at_any_probe_reaches_the_logits(model, image):
    before = run(model, image).logits
    for name, probe in probes(model).items():

        def edit(probe, _args, value):
            return probe.native(probe.canonical(value) * 0.5 + 0.1)

        with torch.no_grad(), hooked({probe: edit}):
            after = model(image)
        assert not torch.equal(before, after), f"{name} discards what its hook returns"


def test_the_way_back_from_the_canonical_axes_changes_nothing(model, image):
    # With hooks, an attention is computed in steps, which rounds otherwise than the fused one.
    with torch.no_grad(), hooked(dict.fromkeys(probes(model).values(), lambda _p, _args, value: value)):
        before = model(image)
    hooks = dict.fromkeys(probes(model).values(), lambda p, _args, value: p.native(p.canonical(value)))
    with torch.no_grad(), hooked(hooks):
        torch.testing.assert_close(model(image), before, rtol=0, atol=0)


def test_an_attention_that_is_made_when_it_is_read_is_the_one_that_would_pass(model, image):
    read = {one.name: one.value for one in run(model, image).of(Kind.ATTENTION)}
    found = probes(model, Kind.ATTENTION)
    assert list(read) == list(found)
    passed = {}
    hooks = {p: lambda p, _args, value, n=n: passed.update({n: p.canonical(value)}) for n, p in found.items()}
    with torch.no_grad(), hooked(hooks):
        model(image)
    for name, value in passed.items():
        torch.testing.assert_close(read[name], value, rtol=0, atol=1e-6)


def test_no_hook_survives_a_crash(model, image):
    def boom(*_):
        raise RuntimeError("boom")

    last = list(probes(model).values())[-1]
    with pytest.raises(RuntimeError, match="boom"), hooked({last: boom}):
        run(model, image)
    assert not any(module._forward_hooks for module in model.modules())


def test_nothing_is_written_into_a_captured_tensor(model, image):
    """Captured tensors are kept without a copy, so the pass must never modify what it handed out."""
    versions = {}

    def note(probe, _args, value):
        parts = value if isinstance(value, list) else [value]
        versions[probe] = [(part, part._version) for part in parts]

    with torch.no_grad(), hooked(dict.fromkeys(probes(model).values(), note)):
        model(image)
    assert len(versions) == len(probes(model))
    for parts in versions.values():
        assert all(part._version == version for part, version in parts)


def test_branch_weights_sum_to_one(model, image):
    for found in run(model, image).of(Kind.BRANCH_WEIGHTS):
        torch.testing.assert_close(found.value.sum(dim=1), torch.ones_like(found.value[:, 0]))
        assert found.value.shape[1] == len(found.branches)


def test_branches_blend_to_what_is_blended(model, image):
    """The definition of the split attention, written with the probed tensors alone."""
    found = run(model, image)
    for weights in found.of(Kind.BRANCH_WEIGHTS):
        branches = found.inside(weights.block, Kind.BRANCHES)
        expected = torch.einsum("bkhwc,bkc->bhwc", branches.value, weights.value)
        torch.testing.assert_close(found.inside(weights.block, Role.BLENDED).value, expected)


def test_every_model_says_what_its_blocks_put_out(model, image):
    assert run(model, image).outputs((Role.BLOCK,))


def test_no_output_of_a_block_is_seen_twice(model, image):
    """A stage hands on what its last block made; by their roles the two are told apart."""
    found = run(model, image)
    blocks = [one.value.data_ptr() for one in found.outputs((Role.PATCHES, Role.BLOCK))]
    assert len(set(blocks)) == len(blocks)
    for stage in found.outputs((Role.STAGE,)):
        assert stage.value.data_ptr() in blocks, stage.name


def test_attention_rows_sum_to_one(model, image):
    for found in run(model, image).of(Kind.ATTENTION):
        torch.testing.assert_close(found.value.sum(dim=-1), torch.ones_like(found.value[..., 0]))


def test_a_probe_prints_its_pattern():
    assert "VECTOR, 'b c -> b c'" in repr(Probe(Kind.VECTOR, "b c -> b c"))
