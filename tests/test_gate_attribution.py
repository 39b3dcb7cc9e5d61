"""What gates account for: closed forms on a model solved by hand, completeness on models of others."""

import numpy as np
import pytest
import torch
from torch import nn

from explorer.capture import probes, run
from explorer.errors import ChoiceError
from explorer.in_notebook import DRAWINGS
from explorer.reweighting.ablation import knock_out
from explorer.reweighting.gate_attribution import ENOUGH, PATHS, explained, gate_attribution
from explorer.reweighting.gate_effects import gate_effects
from explorer.reweighting.gates import KINDS
from models.probe import Kind, Probe
from tests.foreign import FunctionalBranches, SqueezeExcite
from tests.test_gates import GATED, foreign, named, picture  # noqa: F401 - a fixture
from tests.tiny import IMAGE_SIDE, TINY

GATE = torch.tensor([0.2, 0.9, 0.4])


class ByHand(nn.Module):
    """Logit 0 is s, the sum of gate times mean colour; logit 1 is s squared."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = Probe(Kind.CHANNEL_GATE, "b c -> b c")

    def forward(self, image):
        s = (self.gate(GATE.expand(len(image), -1)) * image.mean(dim=(2, 3))).sum(dim=1)
        return torch.stack([s, s.square()], dim=1)


@pytest.fixture(scope="module")
def colours():
    return torch.tensor([1.0, -2.0, 3.0])


@pytest.fixture(scope="module")
def plain(colours):
    return colours[None, :, None, None].expand(1, 3, 4, 4)


def owed(model, image, target, path="integrated", **more):
    *_, found = gate_attribution(model, image, target=target, path=path, **more)
    return found


def test_a_gate_that_only_adds_is_owed_what_it_adds_beyond_a_flat_one(plain, colours):
    (one,) = owed(ByHand(), plain, 0).owed
    np.testing.assert_allclose(one.values, (GATE - GATE.mean()) * colours, rtol=1e-5)
    assert one.gap == pytest.approx(0, abs=1e-6)


def test_of_a_square_the_integral_is_its_closed_form(plain, colours):
    """Along the path s goes evenly from s0 to s1, and the mean of its derivative 2 s is s0 + s1."""
    (one,) = owed(ByHand(), plain, 1).owed
    last, first = float((GATE * colours).sum()), float((GATE.mean() * colours).sum())
    np.testing.assert_allclose(one.values, (GATE - GATE.mean()) * colours * (first + last), rtol=1e-5)
    assert one.change == pytest.approx(last**2 - first**2, rel=1e-5)
    assert one.gap == pytest.approx(0, abs=1e-5)


def test_the_gradient_alone_says_twice_what_closing_changes_of_a_square_and_the_gap_says_so(plain, colours):
    (one,) = owed(ByHand(), plain, 1, "gradient").owed
    s = float((GATE * colours).sum())
    np.testing.assert_allclose(one.values, 2 * s * GATE * colours, rtol=1e-5)
    assert one.change == pytest.approx(s**2, rel=1e-5)
    assert one.gap == pytest.approx(s**2, rel=1e-5)


@pytest.mark.parametrize("make", GATED, ids=named)
def test_what_is_owed_to_gates_of_any_model_is_what_the_logit_loses_when_they_are_flat(make, picture):  # noqa: F811
    model = foreign(make)
    before = run(model, picture).logits
    found = owed(model, picture, 2, kinds=tuple(KINDS))
    *_, table = gate_effects(model, picture, target=2)
    assert found.gates == table.gates
    for one, delta in zip(found.owed, table.delta, strict=True):
        assert one.change == pytest.approx(-delta[0], abs=1e-5)
        assert abs(one.gap) <= ENOUGH * abs(one.change) + 1e-6
    assert torch.equal(run(model, picture).logits, before)


def test_branches_that_others_blend_are_explained_from_even_shares(picture):  # noqa: F811
    found = owed(foreign(FunctionalBranches), picture, 2)
    assert [one.values.shape for one in found.owed] == [(3, 8)] * 2
    for one in found.owed:
        assert abs(one.gap) <= ENOUGH * abs(one.change) + 1e-6


@pytest.mark.parametrize("family", TINY)
def test_every_family_with_gates_or_branches_adds_up_and_the_others_say_that_there_are_none(family):
    model = TINY[family]().eval().requires_grad_(False)
    image = torch.rand(1, 3, IMAGE_SIDE, IMAGE_SIDE, generator=torch.Generator().manual_seed(0))
    if not any(one.kind in (*KINDS, Kind.BRANCHES) for one in probes(model).values()):
        with pytest.raises(ChoiceError, match="no gates and no branches"):
            owed(model, image, 0)
        return
    found = owed(model, image, 0)
    assert found.done == found.total > 0
    for one in found.owed:
        assert abs(one.gap) <= ENOUGH * abs(one.change) + 1e-6


def test_branches_that_are_only_added_up_are_explained_in_the_knock_out_and_not_taken_away():
    model = TINY["AS-MLP"]().eval().requires_grad_(False)
    image = torch.rand(1, 3, IMAGE_SIDE, IMAGE_SIDE)
    assert {one.kind for one in explained(model, (Kind.BRANCHES,)).values()} == {Kind.BRANCHES}
    *_, table = knock_out(model, image, target=0, mode="integrated")
    found = owed(model, image, 0)
    assert len(table.branches) == 2
    np.testing.assert_allclose(table.delta, [one.values.sum(axis=1) for one in found.owed], rtol=1e-5)
    with pytest.raises(ChoiceError, match="no share to take away"):
        next(knock_out(model, image, target=0))


def test_gates_come_one_by_one_and_a_wrong_path_is_told(picture):  # noqa: F811
    model = foreign(SqueezeExcite)
    parts = list(gate_attribution(model, picture, target=0, path="gradient"))
    assert [one.done for one in parts] == [1, 2]
    with pytest.raises(ChoiceError, match=" or ".join(PATHS)):
        next(gate_attribution(model, picture, target=0, path="up"))


def test_a_notebook_shows_sums_changes_and_gaps(picture):  # noqa: F811
    import explorer.notebook.results  # noqa: F401 - brings the drawings

    found = owed(foreign(SqueezeExcite), picture, 0)
    html = DRAWINGS[type(found)](found)
    assert f"{found.owed[0].total:+.3f}" in html
