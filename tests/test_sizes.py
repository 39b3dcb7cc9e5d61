"""Images of other sizes, where the architecture takes them, and a sentence where it does not."""

import pytest
import torch
from jaxtyping import TypeCheckError
from PIL import Image

from explorer.errors import ChoiceError
from explorer.explorer import Explorer
from explorer.pictures import seen
from explorer.ui.model_names import sizes_of
from models import card, create, list_models
from models.as_mlp import axial_shift
from models.costs import multiply_adds
from models.registry import Preprocess
from models.sizes import SizeError, sizes_seen, usual_sizes

FIXED = {"Vision Permutator", "MLP-Mixer"}
NANOS = [name for name in list_models() if name.endswith("_nano")]
VARIABLE = [name for name in NANOS if card(name).family not in FIXED]


@pytest.mark.parametrize("name", list_models())
def test_sizes_are_offered_exactly_where_they_work(name):
    assert bool(usual_sizes(card(name))) == (card(name).family not in FIXED)


@pytest.mark.parametrize("name", VARIABLE)
def test_every_offered_size_gives_an_answer(name, explorer, star):
    plain = explorer.inspect(name, star, "scenes")
    for size in usual_sizes(card(name)):
        height, width = card(f"{name}@{size}").preprocess.shape
        image, _ = explorer.image(f"{name}@{size}", star, "scenes")
        assert image.shape[-2:] == (height, width)
        found = explorer.inspect(f"{name}@{size}", star, "scenes")
        assert torch.isfinite(found.logits).all()
        usual = (height, width) == (card(name).image_size, card(name).image_size)
        assert torch.equal(found.logits, plain.logits) == usual


def test_weights_that_saw_another_size_see_it_unless_a_size_is_asked_for(explorer, star):
    name, (own, seen_by) = "mobilevit_nano", (64, 128)
    assert sizes_seen(card(name)) == {(own, own), (seen_by, seen_by)}
    usual = explorer.image(name, star, "cifar10")[0]
    assert usual.shape[-2:] == (seen_by, seen_by)
    assert explorer.image(name, star, "scenes")[0].shape[-2:] == (own, own)
    assert explorer.image(f"{name}@{own}", star, "cifar10")[0].shape[-2:] == (own, own)
    assert sizes_of(name, "")[0] == ("as its weights saw", "")
    assert sizes_of("fasternet_nano", "")[0] == ("64", "64")
    costs = [multiply_adds(name, (side, side)) for side in (own, seen_by)]
    assert costs[0] == multiply_adds(name)
    assert 4 < costs[1] / costs[0] < 4.3  # four times the places, and attention among all of them
    for weights, expected in zip(("scenes", "cifar10"), costs, strict=True):
        *_, measured = explorer.costs(name, weights)
        assert measured.multiply_adds.sum() == expected


def test_a_model_is_in_memory_once_for_all_sizes(star):
    explorer = Explorer(device="cpu")
    assert explorer.load("fasternet_nano").model is explorer.load("fasternet_nano@96").model
    assert explorer.load("fasternet_nano").lock is explorer.load("fasternet_nano@96").lock


@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        ("vip_nano@128", ("64 × 64", "128 × 128")),
        ("mixer_nano@64x128", ("64 × 64", "64 × 128")),
        ("fasternet_nano@100", ("32", "100 × 100")),
        ("fasternet_nano@4096", ("1024",)),
        ("fasternet_nano@big", ("'big'", "192x256")),
        ("fasternet_nano@0", ("0 × 0",)),
    ],
)
def test_a_size_that_does_not_fit_is_refused_with_its_numbers(name, numbers, explorer, star):
    with pytest.raises(SizeError) as refused:
        card(name)
    for number in numbers:
        assert number in str(refused.value)
    with pytest.raises(ChoiceError):
        explorer.inspect(name, star)


@pytest.mark.parametrize("name", ["vip_nano", "mixer_nano"])
def test_a_network_with_a_fixed_number_of_tokens_refuses_another_image(name):
    with pytest.raises(ValueError, match="64 x 64 pixels only; the image has 32 x 96"):
        create(name)(torch.rand(1, 3, 32, 96))


def test_a_wide_image_covers_the_middle_of_the_picture():
    pixels, geometry = seen(Image.new("RGB", (400, 100)), Preprocess(size=50, width=100))
    assert pixels.size == (100, 50)
    assert geometry.box == (100, 0, 300, 100)
    assert geometry.to_picture(25, 50) == (50, 200)


def test_axes_in_signatures_are_checked_while_models_are_tested():
    with pytest.raises(TypeCheckError):
        axial_shift(torch.zeros(3, 8, 8), 3, 2)
