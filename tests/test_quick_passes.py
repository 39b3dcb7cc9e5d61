"""Passes of which only the result counts: without batch norms, and only as far as a window reaches."""

import pytest
import torch
from torch import nn

from explorer.attribution.methods import batches, windows
from explorer.attribution.methods.case import logits_of
from explorer.attribution.methods.window_passes import Changed, window_passes
from explorer.attribution.methods.window_reach import Axis, Window, local_layers, steps_of
from explorer.attribution.options import Options
from explorer.attribution.registry import METHODS
from explorer.attribution.running import case_of
from explorer.capture import probes
from explorer.engine.loaded import RANDOM, Loaded
from explorer.engine.turns import Turns
from explorer.engine.twins import folded, normed, quickly_laid_out
from explorer.mixing.theoretical_field import theoretical_field
from models import card, create
from models.preprocess import Preprocess
from tests.tiny import TINY

NORMED = ("FasterNet", "MobileViT", "EfficientNet-Lite")
CONVOLUTIONS = {"fasternet_nano": "scenes", "mobilevit_nano": "scenes", "efficientnet_lite0": "imagenet"}


def unlike_new(model: nn.Module) -> nn.Module:
    """With norms that do something, as after training."""
    dice = torch.Generator().manual_seed(1)
    for part in model.modules():
        if isinstance(part, nn.BatchNorm2d):
            for tensor in (part.weight.data, part.bias.data, part.running_mean, part.running_var):
                tensor.copy_(0.5 + torch.rand(tensor.shape, generator=dice))
    return model


@pytest.mark.parametrize("family", TINY)
def test_norms_are_folded_where_there_are_some_and_nothing_is_changed(family, image):
    model = quickly_laid_out(unlike_new(TINY[family]().eval().requires_grad_(False)).double())
    image = image.double()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    quick = folded(model)
    assert (quick is model) == (family not in NORMED)
    assert not any(isinstance(part, nn.BatchNorm2d) for part in quick.modules())
    torch.testing.assert_close(quick(image), model(image))
    assert model.state_dict().keys() == before.keys()
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert list(probes(quick)) == list(probes(model))
    assert folded(model) is quick


def test_a_model_of_others_is_left_as_it_is():
    class Normed(nn.Sequential):
        pass

    model = Normed(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)).eval()
    assert folded(model) is model


def test_what_is_there_twice_is_counted_twice():
    found, model = card("fasternet_nano"), create("fasternet_nano")
    loaded = Loaded(found, RANDOM, model, found.preprocess, found.classes, model, Turns())
    again = [one.conv.weight.numel() for one in normed(model)]
    assert loaded.bytes == 4 * (loaded.parameters + sum(again))
    assert len(again) == sum(isinstance(part, nn.BatchNorm2d) for part in model.modules()) > 0


@pytest.mark.parametrize(("name", "weights"), CONVOLUTIONS.items())
@pytest.mark.parametrize("cells", [5, 16])
def test_occlusion_is_that_of_whole_passes(name, weights, cells, monkeypatch):
    model, preprocess = quickly_laid_out(create(name, weights).requires_grad_(False)), card(name).preprocess
    image = torch.rand(1, 3, *preprocess.shape, generator=torch.Generator().manual_seed(0))
    case = case_of(model, image, preprocess, 0, Options(cells=cells, against=1))
    asked: list[int] = []
    told = windows.WindowPasses.logits

    def noted(self, baseline, places):
        asked.append(len(places))
        return told(self, baseline, places)

    monkeypatch.setattr(windows.WindowPasses, "logits", noted)
    *_, near = METHODS["occlusion"].stream(case)
    sent = sum(asked)
    monkeypatch.setattr(windows, "window_passes", lambda *_: None)
    *_, whole = METHODS["occlusion"].stream(case)
    assert sent == sum(asked)
    if cells == 16:
        assert sent == cells**2
    size = float(whole.values.abs().max())
    assert size > 0.1  # else nothing could be told apart from rounding
    torch.testing.assert_close(near.values, whole.values, rtol=0, atol=1e-5 * size)


@pytest.mark.parametrize("family", sorted(set(TINY) - {*NORMED}))
def test_what_looks_at_the_whole_picture_from_the_start_gets_whole_passes(family, image):
    model = TINY[family]().eval()
    assert local_layers(model) == []
    assert window_passes(model, image, [windows.window(0, 4, image.shape[-2:])]) is None


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_from_block_to_block_a_place_sees_what_the_axes_say(name):
    model, shape = create(name), card(name).preprocess.shape
    found = list(steps_of(model, torch.zeros(1, 3, *shape)))
    assert [step.layer for step in found] == local_layers(model)[: len(found)]
    assert len(found) > 2
    for number, step in enumerate(found[:5]):
        rows = step.rows
        for place in (rows.places // 3, rows.places // 2 + 1):
            seen = range(place, place + 1)
            for axis in (before.rows for before in reversed(found[: number + 1])):
                start, stop = axis.stride * seen.start - axis.before, axis.stride * seen.stop + axis.after
                seen = range(max(0, start), min(axis.side, stop))
            field = theoretical_field(model, shape, step.layer, (place, rows.places // 2)).any(dim=1)
            assert field.nonzero().flatten().tolist() == list(seen), step.layer


def test_a_window_as_large_as_the_picture_gets_whole_passes():
    model, shape = create("fasternet_nano"), card("fasternet_nano").preprocess.shape
    image = torch.zeros(1, 3, *shape)
    assert window_passes(model, image, [windows.window(0, 1, shape)]) is None
    assert window_passes(model, image, [windows.window(0, 2, shape)]) is not None


@pytest.mark.parametrize("axis", [Axis(64, 4, 5, 2), Axis(64, 8, 20, 20), Axis(64, 4, 0, -1)])
def test_a_crop_holds_all_that_its_places_see_as_far_as_there_is_a_picture(axis):
    longest = max(len(felt_by_hand(axis, slice(start, start + 7))) for start in range(axis.side - 6))
    for start in range(axis.side - 6):
        felt = axis.felt(slice(start, start + 7))
        assert list(range(felt.start, felt.stop)) == felt_by_hand(axis, slice(start, start + 7))
        crop = axis.crop(felt, axis.crop_for(longest))
        under = axis.under(crop)
        assert crop.stop - crop.start == axis.crop_for(longest)
        assert max(0, under.start) == under.start
        assert min(axis.side, under.stop) == under.stop
        assert under.start <= max(0, axis.stride * felt.start - axis.before)
        assert under.stop >= min(axis.side, axis.stride * felt.stop + axis.after)


def felt_by_hand(axis: Axis, window: slice) -> list[int]:
    return [
        place
        for place in range(axis.places)
        if axis.stride * place - axis.before < window.stop
        and axis.stride * (place + 1) + axis.after > window.start
    ]


def test_what_changed_in_a_map_is_put_where_it_lies():
    whole = torch.zeros(6, 6, 1)
    part = torch.arange(1.0, 10.0).reshape(1, 3, 3, 1)
    at = Window(slice(2, 5), slice(1, 4))
    changed = Changed(part, [at], [Window(slice(3, 5), slice(1, 3))])
    (same,) = changed.within(whole, [Window(slice(0, 6), slice(0, 6))])
    expected = torch.zeros(6, 6)
    expected[3:5, 1:3] = torch.tensor([[4.0, 5], [7, 8]])
    assert torch.equal(same[..., 0], expected)
    (crop,) = changed.within(whole, [Window(slice(4, 6), slice(2, 5))])
    assert torch.equal(crop[..., 0], expected[4:6, 2:5])
    (apart,) = changed.within(whole, [Window(slice(0, 2), slice(4, 6))])
    assert not apart.any()


def test_the_number_that_is_explained_is_the_same_from_logits_and_from_a_model(image):
    model = TINY["FasterNet"]().eval()
    case = case_of(model, image, Preprocess(size=image.shape[-1]), 1, Options(against=0))
    torch.testing.assert_close(case.model(image)[:, 1], logits_of(case, image))
    torch.testing.assert_close(case.for_gradients(image)[:, 1], logits_of(case, image))


def test_even_of_a_large_model_two_pictures_go_into_one_call(image, monkeypatch):
    monkeypatch.setattr(batches, "MULTIPLY_ADDS", 1.0)
    assert batches.images_at_once(TINY["Vision Permutator"]().eval(), image) == 2


@pytest.mark.parametrize("family", TINY)
def test_where_slopes_jump_gradients_are_those_of_the_network_as_it_is(family, image):
    model = TINY[family]().eval()
    case = case_of(model, image, Preprocess(size=image.shape[-1]), 1, Options())
    jumps = any(isinstance(part, nn.ReLU | nn.ReLU6) for part in model.modules())
    assert jumps == (family == "EfficientNet-Lite")
    assert case.for_gradients is (model if jumps else folded(model))
